// vectorizerctl bench recall COLLECTION: how much of the exact answers a node finds, and how fast.
#include <memory>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/commands/bench_shared.h"
#include "engine/limits.h"
#include "tools/bench/live_search.h"

namespace vz::cli {
namespace {

using nlohmann::ordered_json;

constexpr std::string_view kCommand = "bench recall";

constexpr std::string_view kFooter =
    "Example:\n"
    "  vectorizerctl bench recall words --limit 10 --ef 32,64,128,256\n\n"
    "A row for each ef: the share of the node's own exact answers that it finds, points of equal\n"
    "score being equally right, and the speed over one connection. Points of the collection that\n"
    "serve as queries find themselves in both.\n\n";

struct Options {
  NodeOptions node;
  QueryOptions query;
  bench::LiveRecallOptions recall;
};

ordered_json row_of(const bench::LiveRecall& one) {
  ordered_json row = {
      {"ef", one.ef}, {"recall", rounded(one.recall, 4)}, {"qps", rounded(one.search.qps, 1)}};
  add_latency(one.search.latency, row);
  row["errors"] = one.search.errors;
  row["distances_per_query"] = one.search.distances_per_query
                                   ? ordered_json(rounded(*one.search.distances_per_query, 1))
                                   : ordered_json();
  return row;
}

Result<ordered_json> run(const Options& options, Context& context) {
  const auto talk = talk_of(context, std::string(kCommand));
  VZ_TRY_ASSIGN(const Queries queries, load_queries(options.node, options.query, talk));
  bench::LiveRecallOptions recall = options.recall;
  recall.limit = options.query.limit;
  recall.filter = options.query.filter;
  VZ_TRY_ASSIGN(const auto found,
                bench::measure_live_recall(queries.collection, queries.vectors, recall, talk));
  ordered_json out = {{"schema", "vectorizerctl.bench.recall/1"},
                      {"endpoint", queries.collection.endpoint.base_url()},
                      {"collection", queries.collection.name},
                      {"points", queries.collection.shape.points},
                      {"indexed_points", queries.collection.shape.indexed_points},
                      {"dimension", queries.collection.shape.dimension},
                      {"distance", queries.collection.shape.distance},
                      {"queries", queries.vectors.rows},
                      {"queries_from", queries.source},
                      {"limit", options.query.limit}};
  out["filter"] = recall.filter.empty() ? ordered_json() : ordered_json::parse(recall.filter);
  out["rows"] = ordered_json::array();
  for (const auto& one : found) {
    out["rows"].push_back(row_of(one));
    if (one.search.errors > 0) context.exit_code = ExitCode::kPartial;
  }
  return out;
}

}  // namespace

void add_bench_recall_command(CLI::App& bench, Context& context) {
  auto options = std::make_shared<Options>();  // Shared with the callback, which outlives this.
  auto& command = *bench.add_subcommand("recall", "Share of the exact answers found, by ef");
  add_query_options(command, options->query);
  command.add_option("--ef", options->recall.efs, "Values of hnsw_ef, separated by commas")
      ->delimiter(',')
      ->check(CLI::Range(std::size_t{1}, limits::kEfSearchMax))
      ->default_str("32,64,128,256");
  command.add_option("--seconds", options->recall.seconds, "Of the speed at each ef")
      ->check(CLI::Range(0.1, 3600.0))
      ->capture_default_str();
  add_node_options(command, options->node);
  command.footer(std::string(kFooter) + exit_code_help());
  command.callback([options, &context] {
    finish(run(*options, context), kCommand, options->node.output, context);
  });
}

}  // namespace vz::cli
