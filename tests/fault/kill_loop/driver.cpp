#include "tests/fault/kill_loop/driver.h"

#include <atomic>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <future>
#include <thread>
#include <utility>

#include "tests/fault/kill_loop/observe.h"

namespace vz::kill_loop {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

constexpr int kReadyTimeoutMs = 60'000;
constexpr long kReadTimeoutMs = 30'000;
constexpr int kWorkMsMin = 50;
constexpr int kWorkMsMax = 400;
constexpr int kStartingMsMax = 40;
constexpr int kStartingKillsPercent = 20;
constexpr std::uint64_t kOperationsLost = 20;  ///< at least, in the self test

std::string data_dir(const DriverOptions& options) {
  return options.dir + (options.power_cut ? "/volume/data" : "/data");
}

Status different(const std::string& what) {
  return fail(ErrorCode::kInternal, "the node broke a promise: " + what);
}

std::string in_client(std::size_t client) {
  return "client " + std::to_string(client) + ":\n";
}

}  // namespace

Result<std::unique_ptr<Driver>> Driver::make(const DriverOptions& options) {
  std::error_code error;
  fs::create_directories(options.dir, error);
  VZ_TRY_ASSIGN(auto oracle, Oracle::open(options.dir + "/oracle", options.clients));
  std::unique_ptr<PowerVolume> volume;
  if (options.power_cut) {
    VZ_TRY_ASSIGN(volume, PowerVolume::make(options.dir));
  }
  const std::uint16_t port = drive::free_port();
  if (port == 0) return fail(ErrorCode::kUnavailable, "no free port on 127.0.0.1");
  return std::unique_ptr<Driver>(new Driver(options, std::move(oracle), std::move(volume), port));
}

Driver::Driver(const DriverOptions& options, Oracle oracle, std::unique_ptr<PowerVolume> volume,
               std::uint16_t port)
    : options_(options),
      random_(options.seed),
      oracle_(std::move(oracle)),
      volume_(std::move(volume)),
      server_({.binary = options.binary,
               .data_dir = data_dir(options),
               .log_file = options.dir + "/server.log",
               .port = port,
               .arguments = options.server_arguments}) {
  for (int client = 0; client < options.clients; ++client)
    generators_.emplace_back(client, random_());
}

int Driver::below(int bound) {
  return static_cast<int>(random_() % static_cast<std::uint64_t>(bound));
}

Status Driver::create_shared_collections() {
  auto& clients = oracle_.clients();
  if (clients[0].state.acknowledged.contains(std::string(kSharedCosine))) return {};  // resumed
  drive::HttpClient http(server_.base_url(), kReadTimeoutMs);
  for (const auto& operation : shared_collections()) {
    VZ_TRY_ASSIGN(const bool answered, carry_out(http, operation, Wait::kVisible, clients[0]));
    if (!answered) return fail(ErrorCode::kUnavailable, "no answer to " + to_line(operation));
    for (auto& client : clients) client.state.acknowledged.try_emplace(operation.collection);
  }
  return oracle_.checkpoint();
}

Status Driver::restart() {
  while (tally_.kills < options_.kills && below(100) < kStartingKillsPercent) {
    VZ_TRY(server_.start());
    std::this_thread::sleep_for(milliseconds(below(kStartingMsMax)));
    VZ_TRY(kill());
    ++tally_.kills;
    ++tally_.kills_while_starting;
  }
  VZ_TRY(server_.start());
  return server_.wait_ready(kReadyTimeoutMs);
}

Status Driver::verify() {
  drive::HttpClient http(server_.base_url(), kReadTimeoutMs);
  VZ_TRY_ASSIGN(const Collections all, observe(http));
  VZ_TRY_ASSIGN(const auto slices, split_by_client(all, options_.clients));

  auto& clients = oracle_.clients();
  for (std::size_t index = 0; index < clients.size(); ++index) {
    ClientState& state = clients[index].state;
    const bool in_flight = state.in_flight.has_value();
    const Verdict verdict = compare(state, slices[index]);
    if (verdict.outcome == Verdict::Outcome::kDifferent) {
      return different(in_client(index) + verdict.difference);
    }
    if (in_flight) {
      ++(verdict.outcome == Verdict::Outcome::kAfter ? tally_.in_flight_present
                                                     : tally_.in_flight_absent);
    }
    settle(verdict, state);
  }

  for (const auto& [name, points] : all) {
    std::vector<std::string> absent;
    for (int client = 0; client < options_.clients; ++client) {
      for (auto& id : ids_of(client, name)) {
        if (!points.contains(id)) absent.push_back(std::move(id));
      }
    }
    VZ_TRY(cross_check(http, name, points, absent));
    tally_.points_checked += points.size();
  }
  return oracle_.checkpoint();
}

Status Driver::work_and_kill() {
  std::atomic<bool> killed = false;
  std::vector<std::future<ClientResult>> running;
  for (std::size_t index = 0; index < generators_.size(); ++index) {
    running.push_back(std::async(std::launch::async, [this, index, &killed] {
      return run_client(server_.base_url(), generators_[index], oracle_.clients()[index], killed);
    }));
  }
  std::this_thread::sleep_for(milliseconds(kWorkMsMin + below(kWorkMsMax - kWorkMsMin)));
  killed.store(true);
  const Status death = kill();
  ++tally_.kills;

  std::string failures;
  for (std::size_t index = 0; index < running.size(); ++index) {
    const ClientResult result = running[index].get();
    tally_.acknowledged += result.acknowledged;
    if (!result.failure.empty()) failures += in_client(index) + "    " + result.failure + "\n";
  }
  VZ_TRY(death);
  if (!failures.empty()) return different(failures);
  count_segment_files();
  return {};
}

Status Driver::kill() {
  if (!volume_) return server_.kill_now();
  VZ_TRY(volume_->cut());
  (void)server_.kill_now();  // It may have given up by itself: its disk is gone.
  return volume_->restore();
}

void Driver::count_segment_files() {
  std::set<std::string> present;
  std::error_code error;
  for (fs::recursive_directory_iterator it(data_dir(options_) + "/collections", error), end;
       !error && it != end; it.increment(error)) {
    if (it->path().extension() == ".seg") present.insert(it->path().string());
  }
  for (const auto& path : segment_files_) {
    if (!present.contains(path) && fs::exists(fs::path(path).parent_path(), error)) {
      segment_files_merged_.insert(path);
    }
  }
  segment_files_.merge(present);
  tally_.segments_sealed = segment_files_.size();
  tally_.segments_merged = segment_files_merged_.size();
}

Status Driver::run() {
  VZ_TRY(restart());
  VZ_TRY(verify());
  VZ_TRY(create_shared_collections());
  while (tally_.kills < options_.kills) {
    VZ_TRY(work_and_kill());
    VZ_TRY(restart());
    VZ_TRY(verify());
    if (tally_.kills % 20 == 0) {
      std::printf("%d kills, %llu operations acknowledged\n", tally_.kills,
                  static_cast<unsigned long long>(tally_.acknowledged));
      std::fflush(stdout);
    }
  }
  VZ_TRY(server_.stop(kReadyTimeoutMs));
  VZ_TRY(server_.start());
  VZ_TRY(server_.wait_ready(kReadyTimeoutMs));
  VZ_TRY(verify());
  return server_.stop(kReadyTimeoutMs);
}

Status Driver::check_tampered() {
  drive::HttpClient http(server_.base_url(), kReadTimeoutMs);
  VZ_TRY_ASSIGN(const Collections all, observe(http));
  VZ_TRY_ASSIGN(const auto slices, split_by_client(all, options_.clients));
  const ClientState sound = oracle_.clients()[0].state;
  const std::string name(kSharedDot);
  if (sound.acknowledged.at(name).empty())
    return fail(ErrorCode::kInternal, "nothing to tamper with");
  const std::string id = sound.acknowledged.at(name).begin()->first;

  const std::vector<std::pair<std::string, void (*)(Points&, const std::string&)>> lies = {
      {"a point that came back", [](Points& points, const std::string& at) { points.erase(at); }},
      {"a lost point", [](Points& points, const std::string&) { points["999999"] = {}; }},
      {"an older version", [](Points& points, const std::string& at) { ++points.at(at).version; }},
      {"another vector",
       [](Points& points, const std::string& at) { points.at(at).vector[0] += 1; }},
      {"another payload",
       [](Points& points, const std::string& at) { points.at(at).payload = "{\"a\":1}"; }},
  };
  for (const auto& [what, tell] : lies) {
    ClientState tampered = sound;
    tell(tampered.acknowledged.at(name), id);
    if (compare(tampered, slices[0]).outcome != Verdict::Outcome::kDifferent) {
      return fail(ErrorCode::kInternal, "self test: the verifier did not see " + what);
    }
  }
  ClientState tampered = sound;
  tampered.acknowledged["own-0-9"] = {};
  if (compare(tampered, slices[0]).outcome != Verdict::Outcome::kDifferent) {
    return fail(ErrorCode::kInternal, "self test: the verifier did not see a lost collection");
  }
  return {};
}

/// A slow build may be killed before it acknowledged anything.
Status Driver::work_until(const std::function<bool()>& enough) {
  for (;;) {
    VZ_TRY(server_.start());
    VZ_TRY(server_.wait_ready(kReadyTimeoutMs));
    VZ_TRY(verify());
    if (enough()) return {};
    VZ_TRY(work_and_kill());
  }
}

/// A node that forgot its last acknowledged writes: the data directory as it was one kill ago.
Status Driver::check_old_directory() {
  const fs::path data = data_dir(options_);
  const fs::path old = options_.dir + "/old-data";
  VZ_TRY(server_.kill_now());
  std::error_code error;
  fs::copy(data, old, fs::copy_options::recursive, error);
  if (error) return fail(ErrorCode::kIoError, old.string() + ": " + error.message());
  const std::uint64_t before = tally_.acknowledged;
  VZ_TRY(work_until([&] { return tally_.acknowledged >= before + kOperationsLost; }));
  VZ_TRY(server_.kill_now());
  fs::remove_all(data, error);
  fs::rename(old, data, error);
  if (error) return fail(ErrorCode::kIoError, data.string() + ": " + error.message());
  VZ_TRY(server_.start());
  VZ_TRY(server_.wait_ready(kReadyTimeoutMs));
  const Status verdict = verify();
  if (!verdict && verdict.error().message.starts_with("the node broke a promise")) return {};
  return fail(ErrorCode::kInternal,
              "self test: the verifier did not see that acknowledged writes were lost");
}

Status Driver::self_test() {
  VZ_TRY(restart());
  VZ_TRY(verify());
  VZ_TRY(create_shared_collections());
  VZ_TRY(work_and_kill());
  VZ_TRY(work_until([&] {
    return !oracle_.clients()[0].state.acknowledged.at(std::string(kSharedDot)).empty();
  }));
  VZ_TRY(check_tampered());
  return check_old_directory();
}

}  // namespace vz::kill_loop
