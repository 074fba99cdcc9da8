#include "tools/bench/live_queries.h"

#include <utility>

#include "tools/bench/load_client.h"

namespace vz::bench {
namespace {

constexpr long kTimeoutMs = 60'000;

}  // namespace

Result<Matrix> queries_of_file(const LiveCollection& collection, const std::string& path) {
  auto queries = read_fbin(path);
  if (!queries) {
    if (queries.error().code == ErrorCode::kNotFound) return queries;
    return fail(ErrorCode::kInvalidArgument,
                queries.error().message +
                    "; expected .fbin: int32 rows, int32 dimension, then float32 row by row");
  }
  if (queries->dimension != collection.shape.dimension) {
    return fail(ErrorCode::kInvalidArgument,
                path + ": queries have " + std::to_string(queries->dimension) +
                    " dimensions, collection '" + collection.name + "' has " +
                    std::to_string(collection.shape.dimension));
  }
  for (std::uint32_t row = 0; row < queries->rows; ++row) {
    if (vector::all_finite(std::as_const(*queries).row(row))) continue;
    return fail(ErrorCode::kInvalidArgument,
                path + ": row " + std::to_string(row) + " holds a value that is not finite");
  }
  return queries;
}

Result<Matrix> queries_of_points(const LiveCollection& collection, std::uint32_t count) {
  drive::HttpClient http(collection.endpoint, kTimeoutMs);
  const std::uint32_t dimension = collection.shape.dimension;
  VZ_TRY_ASSIGN(auto values, drive::first_vectors(http, collection.name, count, dimension));
  if (values.empty()) {
    return fail(ErrorCode::kFailedPrecondition,
                "collection '" + collection.name + "' has no point to take as a query");
  }
  const auto rows = static_cast<std::uint32_t>(values.size() / dimension);
  return Matrix{rows, dimension, std::move(values)};
}

std::vector<std::string> search_requests(const LiveCollection& collection, const Matrix& queries,
                                         const SearchKind& kind) {
  const std::string target = drive::collection_path(collection.name) + "/points/query";
  std::vector<std::string> requests;
  for (std::uint32_t row = 0; row < queries.rows; ++row) {
    requests.push_back(http_request(
        "POST", target, collection.endpoint,
        drive::search_body(queries.row(row), kind.filter, kind.limit, kind.accuracy, kind.ef)));
  }
  return requests;
}

}  // namespace vz::bench
