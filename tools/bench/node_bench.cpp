#include "tools/bench/node_bench.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <vector>

#include "tools/bench/statistics.h"
#include "tools/drive/collection_api.h"
#include "tools/drive/node_api.h"
#include "tools/drive/server_process.h"

namespace vz::bench {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr int kReadyTimeoutMs = 600'000;
constexpr long kCallTimeoutMs = 60'000;
constexpr std::uint32_t kPointsBeforeKill = 1'000;
constexpr unsigned kLogRounds = 3;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

/// Of hnswlib 0.6.2 with M 16: the vector, 32 links and their count, label, lock, and 1/15 of a
/// row of upper links.
std::uint64_t hnswlib_bytes(const Matrix& data) {
  constexpr std::uint64_t kLinks = 4 * (2 * 16 + 1), kLabel = 8, kPointer = 8, kUpper = 68 / 15;
  return data.rows * (std::uint64_t{4} * data.dimension + kLinks + kLabel + kPointer + kUpper);
}

double load_average() {
  double average = 0;
  return ::getloadavg(&average, 1) == 1 ? average : 0;
}

class NodeBench {
 public:
  NodeBench(const DataSet& data, const NodeOptions& options, std::uint16_t port)
      : data_(data),
        options_(options),
        port_(port),
        server_({.binary = options.binary,
                 .data_dir = options.directory + "/data",
                 .log_file = options.directory + "/server.log",
                 .port = port,
                 .arguments = {}}) {}

  Result<NodeReport> run() {
    report_ = {.data = data_.name,
               .distance = std::string(vector::distance_name(data_.distance)),
               .rows = data_.base.rows,
               .dimension = data_.base.dimension,
               .queries = data_.queries.rows,
               .connections = options_.connections,
               .batch = options_.batch,
               .load_average = load_average(),
               .hnswlib_bytes = hnswlib_bytes(data_.base)};
    VZ_TRY(measure_empty());
    const Upserts upserts = make_upserts(data_.base, data_.base.rows, 0, target());
    VZ_TRY(measure_log(upserts.payload_bytes));
    VZ_TRY(measure_ingest(upserts));
    VZ_TRY_ASSIGN(report_.recall, measure_recall(data_, port_));
    VZ_TRY_ASSIGN(report_.searches,
                  measure_searches(data_, {.port = port_,
                                           .connections = options_.connections,
                                           .rounds = options_.rounds,
                                           .seconds = options_.seconds,
                                           .rate = options_.rate,
                                           .in_process_qps = options_.in_process_qps}));
    VZ_TRY_ASSIGN(report_.memory, read_memory(server_.pid()));
    VZ_TRY(server_.stop(kReadyTimeoutMs));
    VZ_TRY_ASSIGN(report_.clean_start_ms, measure_starts());
    VZ_TRY(measure_kill());
    return report_;
  }

 private:
  const DataSet& data_;
  const NodeOptions& options_;
  std::uint16_t port_;
  drive::ServerProcess server_;
  NodeReport report_;

  [[nodiscard]] UpsertTarget target() const {
    return {.endpoint = {.port = port_}, .batch = options_.batch};
  }

  /// Milliseconds from the process's start until it is ready; it stays up.
  Result<double> start() {
    const auto begin = Clock::now();
    VZ_TRY(server_.start());
    VZ_TRY(server_.wait_ready(kReadyTimeoutMs));
    return 1e3 * seconds_since(begin);
  }

  /// Median of the starts, with a clean stop after each.
  Result<double> measure_starts() {
    std::vector<double> took_ms;
    for (unsigned i = 0; i < options_.starts; ++i) {
      VZ_TRY_ASSIGN(const double ms, start());
      took_ms.push_back(ms);
      VZ_TRY(server_.stop(kReadyTimeoutMs));
    }
    return median(took_ms);
  }

  Status measure_empty() {
    VZ_TRY_ASSIGN(report_.empty_start_ms, measure_starts());
    VZ_TRY(start());
    VZ_TRY_ASSIGN(report_.empty_memory, read_memory(server_.pid()));
    return server_.stop(kReadyTimeoutMs);
  }

  Status measure_log(std::uint64_t payload_bytes) {
    std::vector<double> points, megabytes;
    for (unsigned round = 0; round < kLogRounds; ++round) {
      const std::string directory = options_.directory + "/log-floor";
      VZ_TRY_ASSIGN(const LogFloor floor, measure_log_floor(data_.base, payload_bytes,
                                                            {.directory = directory,
                                                             .batch = options_.batch,
                                                             .connections = options_.connections}));
      points.push_back(floor.points_per_second);
      megabytes.push_back(floor.megabytes_per_second);
      std::error_code ignored;
      fs::remove_all(directory, ignored);
    }
    report_.log_floor = {.points_per_second = median(points),
                         .megabytes_per_second = median(megabytes)};
    return {};
  }

  Status measure_ingest(const Upserts& upserts) {
    VZ_TRY(start());
    drive::HttpClient http(server_.base_url(), kCallTimeoutMs);
    VZ_TRY(drive::create_collection(http, kCollection, data_.base.dimension,
                                    vector::distance_name(data_.distance)));
    VZ_TRY_ASSIGN(report_.ingest, ingest(upserts, data_.base, options_.connections));
    VZ_TRY_ASSIGN(report_.indexed_seconds, await_indexed(http, data_.base.rows));
    return {};
  }

  Status measure_kill() {
    VZ_TRY(start());
    const std::uint32_t rows = std::min(kPointsBeforeKill, data_.base.rows);
    const Upserts more = make_upserts(data_.base, rows, data_.base.rows, target());
    VZ_TRY(ingest(more, data_.base, options_.connections));
    VZ_TRY(server_.kill_now());
    report_.killed_points = rows;
    VZ_TRY_ASSIGN(report_.killed_start_ms, start());
    drive::HttpClient http(server_.base_url(), kCallTimeoutMs);
    VZ_TRY(expect_points(http, data_.base.rows + rows));
    return server_.stop(kReadyTimeoutMs);
  }
};

}  // namespace

Result<NodeReport> run_node_bench(const DataSet& data, const NodeOptions& options) {
  std::error_code error;
  if (!fs::create_directories(options.directory, error)) {
    return fail(ErrorCode::kAlreadyExists, options.directory + ": expected a new directory");
  }
  const std::uint16_t port = drive::free_port();
  if (port == 0) return fail(ErrorCode::kUnavailable, "no free port on 127.0.0.1");
  return NodeBench(data, options, port).run();
}

}  // namespace vz::bench
