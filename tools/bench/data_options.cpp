#include "tools/bench/data_options.h"

#include <cstdio>

#include <CLI/CLI.hpp>

namespace vz::bench {
namespace {

Result<DataSet> read_or_generate(const DataOptions& options) {
  if (!options.generate.empty()) {
    std::uint32_t rows = 0, dimension = 0;
    if (std::sscanf(options.generate.c_str(), "%ux%u", &rows, &dimension) != 2 || rows == 0 ||
        dimension == 0) {
      return fail(ErrorCode::kInvalidArgument,
                  "--generate: expected ROWSxDIMENSION, found " + options.generate);
    }
    return generate(rows, dimension, options.query_count);
  }
  if (options.base.empty() || options.queries.empty()) {
    return fail(ErrorCode::kInvalidArgument, "give --generate, or --base and --queries");
  }
  DataSet data;
  data.name = options.base;
  VZ_TRY_ASSIGN(data.base, read_fbin(options.base));
  VZ_TRY_ASSIGN(data.queries, read_fbin(options.queries));
  if (data.base.dimension != data.queries.dimension) {
    return fail(ErrorCode::kInvalidArgument, "queries and base differ in dimension");
  }
  return data;
}

}  // namespace

void add_data_options(CLI::App& command, DataOptions& options) {
  auto* base =
      command.add_option("--base", options.base, "Vectors, .fbin")->check(CLI::ExistingFile);
  command.add_option("--queries", options.queries, "Queries, .fbin")->check(CLI::ExistingFile);
  command.add_option("--truth", options.truth, "Exact answers, .ibin; computed if absent")
      ->check(CLI::ExistingFile);
  command.add_option("--generate", options.generate, "ROWSxDIMENSION of clustered vectors")
      ->excludes(base);
  command.add_option("--query-count", options.query_count, "Queries to generate")
      ->capture_default_str();
  command.add_option("--distance", options.distance)->capture_default_str();
}

Result<DataSet> load_data(const DataOptions& options, std::size_t k, unsigned threads) {
  const auto distance = vector::parse_distance(options.distance);
  if (!distance) return fail(ErrorCode::kInvalidArgument, "unknown distance " + options.distance);
  VZ_TRY_ASSIGN(DataSet data, read_or_generate(options));
  data.distance = *distance;
  prepare(data);
  if (options.truth.empty()) {
    data.answers = exact_answers(data, data.queries.rows, k, threads, {});
    return data;
  }
  VZ_TRY_ASSIGN(data.answers, read_ibin(options.truth, data.base.rows));
  if (data.answers.size() < data.queries.rows) {
    return fail(ErrorCode::kInvalidArgument, options.truth + ": fewer answers than queries");
  }
  return data;
}

}  // namespace vz::bench
