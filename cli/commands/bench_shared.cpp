#include "cli/commands/bench_shared.h"

#include <cmath>
#include <ostream>
#include <utility>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/client/endpoint.h"
#include "cli/context/talk.h"
#include "engine/limits.h"

namespace vz::cli {
namespace {

constexpr int kLatencyDigits = 3;  ///< of milliseconds

/// Errors: kInvalidArgument. What the filter means is the node's to say.
Status check_filter(const std::string& filter) {
  if (filter.empty() || nlohmann::json::parse(filter, nullptr, false).is_object()) return {};
  return fail(ErrorCode::kInvalidArgument,
              "--filter is not a JSON object, such as "
              R"({"must":[{"key":"tag","match":{"value":"t1"}}]})");
}

}  // namespace

void add_node_options(CLI::App& command, NodeOptions& options) {
  add_endpoint_option(command, options.endpoint);
  add_output_option(command, options.output);
}

void add_query_options(CLI::App& command, QueryOptions& options) {
  command.add_option("COLLECTION", options.collection, "Collection to search")->required();
  auto* file = command.add_option("--queries", options.file, "Query vectors, a .fbin file");
  command
      .add_option("--sample", options.sample,
                  "Else: so many of the collection's own points, the first by id")
      ->check(CLI::Range(1u, 100'000u))
      ->excludes(file)
      ->capture_default_str();
  command.add_option("--limit", options.limit, "Points that each search asks for")
      ->check(CLI::Range(std::size_t{1}, limits::kLimitMax))
      ->capture_default_str();
  command.add_option("--filter", options.filter, "Filter of each search, JSON");
}

Result<Queries> load_queries(const NodeOptions& node, const QueryOptions& options,
                             const bench::Talk& talk) {
  VZ_TRY(check_filter(options.filter));
  Queries out;
  VZ_TRY_ASSIGN(out.collection.endpoint, parse_endpoint(node.endpoint));
  out.collection.name = options.collection;
  VZ_TRY_ASSIGN(out.collection.shape,
                require_collection(out.collection.endpoint, options.collection));
  const drive::CollectionShape& shape = out.collection.shape;
  if (shape.indexed_points < shape.points) {
    talk("only " + std::to_string(shape.indexed_points) + " of " + std::to_string(shape.points) +
         " points are indexed yet; searches compare the others one by one");
  }
  if (options.file.empty()) {
    out.source = "points of the collection";
    VZ_TRY_ASSIGN(out.vectors, bench::queries_of_points(out.collection, options.sample));
  } else {
    out.source = options.file;
    VZ_TRY_ASSIGN(out.vectors, bench::queries_of_file(out.collection, options.file));
  }
  return out;
}

bench::Talk talk_of(Context& context, std::string command) {
  return [&context, command = std::move(command)](std::string_view line) {
    context.err << "vectorizerctl " << command << ": " << line << std::endl;
  };
}

void finish(const Result<nlohmann::ordered_json>& outcome, std::string_view command,
            OutputFormat format, Context& context) {
  if (outcome) {
    print_result(*outcome, format, context.out);
    return;
  }
  report_error(with_endpoint_hint(outcome.error()), command, context);
}

double rounded(double value, int digits) {
  const double scale = std::pow(10, digits);
  return std::round(value * scale) / scale;
}

void add_latency(const bench::Latency& latency, nlohmann::ordered_json& out) {
  out["p50_ms"] = rounded(latency.p50_ms, kLatencyDigits);
  out["p90_ms"] = rounded(latency.p90_ms, kLatencyDigits);
  out["p99_ms"] = rounded(latency.p99_ms, kLatencyDigits);
  out["max_ms"] = rounded(latency.max_ms, kLatencyDigits);
}

}  // namespace vz::cli
