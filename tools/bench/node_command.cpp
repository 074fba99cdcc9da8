// vz_bench node: a real node over HTTP, beside its own log and a server that does nothing.
#include <filesystem>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <unistd.h>

#include "tools/bench/commands.h"
#include "tools/bench/data_options.h"
#include "tools/bench/node_bench.h"

namespace vz::bench {
namespace {

struct Options {
  DataOptions data;
  NodeOptions node;
  std::string directory = "/tmp/vz_bench_node";
  std::string json;
  unsigned threads = 2;
};

Status run(const Options& options) {
  VZ_TRY_ASSIGN(const DataSet data, load_data(options.data, kSearchLimit, options.threads));
  NodeOptions node = options.node;
  node.directory = options.directory + "/" + std::to_string(::getpid());
  const auto report = run_node_bench(data, node);
  if (!report) return while_doing(report.error(), node.directory + " (kept)");
  print_table(*report);
  if (!options.json.empty()) VZ_TRY(write_json(*report, options.json));
  std::error_code ignored;
  std::filesystem::remove_all(node.directory, ignored);
  return {};
}

}  // namespace

void add_node_command(CLI::App& app, Status& outcome) {
  auto options = std::make_shared<Options>();  // Shared with the callback, which outlives this.
  auto& command = *app.add_subcommand("node", "A node over HTTP: starts, ingest, search, memory");
  NodeOptions& node = options->node;
  command.add_option("--binary", node.binary, "vectorizerctl")
      ->required()
      ->check(CLI::ExistingFile);
  add_data_options(command, options->data);
  command
      .add_option("--directory", options->directory,
                  "For the node's data, in a new directory below; removed after success")
      ->capture_default_str();
  command.add_option("--connections", node.connections, "Of ingest and search")
      ->check(CLI::Range(1u, 256u))
      ->capture_default_str();
  command.add_option("--batch", node.batch, "Points per upsert")
      ->check(CLI::Range(1u, 100'000u))
      ->capture_default_str();
  command.add_option("--starts", node.starts, "Starts of which the median counts")
      ->check(CLI::Range(1u, 100u))
      ->capture_default_str();
  command.add_option("--rounds", node.rounds, "Of each search loop")
      ->check(CLI::Range(1u, 100u))
      ->capture_default_str();
  command.add_option("--seconds", node.seconds, "Of each round")
      ->check(CLI::Range(0.1, 600.0))
      ->capture_default_str();
  command
      .add_option("--rate", node.rate,
                  "Also an open loop of so many searches a second, timed from when each was due")
      ->check(CLI::PositiveNumber);
  command
      .add_option("--in-process-qps", node.in_process_qps,
                  "QPS of the index alone on all cores, to compare with what HTTP leaves of it")
      ->check(CLI::PositiveNumber);
  command.add_option("--threads", options->threads, "Of exact answers")->capture_default_str();
  command.add_option("--json", options->json, "Also write the results to this file");
  command.callback([options, &outcome] { outcome = run(*options); });
}

}  // namespace vz::bench
