#include "tools/bench/live_search.h"

#include <algorithm>
#include <utility>

#include "tools/bench/load_loop.h"
#include "tools/bench/score_recall.h"
#include "tools/drive/answer.h"

namespace vz::bench {
namespace {

using drive::HttpClient;
using drive::Scored;

constexpr long kTimeoutMs = 60'000;

/// Each query's answer, in order, over one connection.
Result<std::vector<std::vector<Scored>>> answers_of(HttpClient& http,
                                                    const LiveCollection& collection,
                                                    const Matrix& queries, const SearchKind& kind) {
  const std::string path = drive::collection_path(collection.name) + "/points/query";
  std::vector<std::vector<Scored>> answers;
  for (std::uint32_t row = 0; row < queries.rows; ++row) {
    const std::string body =
        drive::search_body(queries.row(row), kind.filter, kind.limit, kind.accuracy, kind.ef);
    VZ_TRY_ASSIGN(const auto answer, http.request("POST", path, body));
    VZ_TRY_ASSIGN(auto scored, drive::scored_of_answer(answer));
    answers.push_back(std::move(scored));
  }
  return answers;
}

std::optional<double> distances_between(const drive::CollectionNumbers& before,
                                        const drive::CollectionNumbers& after) {
  if (!after.exists || after.searches <= before.searches) return std::nullopt;
  return static_cast<double>(after.distance_evaluations - before.distance_evaluations) /
         static_cast<double>(after.searches - before.searches);
}

Order order_of(const LiveCollection& collection) {
  const auto distance = vector::parse_distance(collection.shape.distance);
  return distance && !vector::larger_is_better(*distance) ? Order::kSmallerIsNearer
                                                          : Order::kLargerIsNearer;
}

double mean_recall(const std::vector<std::vector<Scored>>& found,
                   const std::vector<std::vector<Scored>>& exact, Order order) {
  double sum = 0;
  for (std::size_t query = 0; query < exact.size(); ++query)
    sum += recall_by_score(found[query], exact[query], order);
  return sum / static_cast<double>(exact.size());
}

}  // namespace

Result<LiveSearch> measure_live_search(const LiveCollection& collection, const Matrix& queries,
                                       const LiveSearchOptions& options) {
  HttpClient http(collection.endpoint, kTimeoutMs);
  const Matrix first{1, queries.dimension, {queries.row(0).begin(), queries.row(0).end()}};
  VZ_TRY(answers_of(http, collection, first, options.kind));

  const std::vector<std::string> requests = search_requests(collection, queries, options.kind);
  const LoopOptions loop{.endpoint = collection.endpoint,
                         .connections = options.connections,
                         .duration = std::chrono::duration<double>(options.seconds),
                         .refusals = Refusals::kAreCounted};
  VZ_TRY_ASSIGN(const auto before, drive::collection_numbers(http, collection.name));
  VZ_TRY_ASSIGN(Load load, options.rate > 0 ? open_loop(loop, options.rate, requests)
                                            : closed_loop(loop, requests));
  VZ_TRY_ASSIGN(const auto after, drive::collection_numbers(http, collection.name));
  return LiveSearch{.seconds = load.seconds,
                    .requests = load.micros.size() + load.refused,
                    .errors = load.refused,
                    .first_error = load.first_refusal,
                    .qps = load.per_second,
                    .latency = latency_of(load.micros),
                    .histogram = histogram_of(load.micros),
                    .distances_per_query = distances_between(before, after)};
}

Result<std::vector<LiveRecall>> measure_live_recall(const LiveCollection& collection,
                                                    const Matrix& queries,
                                                    const LiveRecallOptions& options,
                                                    const Talk& talk) {
  HttpClient http(collection.endpoint, kTimeoutMs);
  SearchKind kind{
      .limit = options.limit, .accuracy = drive::Accuracy::kExact, .filter = options.filter};
  talk("exact answers of " + std::to_string(queries.rows) + " queries");
  VZ_TRY_ASSIGN(const auto exact, answers_of(http, collection, queries, kind));
  if (std::all_of(exact.begin(), exact.end(), [](const auto& one) { return one.empty(); })) {
    return fail(ErrorCode::kFailedPrecondition,
                "the filter passes no point of collection '" + collection.name + "'");
  }
  kind.accuracy = drive::Accuracy::kDefault;
  std::vector<LiveRecall> rows;
  for (const std::size_t ef : options.efs) {
    talk("ef " + std::to_string(ef));
    kind.ef = ef;
    VZ_TRY_ASSIGN(const auto found, answers_of(http, collection, queries, kind));
    VZ_TRY_ASSIGN(auto search, measure_live_search(collection, queries,
                                                   {.kind = kind, .seconds = options.seconds}));
    rows.push_back({.ef = ef,
                    .recall = mean_recall(found, exact, order_of(collection)),
                    .search = std::move(search)});
  }
  return rows;
}

}  // namespace vz::bench
