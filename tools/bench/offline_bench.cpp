#include "tools/bench/offline_bench.h"

#include <algorithm>
#include <filesystem>

#include "tools/bench/data_set.h"
#include "tools/bench/ingest.h"
#include "tools/bench/statistics.h"
#include "tools/bench/timed_child.h"
#include "tools/drive/collection_api.h"
#include "tools/drive/server_process.h"

namespace vz::bench {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

constexpr int kNodeTimeoutMs = 600'000;
constexpr long kCallTimeoutMs = 60'000;
constexpr unsigned kSeed = 11;
constexpr std::uint32_t kRowsPerDraw = 20'000;

/// One of our commands and its peer. `prepare` runs before each of them, untimed.
struct Pair {
  std::string what;
  Words ours;
  std::string peer;  ///< for sh; "" if there is none
  std::optional<double> goal{};
  Words prepare{};
};

class OfflineBench {
 public:
  explicit OfflineBench(const OfflineOptions& options)
      : options_(options), volume_(options.directory + "/data") {}

  Result<OfflineReport> run() {
    if (!options_.reuse) VZ_TRY(make_volume());
    OfflineReport report{.volume_bytes = bytes_below(volume_)};
    for (const Pair& pair : pairs()) {
      VZ_TRY_ASSIGN(auto row, measure(pair));
      report.rows.push_back(std::move(row));
      if (pair.ours[2] == "pack") report.archive_bytes = fs::file_size(archive());
    }
    return report;
  }

 private:
  const OfflineOptions& options_;
  std::string volume_;

  [[nodiscard]] std::string below(const std::string& name) const {
    return options_.directory + "/" + name;
  }
  [[nodiscard]] std::string archive() const { return below("volume.tar.zst"); }

  /// A node writes it and stops in good order.
  Status make_volume() {
    const std::uint16_t port = drive::free_port();
    if (port == 0) return fail(ErrorCode::kUnavailable, "no free port on 127.0.0.1");
    drive::ServerProcess server({.binary = options_.binary,
                                 .data_dir = volume_,
                                 .log_file = below("server.log"),
                                 .port = port,
                                 .arguments = {}});
    VZ_TRY(server.start());
    VZ_TRY(server.wait_ready(kNodeTimeoutMs));
    drive::HttpClient http(server.base_url(), kCallTimeoutMs);
    VZ_TRY(drive::create_collection(http, kCollection, options_.dimension, "Cosine"));
    ClusteredVectors vectors(options_.dimension, kSeed);
    for (std::uint32_t first = 0; first < options_.rows; first += kRowsPerDraw) {
      const std::uint32_t rows = std::min(kRowsPerDraw, options_.rows - first);
      const Matrix base = vectors.draw(rows);
      VZ_TRY(ingest(make_upserts(base, rows, first, {.endpoint = {.port = port}}), base, 4));
    }
    VZ_TRY(await_indexed(http, options_.rows));
    return server.stop(kNodeTimeoutMs);
  }

  [[nodiscard]] std::vector<Pair> pairs() const {
    const std::string& ctl = options_.binary;
    const std::string data = quoted(volume_), copy = below("copy"), other = below("other");
    const std::string peer_archive = quoted(below("peer.tar.zst"));
    const Words clear = {"rm", "-rf", copy, other};
    return {
        {.what = "check, level 2",
         .ours = {ctl, "data", "check", volume_},
         .peer = "find " + data + " -type f -exec cat {} + > /dev/null",
         .goal = 0.7},
        {.what = "check, level 3", .ours = {ctl, "data", "check", "--deep", volume_}, .peer = ""},
        {.what = "pack to tar.zst",
         .ours = {ctl, "snapshot", "pack", volume_, "-o", archive()},
         .peer = "tar -C " + data + " -c . | zstd -q -T2 -3 -f -o " + peer_archive,
         .goal = 0.8,
         .prepare = {"rm", "-f", archive(), archive() + ".sha256"}},
        {.what = "verify the archive", .ours = {ctl, "snapshot", "verify", archive()}, .peer = ""},
        {.what = "restore",
         .ours = {ctl, "snapshot", "restore", archive(), "--data-dir", copy},
         .peer = "mkdir " + quoted(other) + " && tar -C " + quoted(other) + " --zstd -xf " +
                 quoted(archive()),
         .goal = 0.6,
         .prepare = clear},
    };
  }

  Result<OfflineRow> measure(const Pair& pair) const {
    OfflineRow row{.what = pair.what, .peer = pair.peer, .goal = pair.goal};
    std::vector<double> ours, peers, ratios;
    const std::string log = below("commands.log");
    for (unsigned round = 0; round < options_.rounds; ++round) {
      if (!pair.prepare.empty()) VZ_TRY(run_timed(pair.prepare, log));
      VZ_TRY_ASSIGN(const TimedRun mine, run_timed(pair.ours, log));
      ours.push_back(mine.seconds);
      row.memory_bytes = std::max(row.memory_bytes, mine.memory_bytes);
      if (pair.peer.empty()) continue;
      VZ_TRY_ASSIGN(const TimedRun other, run_timed({"/bin/sh", "-c", pair.peer}, log));
      peers.push_back(other.seconds);
      ratios.push_back(other.seconds / mine.seconds);
    }
    row.seconds = median(ours);
    row.peer_seconds = median(peers);
    row.ratio = median(ratios);
    return row;
  }
};

}  // namespace

Result<OfflineReport> run_offline_bench(const OfflineOptions& options) {
  std::error_code error;
  const bool made = fs::create_directories(options.directory, error);
  if (error) return fail(ErrorCode::kIoError, options.directory + ": " + error.message());
  if (!made && !options.reuse) {
    return fail(ErrorCode::kAlreadyExists,
                options.directory + ": expected a new directory, or --reuse");
  }
  return OfflineBench(options).run();
}

}  // namespace vz::bench
