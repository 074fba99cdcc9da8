#include "tools/bench/operations_bench.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <future>
#include <mutex>
#include <stop_token>

#include <nlohmann/json.hpp>

#include "tools/bench/ingest.h"
#include "tools/bench/live_queries.h"
#include "tools/bench/load_client.h"
#include "tools/bench/load_loop.h"
#include "tools/bench/timed_child.h"
#include "tools/drive/answer.h"
#include "tools/drive/collection_api.h"
#include "tools/drive/metrics_api.h"
#include "tools/drive/server_process.h"
#include "tools/drive/settings_api.h"

namespace vz::bench {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr int kNodeTimeoutMs = 600'000;
constexpr long kCallTimeoutMs = 600'000;
constexpr std::chrono::seconds kScrapeEvery{1};
constexpr double kWarmUpSeconds = 1;
constexpr double kMicro = 1e6;

/// Something that is done again and again beside a loop, until the loop has ended.
using Chore = std::function<Status(std::stop_token stop)>;

/// Runs `loop` while each of `chores` runs on a thread of its own.
Result<Load> beside(const std::vector<Chore>& chores, const std::function<Result<Load>()>& loop) {
  std::stop_source stop;
  std::vector<std::future<Status>> running;
  for (const Chore& chore : chores) {
    running.push_back(std::async(std::launch::async, chore, stop.get_token()));
  }
  auto load = loop();
  stop.request_stop();
  for (auto& one : running) VZ_TRY(one.get());
  return load;
}

/// As much of `pause` as nobody ends.
void sleep(std::stop_token stop, std::chrono::milliseconds pause) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait_for(lock, stop, pause, [] { return false; });
}

Status check_integrity(drive::HttpClient& http) {
  VZ_TRY(drive::call_json(http, "POST", "/admin/integrity-check?wait=true", "{}"));
  return {};
}

/// Its name.
Result<std::string> create_snapshot(drive::HttpClient& http, const std::string& format) {
  VZ_TRY_ASSIGN(const auto answer, drive::call_json(http, "POST", "/snapshots?wait=true",
                                                    R"({"format":")" + format + "\"}"));
  return answer.at("result").at("name").get<std::string>();
}

Status delete_snapshot(drive::HttpClient& http, const std::string& name) {
  VZ_TRY(drive::call_json(http, "DELETE", "/snapshots/" + name, ""));
  return {};
}

Status snapshot_and_delete(drive::HttpClient& http) {
  VZ_TRY_ASSIGN(const std::string name, create_snapshot(http, "tar.gz"));
  return delete_snapshot(http, name);
}

class OperationsBench {
 public:
  OperationsBench(const DataSet& data, const OperationsOptions& options, std::uint16_t port)
      : data_(data),
        options_(options),
        endpoint_{.port = port},
        server_({.binary = options.binary,
                 .data_dir = options.directory + "/data",
                 .log_file = options.directory + "/server.log",
                 .port = port,
                 .arguments = {}}),
        http_(endpoint_, kCallTimeoutMs) {}

  Result<OperationsReport> run() {
    report_ = {.data = data_.name,
               .rows = data_.base.rows,
               .dimension = data_.base.dimension,
               .connections = options_.connections};
    VZ_TRY(fill());
    // Every search is one that nobody asked before, but where the cache is what is measured.
    VZ_TRY(set("cache.query_cache.enabled", "false"));
    VZ_TRY(measure_peak());
    VZ_TRY(measure_tail());
    VZ_TRY(measure_cache());
    VZ_TRY(server_.stop(kNodeTimeoutMs));
    report_.volume_bytes = bytes_below(data_dir());
    VZ_TRY(measure_archives());
    return report_;
  }

 private:
  const DataSet& data_;
  const OperationsOptions& options_;
  drive::Endpoint endpoint_;
  drive::ServerProcess server_;
  drive::HttpClient http_;
  OperationsReport report_;
  std::vector<std::string> requests_;

  [[nodiscard]] std::string data_dir() const { return options_.directory + "/data"; }

  Status fill() {
    VZ_TRY(server_.start());
    VZ_TRY(server_.wait_ready(kNodeTimeoutMs));
    const auto distance = vector::distance_name(data_.distance);
    VZ_TRY(drive::create_collection(http_, kCollection, data_.base.dimension, distance));
    const Upserts upserts = make_upserts(data_.base, data_.base.rows, 0, {.endpoint = endpoint_});
    VZ_TRY(ingest(upserts, data_.base, options_.connections));
    VZ_TRY(await_indexed(http_, data_.base.rows));
    // Merges that are still due would be measured along, in some loops and not in others.
    const std::string optimize = drive::collection_path(kCollection) + "/optimize?wait=true";
    VZ_TRY(drive::call_json(http_, "POST", optimize, ""));
    const LiveCollection collection{.endpoint = endpoint_,
                                    .name = kCollection,
                                    .shape = {.points = data_.base.rows,
                                              .indexed_points = data_.base.rows,
                                              .dimension = data_.base.dimension,
                                              .distance = std::string(distance)}};
    requests_ = search_requests(collection, data_.queries, {});
    return {};
  }

  Status set(const std::string& key, const std::string& value) {
    VZ_TRY(drive::change_settings(http_, {{key, value}}));
    return {};
  }

  [[nodiscard]] LoopOptions loop_of(double seconds) const {
    return {.endpoint = endpoint_,
            .connections = options_.connections,
            .duration = std::chrono::duration<double>(seconds)};
  }
  Result<Load> closed() const { return closed_loop(loop_of(options_.seconds), requests_); }
  Result<Load> open() const {
    return open_loop(loop_of(options_.seconds), report_.rate, requests_);
  }

  /// `once` again and again, until it is told to stop, on a connection of its own; counted.
  [[nodiscard]] Chore repeated(Status (*once)(drive::HttpClient&), std::uint64_t& count) const {
    return [this, once, &count](std::stop_token stop) -> Status {
      drive::HttpClient http(endpoint_, kCallTimeoutMs);
      for (; !stop.stop_requested(); ++count) VZ_TRY(once(http));
      return {};
    };
  }

  [[nodiscard]] Chore scrapes() const {
    return [this](std::stop_token stop) -> Status {
      drive::HttpClient http(endpoint_, kCallTimeoutMs);
      while (!stop.stop_requested()) {
        VZ_TRY(drive::metrics_text(http));
        sleep(stop, kScrapeEvery);
      }
      return {};
    };
  }

  Status measure_peak() {
    VZ_TRY(closed_loop(loop_of(kWarmUpSeconds), requests_));
    std::vector<double> plain, ratios;
    for (unsigned round = 0; round < options_.rounds; ++round) {
      VZ_TRY_ASSIGN(const Load alone, closed());
      VZ_TRY_ASSIGN(const Load scraped, beside({scrapes()}, [this] { return closed(); }));
      plain.push_back(alone.per_second);
      ratios.push_back(scraped.per_second / alone.per_second);
    }
    report_.peak_qps = median(plain);
    report_.scraped_ratio = median(ratios);
    report_.rate = report_.peak_qps * options_.load_share;
    return {};
  }

  Status measure_tail() {
    std::vector<double> idle_p50, idle_p99, busy_p50, busy_p99, ratios;
    const std::vector<Chore> chores = {repeated(check_integrity, report_.checks),
                                       repeated(snapshot_and_delete, report_.snapshots)};
    for (unsigned round = 0; round < options_.rounds; ++round) {
      VZ_TRY_ASSIGN(Load alone, open());
      VZ_TRY_ASSIGN(Load with, beside(chores, [this] { return open(); }));
      const Latency idle = latency_of(alone.micros), busy = latency_of(with.micros);
      idle_p50.push_back(idle.p50_ms);
      idle_p99.push_back(idle.p99_ms);
      busy_p50.push_back(busy.p50_ms);
      busy_p99.push_back(busy.p99_ms);
      ratios.push_back(busy.p99_ms / idle.p99_ms);
    }
    report_.idle = {.p50_ms = median(idle_p50), .p99_ms = median(idle_p99)};
    report_.busy = {.p50_ms = median(busy_p50), .p99_ms = median(busy_p99)};
    report_.tail_ratio = median(ratios);
    return {};
  }

  /// Median of what the node itself says that each query took.
  Result<double> node_micros() {
    VZ_TRY_ASSIGN(auto client, LoadClient::connect(endpoint_));
    std::vector<double> micros;
    for (const std::string& request : requests_) {
      VZ_TRY_ASSIGN(const LoadAnswer answer, client.exchange(request));
      const auto parsed = nlohmann::json::parse(answer.body, nullptr, false);
      if (answer.status != 200 || !parsed.contains("time")) {
        return drive::refused("POST .../points/query", answer.status, answer.body);
      }
      micros.push_back(kMicro * parsed["time"].get<double>());
    }
    return median(micros);
  }

  Status measure_cache() {
    VZ_TRY_ASSIGN(report_.uncached_us, node_micros());
    VZ_TRY(set("cache.query_cache.enabled", "true"));
    VZ_TRY(node_micros());  // Fills it.
    VZ_TRY_ASSIGN(report_.cached_us, node_micros());
    return set("cache.query_cache.enabled", "false");
  }

  /// Online, but with nobody searching: the peer has the machine for itself too.
  Status measure_archives() {
    const std::string data = quoted(data_dir()), peer = options_.directory + "/peer";
    const std::string tar = "tar -C " + data + " --exclude=./snapshots -c . | ";
    report_.archives = {
        {.format = "tar.gz", .peer = tar + "gzip -1 > " + quoted(peer), .goal = 0.6},
        {.format = "tar.zst", .peer = tar + "zstd -q -T2 -3 > " + quoted(peer), .goal = 0.8}};
    for (SnapshotRow& row : report_.archives) VZ_TRY(measure_archive(row));
    return {};
  }

  Status measure_archive(SnapshotRow& row) {
    std::vector<double> ours, peers, ratios;
    for (unsigned round = 0; round < options_.rounds; ++round) {
      VZ_TRY(server_.start());
      VZ_TRY(server_.wait_ready(kNodeTimeoutMs));
      const auto begin = Clock::now();
      VZ_TRY_ASSIGN(const std::string name, create_snapshot(http_, row.format));
      ours.push_back(std::chrono::duration<double>(Clock::now() - begin).count());
      VZ_TRY(delete_snapshot(http_, name));
      VZ_TRY(server_.stop(kNodeTimeoutMs));
      VZ_TRY_ASSIGN(const TimedRun other,
                    run_timed({"/bin/sh", "-c", row.peer}, options_.directory + "/commands.log"));
      peers.push_back(other.seconds);
      ratios.push_back(other.seconds / ours.back());
    }
    row.seconds = median(ours);
    row.peer_seconds = median(peers);
    row.ratio = median(ratios);
    return {};
  }
};

}  // namespace

Result<OperationsReport> run_operations_bench(const DataSet& data,
                                              const OperationsOptions& options) {
  std::error_code error;
  if (!fs::create_directories(options.directory, error)) {
    return fail(ErrorCode::kAlreadyExists, options.directory + ": expected a new directory");
  }
  const std::uint16_t port = drive::free_port();
  if (port == 0) return fail(ErrorCode::kUnavailable, "no free port on 127.0.0.1");
  return OperationsBench(data, options, port).run();
}

}  // namespace vz::bench
