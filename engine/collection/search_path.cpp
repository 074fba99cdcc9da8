// Search: view -> filter -> candidates of each part on codes -> float32 -> merge -> points.
#include <algorithm>
#include <chrono>

#include "engine/collection/live_collection.h"
#include "engine/collection/point_reader.h"
#include "engine/collection/top_candidates.h"
#include "engine/limits.h"

namespace vz::collection {
namespace {

/// Rows that are compared in float32 for each one wanted: codes lose a little, so the best ten are
/// among the best few dozen by codes.
constexpr std::size_t kRescoreFactor = 4;
constexpr std::size_t kRescoreMin = 40;
/// Rows that are fetched before they are compared.
constexpr std::size_t kRowsAhead = 4;

struct Hit {
  float similarity = 0;
  std::uint32_t row = 0;
  const Part* part = nullptr;
};

bool nearer(const Hit& a, const Hit& b) {
  if (a.similarity != b.similarity) return a.similarity > b.similarity;
  return a.part->id(a.row) < b.part->id(b.row);
}

/// A request resolved against one view.
struct Search {
  std::size_t column = 0;
  vector::Distance distance = vector::Distance::kCosine;
  std::vector<float> query;
  std::optional<PointId> left_out;  ///< the point that the query came from
  std::size_t ef = 0;
  std::size_t wanted = 0;  ///< best points to find: offset + limit, one more if one is left out
};

Status resolve_query(const View& view, const SearchRequest& request, Search& search) {
  if (const auto* values = std::get_if<std::vector<float>>(&request.query)) {
    search.query = *values;
    return {};
  }
  const PointId id = std::get<PointId>(request.query);
  VZ_TRY_ASSIGN(const auto found, locate(view, id));
  if (found.part == nullptr)
    return fail(ErrorCode::kNotFound, "No point with id " + id.to_string() + " found");
  VZ_TRY_ASSIGN(const auto vector, found.part->vector(search.column, found.row));
  if (!vector)
    return fail(ErrorCode::kInvalidArgument,
                "point " + id.to_string() + " has no vector '" + request.using_vector + "'");
  search.query.assign(vector->values.begin(), vector->values.end());
  search.left_out = id;
  return {};
}

Result<Search> resolve(const View& view, const CollectionDefinition& definition,
                       const SearchRequest& request) {
  Search search;
  const auto column = definition.column(request.using_vector);
  if (!column)
    return fail(ErrorCode::kInvalidArgument,
                "Not existing vector name error: " + request.using_vector);
  const VectorDefinition& vector = definition.vectors[*column];
  if (vector.kind != segment::VectorKind::kDense)
    return fail(ErrorCode::kUnsupported,
                "searching the sparse or multi-vector '" + vector.name + "' is not supported yet");
  search.column = *column;
  search.distance = vector.distance;
  VZ_TRY(resolve_query(view, request, search));
  if (search.query.size() != vector.size)
    return fail(ErrorCode::kInvalidArgument,
                "Vector dimension error: expected dim: " + std::to_string(vector.size) + ", got " +
                    std::to_string(search.query.size()));
  if (!vector::all_finite(search.query))
    return fail(ErrorCode::kInvalidArgument, "the query vector has a value that is not finite");
  if (search.distance == vector::Distance::kCosine) vector::normalize(search.query);
  search.wanted = request.offset + request.limit + (search.left_out ? 1 : 0);
  search.ef = request.ef                 ? *request.ef
              : definition.ef_search > 0 ? definition.ef_search
                                         : index::kDefaultEfSearch;
  return search;
}

/// Every row that passes, in float32.
void scan_exactly(const Part& part, std::uint32_t rows, const index::RowFilter& filter,
                  const Search& search, std::vector<Hit>& hits, index::CandidateStats& stats) {
  TopCandidates top(search.wanted);
  for (std::uint32_t row = 0; row < rows; ++row) {
    if (!filter.passes(row)) continue;
    const float* values = part.dense(search.column, row);
    if (values == nullptr) continue;
    ++stats.evaluations;
    top.offer(
        {vector::similarity(search.distance, search.query.data(), values, search.query.size()),
         row});
  }
  ++stats.scans;
  std::vector<index::Candidate> best;
  top.append_to(best);
  for (const auto& candidate : best) hits.push_back({candidate.similarity, candidate.row, &part});
}

/// The best rows by codes, compared again in float32.
Status walk(const Part& part, const index::RowFilter& filter, const Search& search,
            std::vector<Hit>& hits, index::CandidateStats& stats) {
  thread_local std::vector<index::Candidate> candidates;
  candidates.clear();
  const index::CandidateRequest request{
      .query = search.query,
      .wanted = std::max(search.wanted * kRescoreFactor, kRescoreMin),
      .ef = search.ef,
      .filter = filter};
  VZ_TRY(part.candidates(search.column, search.distance, request, candidates, stats));
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    if (i + kRowsAhead < candidates.size())
      part.prefetch_dense(search.column, candidates[i + kRowsAhead].row);
    const index::Candidate& candidate = candidates[i];
    const float* values = part.dense(search.column, candidate.row);
    if (values == nullptr) continue;
    hits.push_back(
        {vector::similarity(search.distance, search.query.data(), values, search.query.size()),
         candidate.row, &part});
  }
  stats.evaluations += candidates.size();
  return {};
}

Status search_part(const Part& part, const View& view, const SearchRequest& request,
                   const Search& search, std::vector<Hit>& hits, index::CandidateStats& stats) {
  index::RowSet passing;
  index::RowFilter filter{.dead = &part.dead(), .lsn = view.lsn};
  std::uint32_t rows = part.rows_at(view.lsn);
  if (rows == 0) return {};
  if (!request.filter.empty()) {
    payload::EvaluateStats evaluated;
    VZ_TRY_ASSIGN(passing, part.evaluate(request.filter, view.lsn, evaluated));
    filter.allowed = &passing;
    filter.allowed_count = passing.count();
    rows = passing.rows();
    if (filter.allowed_count == 0) return {};
  }
  if (request.exact) {
    scan_exactly(part, rows, filter, search, hits, stats);
  } else {
    VZ_TRY(walk(part, filter, search, hits, stats));
  }
  if (const std::string damage = part.damage(); !damage.empty())
    return fail(ErrorCode::kCorruption, damage);
  return {};
}

void keep_page(std::vector<Hit>& hits, const SearchRequest& request, const Search& search) {
  const std::size_t kept = std::min(search.wanted, hits.size());
  std::partial_sort(hits.begin(), hits.begin() + static_cast<std::ptrdiff_t>(kept), hits.end(),
                    nearer);
  hits.resize(kept);
  if (search.left_out)
    std::erase_if(hits, [&](const Hit& hit) { return hit.part->id(hit.row) == *search.left_out; });
  if (request.score_threshold) {
    const float limit = vector::similarity_of(search.distance, *request.score_threshold);
    std::erase_if(hits, [limit](const Hit& hit) { return hit.similarity < limit; });
  }
  hits.erase(hits.begin(),
             hits.begin() + static_cast<std::ptrdiff_t>(std::min(request.offset, hits.size())));
  if (hits.size() > request.limit) hits.resize(request.limit);
}

}  // namespace

Result<SearchOutcome> LiveCollection::search(const SearchRequest& request) const {
  const auto begin = std::chrono::steady_clock::now();
  auto outcome = find_nearest(request);
  if (outcome) {
    evaluations_.fetch_add(outcome->stats.evaluations, std::memory_order_relaxed);
    search_latency_.record(std::chrono::steady_clock::now() - begin);
  } else {
    failed_searches_.fetch_add(1, std::memory_order_relaxed);
  }
  return outcome;
}

Result<SearchOutcome> LiveCollection::find_nearest(const SearchRequest& request) const {
  const View view = this->view();
  const auto definition = definition_.load();
  VZ_TRY_ASSIGN(const Search search, resolve(view, *definition, request));

  SearchOutcome outcome;
  if (!request.exact) outcome.ef = static_cast<std::uint32_t>(search.ef);
  std::vector<Hit> hits;
  Status status;
  view.parts->for_each([&](const Part& part) {
    if (status) status = search_part(part, view, request, search, hits, outcome.stats);
  });
  VZ_TRY(std::move(status));
  keep_page(hits, request, search);

  outcome.points.reserve(hits.size());
  for (const Hit& hit : hits) {
    ScoredPoint& point = outcome.points.emplace_back();
    point.score = vector::score_of(search.distance, hit.similarity);
    VZ_TRY_ASSIGN(point.record, read_point(*hit.part, hit.row, *definition, request.selection));
  }
  return outcome;
}

}  // namespace vz::collection
