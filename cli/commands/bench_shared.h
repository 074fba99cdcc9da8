// What the commands `bench search`, `bench recall` and `bench insert` share.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "cli/client/endpoint.h"
#include "cli/context/context.h"
#include "cli/output/result.h"
#include "storage/base/status.h"
#include "tools/bench/live_queries.h"
#include "tools/bench/live_search.h"
#include "tools/bench/statistics.h"

namespace CLI {
class App;
}

namespace vz::cli {

void add_bench_search_command(CLI::App& bench, Context& context);
void add_bench_recall_command(CLI::App& bench, Context& context);
void add_bench_insert_command(CLI::App& bench, Context& context);

struct NodeOptions {
  EndpointOptions endpoint;
  OutputFormat output = OutputFormat::kTable;
};

/// Where queries come from, and what passes: of search and recall.
struct QueryOptions {
  std::string collection;
  std::string file;  ///< .fbin; empty: points of the collection
  std::uint32_t sample = 200;
  std::size_t limit = 10;
  std::string filter;
};

// `options` must outlive `command`.

void add_node_options(CLI::App& command, NodeOptions& options);
void add_query_options(CLI::App& command, QueryOptions& options);

/// A collection and queries for it.
struct Queries {
  bench::LiveCollection collection;
  bench::Matrix vectors;
  std::string source;  ///< the file, or "points of the collection"
};

/// Says so on `talk` if the index of the collection is still being built.
/// Errors: kInvalidArgument, kNotFound, kUnavailable, each with what to do.
Result<Queries> load_queries(const NodeOptions& node, const QueryOptions& options,
                             const bench::Talk& talk);

/// Lines on stderr that begin with the command.
bench::Talk talk_of(Context& context, std::string command);

/// Prints the result, or the error as one line on stderr; sets the exit status.
void finish(const Result<nlohmann::ordered_json>& outcome, std::string_view command,
            OutputFormat format, Context& context);

/// Rounded, so that tables and JSON show the same digits.
double rounded(double value, int digits);

/// Adds p50_ms, p90_ms, p99_ms and max_ms.
void add_latency(const bench::Latency& latency, nlohmann::ordered_json& out);

}  // namespace vz::cli
