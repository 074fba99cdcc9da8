// vectorizerctl bench insert --points N --dimension D: how fast a node takes points in for good.
#include <memory>
#include <random>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/client/endpoint.h"
#include "cli/commands/bench_shared.h"
#include "cli/commands/collection_option.h"
#include "engine/limits.h"
#include "tools/bench/live_insert.h"

namespace vz::cli {
namespace {

using nlohmann::ordered_json;

constexpr std::string_view kCommand = "bench insert";
constexpr unsigned kConnectionsMax = 256;
constexpr std::uint32_t kPointsMax = 1u << 30;

constexpr std::string_view kFooter =
    "Examples:\n"
    "  vectorizerctl bench insert --points 100000 --dimension 384\n"
    "  vectorizerctl bench insert --points 20000 --dimension 100 --collection demo --keep\n\n"
    "Each batch is answered once it is on the disk and can be found. A collection that the "
    "command\n"
    "made is dropped at the end unless --keep is given; one that was there before stays, and is\n"
    "only written into with --yes: points 0 to N-1 of it are replaced then. A process that is\n"
    "killed leaves the collection behind; its name is on stderr.\n\n";

struct Options {
  NodeOptions node;
  bench::LiveInsertOptions insert;
  bool keep = false;
  bool yes = false;
};

std::string fresh_name() {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::random_device random;
  std::string name = "vectorizer-bench-";
  for (int i = 0; i < 8; ++i) name += kHex[random() % kHex.size()];
  return name;
}

Result<ordered_json> run(const Options& options, Context& context) {
  bench::LiveInsertOptions insert = options.insert;
  VZ_TRY_ASSIGN(insert.endpoint, parse_endpoint(options.node.endpoint));
  if (insert.collection.empty()) insert.collection = fresh_name();
  if (options.yes) insert.existing = bench::Existing::kWrittenInto;
  if (options.keep) insert.afterwards = bench::Afterwards::kKept;
  const auto talk = talk_of(context, std::string(kCommand));
  talk("into collection '" + insert.collection + "' at " + insert.endpoint.base_url());
  VZ_TRY_ASSIGN(const auto done, bench::measure_live_insert(insert, talk));
  ordered_json out = {{"schema", "vectorizerctl.bench.insert/1"},
                      {"endpoint", insert.endpoint.base_url()},
                      {"collection", insert.collection},
                      {"kept", done.kept},
                      {"points", insert.points},
                      {"dimension", insert.dimension},
                      {"distance", insert.distance},
                      {"batch", insert.batch},
                      {"connections", insert.connections},
                      {"seconds", rounded(done.seconds, 3)},
                      {"points_per_second", rounded(done.points_per_second, 1)},
                      {"json_mb_per_second", rounded(done.megabytes_per_second, 2)}};
  add_latency(done.latency, out);
  return out;
}

}  // namespace

void add_bench_insert_command(CLI::App& bench, Context& context) {
  auto options = std::make_shared<Options>();  // Shared with the callback, which outlives this.
  auto& command = *bench.add_subcommand("insert", "Durable points a second");
  bench::LiveInsertOptions& insert = options->insert;
  command.add_option("--points", insert.points, "Clustered vectors to make up and write")
      ->required()
      ->check(CLI::Range(1u, kPointsMax));
  command.add_option("--dimension", insert.dimension, "Of each")
      ->required()
      ->check(CLI::Range(1u, limits::kDimensionMax));
  add_collection_option(command, insert.collection,
                        "Where to; default: a new one, vectorizer-bench-<random>");
  command.add_option("--distance", insert.distance, "Of a new collection")
      ->check(CLI::IsMember({"Cosine", "Dot", "Euclid", "Manhattan"}))
      ->capture_default_str();
  command.add_option("--batch", insert.batch, "Points per request")
      ->check(CLI::Range(1u, static_cast<unsigned>(limits::kPointsPerWriteMax)))
      ->capture_default_str();
  command.add_option("--connections", insert.connections, "Connections, a thread each")
      ->check(CLI::Range(1u, kConnectionsMax))
      ->capture_default_str();
  command.add_flag("--keep", options->keep, "Leave the new collection there");
  command.add_flag("-y,--yes", options->yes, "Write into a collection that exists already");
  add_node_options(command, options->node);
  command.footer(std::string(kFooter) + exit_code_help());
  command.callback([options, &context] {
    finish(run(*options, context), kCommand, options->node.output, context);
  });
}

}  // namespace vz::cli
