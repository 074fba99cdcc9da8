#include "tools/bench/load_loop.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <future>
#include <thread>

#include <sys/prctl.h>

#include "tools/bench/load_client.h"
#include "tools/drive/answer.h"

namespace vz::bench {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::duration;

constexpr unsigned long kTimerSlackNs = 1;  ///< else a sleep ends 50 us late

double seconds_since(Clock::time_point begin) {
  return duration<double>(Clock::now() - begin).count();
}

tl::unexpected<Error> refused(std::string_view request, const LoadAnswer& answer) {
  return drive::refused(request.substr(0, request.find(" HTTP/")), answer.status, answer.body);
}

Result<std::vector<LoadClient>> connect_all(const drive::Endpoint& endpoint, unsigned connections) {
  std::vector<LoadClient> clients;
  for (unsigned i = 0; i < connections; ++i) {
    VZ_TRY_ASSIGN(auto client, LoadClient::connect(endpoint));
    clients.push_back(std::move(client));
  }
  return clients;
}

/// What one connection measured.
struct Share {
  std::vector<double> micros;
  std::uint64_t refused_count = 0;
  std::string first_refusal;

  /// One request, whose time counts from `due`.
  Status measure(LoadClient& client, std::string_view request, Clock::time_point due,
                 Refusals refusals) {
    VZ_TRY_ASSIGN(const auto answer, client.exchange(request));
    if (answer.status == 200) {
      micros.push_back(duration<double, std::micro>(Clock::now() - due).count());
      return {};
    }
    auto refusal = refused(request, answer);
    if (refusals == Refusals::kEndTheLoop) return refusal;
    if (refused_count++ == 0) first_refusal = std::move(refusal.value().message);
    return {};
  }
};

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

Load joined(const std::vector<Share>& shares, double seconds) {
  Load out{.seconds = seconds, .per_second = 0, .micros = {}, .refused = 0, .first_refusal = {}};
  for (const Share& share : shares) {
    out.micros.insert(out.micros.end(), share.micros.begin(), share.micros.end());
    out.refused += share.refused_count;
    if (out.first_refusal.empty()) out.first_refusal = share.first_refusal;
  }
  out.per_second = static_cast<double>(out.micros.size()) / seconds;
  return out;
}

}  // namespace

Result<Load> closed_loop(const LoopOptions& options, std::span<const std::string> requests) {
  VZ_TRY_ASSIGN(auto clients, connect_all(options.endpoint, options.connections));
  std::vector<Share> shares(clients.size());
  const auto begin = Clock::now();
  const auto end = begin + options.duration;
  const auto work = [&](LoadClient& client, std::size_t connection) -> Status {
    // Apart from each other, so that no two connections ask the same at the same time.
    std::size_t at = connection * requests.size() / clients.size();
    for (auto now = Clock::now(); now < end; now = Clock::now()) {
      VZ_TRY(shares[connection].measure(client, requests[at++ % requests.size()], now,
                                        options.refusals));
    }
    return {};
  };
  VZ_TRY(on_each(clients, work));
  return joined(shares, seconds_since(begin));
}

Result<Load> open_loop(const LoopOptions& options, double rate,
                       std::span<const std::string> requests) {
  VZ_TRY_ASSIGN(auto clients, connect_all(options.endpoint, options.connections));
  std::vector<Share> shares(clients.size());
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
      VZ_TRY(shares[connection].measure(client, requests[at % requests.size()], due,
                                        options.refusals));
    }
    return {};
  };
  VZ_TRY(on_each(clients, work));
  return joined(shares, seconds_since(begin));
}

Result<Sent> send_each(const drive::Endpoint& endpoint, unsigned connections,
                       std::span<const std::string> requests) {
  VZ_TRY_ASSIGN(auto clients, connect_all(endpoint, connections));
  Sent out{.seconds = 0, .last = std::vector<std::size_t>(clients.size()), .micros = {}};
  out.micros.resize(requests.size());
  std::atomic<std::size_t> next{0};
  const auto begin = Clock::now();
  const auto work = [&](LoadClient& client, std::size_t connection) -> Status {
    for (std::size_t at = next++; at < requests.size(); at = next++) {
      const auto sent = Clock::now();
      VZ_TRY_ASSIGN(const auto answer, client.exchange(requests[at]));
      if (answer.status != 200) return refused(requests[at], answer);
      out.micros[at] = duration<double, std::micro>(Clock::now() - sent).count();
      out.last[connection] = at;
    }
    return {};
  };
  VZ_TRY(on_each(clients, work));
  out.seconds = seconds_since(begin);
  return out;
}

}  // namespace vz::bench
