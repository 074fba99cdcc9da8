#include "tools/quickstart_client/measure.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <vector>

namespace vz::quickstart {
namespace {

/// The smallest value that at least `share` of the sorted values do not exceed.
double quantile(const std::vector<double>& sorted, double share) {
  const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(sorted.size())));
  return sorted[std::clamp<std::size_t>(rank, 1, sorted.size()) - 1];
}

std::size_t found(std::span<const std::int32_t> expected, const std::vector<std::int64_t>& ids) {
  return static_cast<std::size_t>(std::count_if(ids.begin(), ids.end(), [&](std::int64_t id) {
    return std::find(expected.begin(), expected.end(), id) != expected.end();
  }));
}

}  // namespace

Result<Measurement> measure(drive::HttpClient& http, const std::string& collection,
                            const Matrix<float>& queries, const QuerySet& set,
                            drive::Accuracy accuracy) {
  VZ_TRY_ASSIGN(const auto before, drive::collection_numbers(http, collection));
  const std::string path = "/collections/" + collection + "/points/query";
  const std::size_t limit = set.answers.columns;
  std::size_t hits = 0;
  std::vector<double> times_ms;
  for (std::size_t query = 0; query < queries.rows; ++query) {
    const std::string body = drive::search_body(queries.row(query), set.filter, limit, accuracy);
    const auto began = std::chrono::steady_clock::now();
    VZ_TRY_ASSIGN(const auto answer, http.request("POST", path, body));
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - began;
    times_ms.push_back(took.count());
    VZ_TRY_ASSIGN(const auto ids, drive::ids_of_answer(answer));
    hits += found(set.answers.row(query), ids);
  }
  VZ_TRY_ASSIGN(const auto after, drive::collection_numbers(http, collection));
  const auto searches = after.searches - before.searches;
  const auto evaluations = after.distance_evaluations - before.distance_evaluations;
  if (searches < queries.rows || evaluations == 0) {
    return fail(ErrorCode::kInternal, "/stats counted " + std::to_string(searches) +
                                          " searches and " + std::to_string(evaluations) +
                                          " distance_evaluations for " +
                                          std::to_string(queries.rows) + " queries");
  }
  std::sort(times_ms.begin(), times_ms.end());
  return Measurement{
      .recall = static_cast<double>(hits) / static_cast<double>(queries.rows * limit),
      .evaluations_per_query = static_cast<double>(evaluations) / static_cast<double>(searches),
      .p50_ms = quantile(times_ms, 0.50),
      .p99_ms = quantile(times_ms, 0.99)};
}

}  // namespace vz::quickstart
