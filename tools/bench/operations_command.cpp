// vz_bench operations: what checks, snapshots, scrapes and the query cache cost or gain a node.
#include <cstdio>
#include <filesystem>
#include <memory>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "tools/bench/commands.h"
#include "tools/bench/data_options.h"
#include "tools/bench/json_file.h"
#include "tools/bench/operations_bench.h"

namespace vz::bench {
namespace {

constexpr double kMebi = 1 << 20;
constexpr double kTailGoal = 2, kScrapedGoal = 0.98, kCacheGoal = 10;

struct Options {
  DataOptions data;
  OperationsOptions bench;
  std::string directory = "/tmp/vz_bench_operations";
  std::string json;
  unsigned threads = 2;
};

const char* verdict(bool met) {
  return met ? "met" : "missed";
}

void print_table(const OperationsReport& report) {
  std::printf("%s: %u x %u, volume %.0f MiB; medians of rounds in turns\n\n", report.data.c_str(),
              report.rows, report.dimension, static_cast<double>(report.volume_bytes) / kMebi);
  std::printf("search, closed loop, %u connections: %.0f QPS\n", report.connections,
              report.peak_qps);
  std::printf("  with a scrape of /metrics each second: %.3f x   goal >= %.2f %s\n",
              report.scraped_ratio, kScrapedGoal, verdict(report.scraped_ratio >= kScrapedGoal));
  std::printf("search, open loop, %.0f/s: p50 %.2f ms, p99 %.2f ms\n", report.rate,
              report.idle.p50_ms, report.idle.p99_ms);
  std::printf(
      "  beside %llu checks and %llu snapshots: p50 %.2f ms, p99 %.2f ms = %.2f x   "
      "goal <= %.0f %s\n",
      static_cast<unsigned long long>(report.checks),
      static_cast<unsigned long long>(report.snapshots), report.busy.p50_ms, report.busy.p99_ms,
      report.tail_ratio, kTailGoal, verdict(report.tail_ratio <= kTailGoal));
  std::printf("query in the node: %.1f us, from the cache %.1f us = %.1f x   goal >= %.0f %s\n",
              report.uncached_us, report.cached_us, report.uncached_us / report.cached_us,
              kCacheGoal, verdict(report.uncached_us / report.cached_us >= kCacheGoal));
  for (const SnapshotRow& row : report.archives) {
    std::printf("snapshot %-8s %.2f s, peer %.2f s = %.2f x   goal >= %.1f %s\n",
                row.format.c_str(), row.seconds, row.peer_seconds, row.ratio, row.goal,
                verdict(row.ratio >= row.goal));
  }
  for (const SnapshotRow& row : report.archives) {
    std::printf("peer of %s: %s\n", row.format.c_str(), row.peer.c_str());
  }
}

Status write_json(const OperationsReport& report, const std::string& path) {
  nlohmann::json archives = nlohmann::json::array();
  for (const SnapshotRow& row : report.archives) {
    archives.push_back({{"format", row.format},
                        {"seconds", row.seconds},
                        {"peer", row.peer},
                        {"peer_seconds", row.peer_seconds},
                        {"ratio", row.ratio},
                        {"goal", row.goal}});
  }
  const auto times = [](const Latency& latency) {
    return nlohmann::json{{"p50_ms", latency.p50_ms}, {"p99_ms", latency.p99_ms}};
  };
  const nlohmann::json out = {{"data", report.data},
                              {"rows", report.rows},
                              {"dimension", report.dimension},
                              {"connections", report.connections},
                              {"volume_bytes", report.volume_bytes},
                              {"peak_qps", report.peak_qps},
                              {"scraped_ratio", report.scraped_ratio},
                              {"rate", report.rate},
                              {"idle", times(report.idle)},
                              {"busy", times(report.busy)},
                              {"tail_ratio", report.tail_ratio},
                              {"checks", report.checks},
                              {"snapshots", report.snapshots},
                              {"uncached_us", report.uncached_us},
                              {"cached_us", report.cached_us},
                              {"archives", archives}};
  return write_json_file(out, path);
}

Status run(const Options& options) {
  VZ_TRY_ASSIGN(const DataSet data, load_data(options.data, 1, options.threads));
  OperationsOptions bench = options.bench;
  bench.directory = options.directory + "/" + std::to_string(::getpid());
  const auto report = run_operations_bench(data, bench);
  if (!report) return while_doing(report.error(), bench.directory + " (kept)");
  print_table(*report);
  if (!options.json.empty()) VZ_TRY(write_json(*report, options.json));
  std::error_code ignored;
  std::filesystem::remove_all(bench.directory, ignored);
  return {};
}

}  // namespace

void add_operations_command(CLI::App& app, Status& outcome) {
  auto options = std::make_shared<Options>();  // Shared with the callback, which outlives this.
  auto& command = *app.add_subcommand("operations",
                                      "What checks, snapshots and scrapes cost a node's searches");
  OperationsOptions& bench = options->bench;
  command.add_option("--binary", bench.binary, "vectorizerctl")
      ->required()
      ->check(CLI::ExistingFile);
  add_data_options(command, options->data);
  command
      .add_option("--directory", options->directory,
                  "For the node's data, in a new directory below; removed after success")
      ->capture_default_str();
  command.add_option("--connections", bench.connections, "Of the searches")
      ->check(CLI::Range(1u, 256u))
      ->capture_default_str();
  command.add_option("--rounds", bench.rounds, "Of each pair")
      ->check(CLI::Range(1u, 100u))
      ->capture_default_str();
  command.add_option("--seconds", bench.seconds, "Of each loop")
      ->check(CLI::Range(0.1, 600.0))
      ->capture_default_str();
  command
      .add_option("--load-share", bench.load_share,
                  "Of the peak: the load that the node carries while it is checked")
      ->check(CLI::Range(0.01, 1.0))
      ->capture_default_str();
  command.add_option("--threads", options->threads, "Of exact answers")->capture_default_str();
  command.add_option("--json", options->json, "Also write the results to this file");
  command.callback([options, &outcome] { outcome = run(*options); });
}

}  // namespace vz::bench
