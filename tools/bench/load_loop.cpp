#include "tools/bench/load_loop.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <future>
#include <thread>

#include <sys/prctl.h>

#include "tools/bench/load_client.h"

namespace vz::bench {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::duration;

constexpr std::size_t kQuotedBytesMax = 500;  ///< of an unexpected answer
constexpr unsigned long kTimerSlackNs = 1;    ///< else a sleep ends 50 us late

double seconds_since(Clock::time_point begin) {
  return duration<double>(Clock::now() - begin).count();
}

Status expect_ok(LoadClient& client, std::string_view request) {
  VZ_TRY_ASSIGN(const auto answer, client.exchange(request));
  if (answer.status == 200) return {};
  return fail(ErrorCode::kInternal, std::string(request.substr(0, request.find('\r'))) +
                                        " answered " + std::to_string(answer.status) + " " +
                                        std::string(answer.body.substr(0, kQuotedBytesMax)));
}

Result<std::vector<LoadClient>> connect_all(std::uint16_t port, unsigned connections) {
  std::vector<LoadClient> clients;
  for (unsigned i = 0; i < connections; ++i) {
    VZ_TRY_ASSIGN(auto client, LoadClient::connect(port));
    clients.push_back(std::move(client));
  }
  return clients;
}

using Work = std::function<Status(LoadClient&, std::size_t connection)>;

/// `work` for each client in a thread of its own. Returns the first error, when all have ended.
Status on_each(std::vector<LoadClient>& clients, const Work& work) {
  std::vector<std::future<Status>> running;
  for (std::size_t i = 0; i < clients.size(); ++i) {
    running.push_back(std::async(std::launch::async, [&, i] { return work(clients[i], i); }));
  }
  Status outcome;
  for (auto& one : running) {
    const Status done = one.get();
    if (outcome && !done) outcome = done;
  }
  return outcome;
}

Load joined(std::vector<std::vector<double>> parts, double seconds) {
  Load out;
  for (const auto& part : parts) out.micros.insert(out.micros.end(), part.begin(), part.end());
  out.per_second = static_cast<double>(out.micros.size()) / seconds;
  return out;
}

}  // namespace

Result<Load> closed_loop(const LoopOptions& options, std::span<const std::string> requests) {
  VZ_TRY_ASSIGN(auto clients, connect_all(options.port, options.connections));
  std::vector<std::vector<double>> micros(clients.size());
  const auto begin = Clock::now();
  const auto end = begin + options.duration;
  const auto work = [&](LoadClient& client, std::size_t connection) -> Status {
    // Apart from each other, so that no two connections ask the same at the same time.
    std::size_t at = connection * requests.size() / clients.size();
    for (auto sent = Clock::now(); sent < end;) {
      VZ_TRY(expect_ok(client, requests[at++ % requests.size()]));
      const auto answered = Clock::now();
      micros[connection].push_back(duration<double, std::micro>(answered - sent).count());
      sent = answered;
    }
    return {};
  };
  VZ_TRY(on_each(clients, work));
  return joined(std::move(micros), seconds_since(begin));
}

Result<Load> open_loop(const LoopOptions& options, double rate,
                       std::span<const std::string> requests) {
  VZ_TRY_ASSIGN(auto clients, connect_all(options.port, options.connections));
  std::vector<std::vector<double>> micros(clients.size());
  const auto count =
      std::max<std::size_t>(1, static_cast<std::size_t>(rate * options.duration.count()));
  std::atomic<std::size_t> next{0};
  const auto begin = Clock::now();
  const auto work = [&](LoadClient& client, std::size_t connection) -> Status {
    ::prctl(PR_SET_TIMERSLACK, kTimerSlackNs);
    for (std::size_t at = next++; at < count; at = next++) {
      const auto due = begin + std::chrono::duration_cast<Clock::duration>(
                                   duration<double>(static_cast<double>(at) / rate));
      std::this_thread::sleep_until(due);
      VZ_TRY(expect_ok(client, requests[at % requests.size()]));
      micros[connection].push_back(duration<double, std::micro>(Clock::now() - due).count());
    }
    return {};
  };
  VZ_TRY(on_each(clients, work));
  return joined(std::move(micros), seconds_since(begin));
}

Result<Sent> send_each(std::uint16_t port, unsigned connections,
                       std::span<const std::string> requests) {
  VZ_TRY_ASSIGN(auto clients, connect_all(port, connections));
  Sent out{.seconds = 0, .last = std::vector<std::size_t>(clients.size())};
  std::atomic<std::size_t> next{0};
  const auto begin = Clock::now();
  const auto work = [&](LoadClient& client, std::size_t connection) -> Status {
    for (std::size_t at = next++; at < requests.size(); at = next++) {
      VZ_TRY(expect_ok(client, requests[at]));
      out.last[connection] = at;
    }
    return {};
  };
  VZ_TRY(on_each(clients, work));
  out.seconds = seconds_since(begin);
  return out;
}

}  // namespace vz::bench
