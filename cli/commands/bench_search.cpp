// vectorizerctl bench search COLLECTION: how fast a node answers.
#include <algorithm>
#include <iomanip>
#include <memory>
#include <ostream>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/commands/bench_shared.h"
#include "engine/limits.h"
#include "tools/bench/live_search.h"

namespace vz::cli {
namespace {

using nlohmann::ordered_json;

constexpr std::string_view kCommand = "bench search";
constexpr std::size_t kBarColumns = 40;
constexpr unsigned kConnectionsMax = 256;

constexpr std::string_view kFooter =
    "Examples:\n"
    "  vectorizerctl bench search words --connections 8 --seconds 10\n"
    "  vectorizerctl bench search words --rate 500 --ef 64 -o json\n\n"
    "Without --rate each connection sends its next search when its last one was answered. With it\n"
    "so many are sent a second, and a latency counts from when its search was due.\n"
    "Answers other than 200 are counted as errors, and the exit status is 3 then.\n\n";

struct Options {
  NodeOptions node;
  QueryOptions query;
  std::size_t ef = 0;
  bool exact = false;
  unsigned connections = 1;
  double seconds = 5;
  double rate = 0;
};

ordered_json json_of(const Options& options, const Queries& queries,
                     const bench::LiveSearch& found) {
  ordered_json out = {{"schema", "vectorizerctl.bench.search/1"},
                      {"endpoint", queries.collection.endpoint.base_url()},
                      {"collection", queries.collection.name},
                      {"points", queries.collection.shape.points},
                      {"indexed_points", queries.collection.shape.indexed_points},
                      {"dimension", queries.collection.shape.dimension},
                      {"distance", queries.collection.shape.distance},
                      {"queries", queries.vectors.rows},
                      {"queries_from", queries.source},
                      {"limit", options.query.limit}};
  out["ef"] = options.ef > 0 ? ordered_json(options.ef) : ordered_json();
  out["exact"] = options.exact;
  out["filter"] =
      options.query.filter.empty() ? ordered_json() : ordered_json::parse(options.query.filter);
  out["connections"] = options.connections;
  out["rate"] = options.rate > 0 ? ordered_json(options.rate) : ordered_json();
  out["seconds"] = rounded(found.seconds, 3);
  out["requests"] = found.requests;
  out["errors"] = found.errors;
  out["first_error"] = found.errors > 0 ? ordered_json(found.first_error) : ordered_json();
  out["qps"] = rounded(found.qps, 1);
  add_latency(found.latency, out);
  out["distances_per_query"] = found.distances_per_query
                                   ? ordered_json(rounded(*found.distances_per_query, 1))
                                   : ordered_json();
  return out;
}

void print_histogram(const std::vector<bench::Bucket>& buckets, std::ostream& out) {
  std::size_t most = 1;
  for (const auto& bucket : buckets) most = std::max(most, bucket.count);
  out << '\n';
  for (const auto& bucket : buckets) {
    const std::size_t columns = (bucket.count * kBarColumns + most - 1) / most;
    out << "< " << std::right << std::setw(9) << std::fixed << std::setprecision(3)
        << bucket.below_ms << " ms  " << std::left << std::setw(kBarColumns)
        << std::string(columns, '#') << "  " << bucket.count << '\n';
  }
}

Result<bench::LiveSearch> measure(const Options& options, const Queries& queries) {
  return bench::measure_live_search(
      queries.collection, queries.vectors,
      {.kind = {.limit = options.query.limit,
                .ef = options.ef,
                .accuracy = options.exact ? drive::Accuracy::kExact : drive::Accuracy::kDefault,
                .filter = options.query.filter},
       .connections = options.connections,
       .seconds = options.seconds,
       .rate = options.rate});
}

Result<ordered_json> run(const Options& options, const bench::Talk& talk,
                         bench::LiveSearch& found) {
  VZ_TRY_ASSIGN(const Queries queries, load_queries(options.node, options.query, talk));
  VZ_TRY_ASSIGN(found, measure(options, queries));
  return json_of(options, queries, found);
}

}  // namespace

void add_bench_search_command(CLI::App& bench, Context& context) {
  auto options = std::make_shared<Options>();  // Shared with the callback, which outlives this.
  auto& command = *bench.add_subcommand("search", "Searches a second, and what each takes");
  add_query_options(command, options->query);
  auto* ef = command.add_option("--ef", options->ef, "hnsw_ef of each search; else the node's own")
                 ->check(CLI::Range(std::size_t{1}, limits::kEfSearchMax));
  command.add_flag("--exact", options->exact, "Compare every point instead of walking the graph")
      ->excludes(ef);
  command.add_option("--connections", options->connections, "Connections, a thread each")
      ->check(CLI::Range(1u, kConnectionsMax))
      ->capture_default_str();
  command.add_option("--seconds", options->seconds, "How long")
      ->check(CLI::Range(0.1, 3600.0))
      ->capture_default_str();
  command.add_option("--rate", options->rate, "Searches a second, of all connections")
      ->check(CLI::Range(0.1, 1e6));
  add_node_options(command, options->node);
  command.footer(std::string(kFooter) + exit_code_help());
  command.callback([options, &context] {
    bench::LiveSearch found;
    const auto talk = talk_of(context, std::string(kCommand));
    finish(run(*options, talk, found), kCommand, options->node.output, context);
    if (context.exit_code != ExitCode::kOk) return;
    if (context.out_is_terminal && options->node.output == OutputFormat::kTable)
      print_histogram(found.histogram, context.out);
    if (found.errors > 0) context.exit_code = ExitCode::kPartial;
  });
}

}  // namespace vz::cli
