// vz_bench offline: check, pack, verify and restore beside cat, tar and zstd.
#include <cstdio>
#include <memory>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "tools/bench/commands.h"
#include "tools/bench/json_file.h"
#include "tools/bench/offline_bench.h"

namespace vz::bench {
namespace {

constexpr double kMebi = 1 << 20;

struct Options {
  OfflineOptions bench;
  std::string generate = "250000x768";  // A volume of 1 GiB.
  std::string json;
};

double mebibytes(std::uint64_t bytes) {
  return static_cast<double>(bytes) / kMebi;
}

void print_table(const OfflineReport& report) {
  std::printf("volume %.0f MiB, archive %.0f MiB; warm, in turns, medians\n\n",
              mebibytes(report.volume_bytes), mebibytes(report.archive_bytes));
  std::printf("%-20s %9s %9s %9s %7s  %-16s %s\n", "command", "seconds", "MiB/s", "peer s", "ratio",
              "goal", "memory MiB (goal 256)");
  for (const OfflineRow& row : report.rows) {
    char ratio[32] = "", goal[64] = "", peer[32] = "";
    if (!row.peer.empty()) {
      std::snprintf(ratio, sizeof ratio, "%.2f x", row.ratio);
      std::snprintf(peer, sizeof peer, "%.2f", row.peer_seconds);
    }
    if (row.goal) {
      std::snprintf(goal, sizeof goal, "%.1f x %s", *row.goal,
                    row.ratio >= *row.goal ? "met" : "missed");
    }
    std::printf("%-20s %9.2f %9.0f %9s %7s  %-16s %.0f %s\n", row.what.c_str(), row.seconds,
                mebibytes(report.volume_bytes) / row.seconds, peer, ratio, goal,
                mebibytes(row.memory_bytes),
                row.memory_bytes <= kOfflineMemoryGoal ? "met" : "missed");
  }
  std::printf("\n");
  for (const OfflineRow& row : report.rows) {
    if (!row.peer.empty()) std::printf("peer of %s: %s\n", row.what.c_str(), row.peer.c_str());
  }
}

Status write_json(const OfflineReport& report, const std::string& path) {
  nlohmann::json rows = nlohmann::json::array();
  for (const OfflineRow& row : report.rows) {
    nlohmann::json one = {
        {"what", row.what}, {"seconds", row.seconds}, {"memory_bytes", row.memory_bytes}};
    if (!row.peer.empty()) {
      one["peer"] = row.peer;
      one["peer_seconds"] = row.peer_seconds;
      one["ratio"] = row.ratio;
    }
    if (row.goal) one["goal"] = *row.goal;
    rows.push_back(std::move(one));
  }
  return write_json_file({{"volume_bytes", report.volume_bytes},
                          {"archive_bytes", report.archive_bytes},
                          {"rows", rows}},
                         path);
}

Status run(Options options) {
  if (std::sscanf(options.generate.c_str(), "%ux%u", &options.bench.rows,
                  &options.bench.dimension) != 2 ||
      options.bench.rows == 0 || options.bench.dimension == 0) {
    return fail(ErrorCode::kInvalidArgument,
                "--generate: expected ROWSxDIMENSION, found " + options.generate);
  }
  VZ_TRY_ASSIGN(const OfflineReport report, run_offline_bench(options.bench));
  print_table(report);
  return options.json.empty() ? Status() : write_json(report, options.json);
}

}  // namespace

void add_offline_command(CLI::App& app, Status& outcome) {
  auto options = std::make_shared<Options>();  // Shared with the callback, which outlives this.
  auto& command = *app.add_subcommand("offline", "check, pack, verify and restore of a volume");
  OfflineOptions& bench = options->bench;
  bench.directory = "/tmp/vz_bench_offline";
  command.add_option("--binary", bench.binary, "vectorizerctl")
      ->required()
      ->check(CLI::ExistingFile);
  command.add_option("--generate", options->generate, "ROWSxDIMENSION of the volume's vectors")
      ->capture_default_str();
  command.add_option("--directory", bench.directory, "For the volume and its archives; stays")
      ->capture_default_str();
  command.add_flag("--reuse", bench.reuse, "The volume that the last run made in --directory");
  command.add_option("--rounds", bench.rounds, "Of each pair")
      ->check(CLI::Range(1u, 100u))
      ->capture_default_str();
  command.add_option("--json", options->json, "Also write the results to this file");
  command.callback([options, &outcome] { outcome = run(*options); });
}

}  // namespace vz::bench
