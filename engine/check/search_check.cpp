#include "engine/check/search_check.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <fmt/format.h>

#include "engine/collection/definition.h"
#include "engine/collection/top_candidates.h"

namespace vz::check {
namespace {

constexpr std::size_t kTop = 10;
/// Candidates that a node compares again in float32 for ten results (engine/collection).
constexpr std::size_t kCandidates = 4 * kTop;

struct Outcome {
  std::size_t queries = 0;
  std::size_t found_themselves = 0;
  std::size_t hits = 0;      ///< of the exact ten best
  std::size_t expected = 0;  ///< so many there were to find

  [[nodiscard]] double self_share() const {
    return static_cast<double>(found_themselves) / static_cast<double>(queries);
  }
  [[nodiscard]] double recall() const {
    return static_cast<double>(hits) / static_cast<double>(expected);
  }
};

/// One vector of a segment.
class ColumnSearch {
 public:
  ColumnSearch(const segment::Segment& segment, std::size_t column, vector::Distance distance,
               std::size_t ef, const index::DeadLsns& dead)
      : segment_(segment), column_(column), distance_(distance), ef_(ef), dead_(dead) {}

  /// Errors: kCorruption: of the index.
  Result<Outcome> run(const index::ColumnIndex& index) {
    choose_queries();
    scan();
    Outcome out{.queries = queries_.size()};
    for (std::size_t i = 0; i < queries_.size(); ++i) VZ_TRY(search(index, i, out));
    return out;
  }

 private:
  [[nodiscard]] const float* live(std::uint32_t row) const {
    return dead_.get(row) == 0 ? segment_.dense(column_, row) : nullptr;
  }
  [[nodiscard]] float similarity(std::uint32_t query, const float* values) const {
    return vector::similarity(distance_, segment_.dense(column_, query), values, dimension());
  }
  [[nodiscard]] std::uint32_t dimension() const {
    return segment_.footer().columns[column_].dimension;
  }

  void choose_queries() {
    std::uint64_t rows = 0;
    for (std::uint32_t row = 0; row < segment_.row_count(); ++row)
      rows += live(row) != nullptr ? 1 : 0;
    const std::uint64_t wanted = std::min<std::uint64_t>(kSearchQueries, rows);
    std::uint64_t at = 0;
    for (std::uint32_t row = 0; row < segment_.row_count() && queries_.size() < wanted; ++row) {
      if (live(row) == nullptr) continue;
      if (at++ >= queries_.size() * rows / wanted) queries_.push_back(row);
    }
    exact_.assign(queries_.size(), collection::TopCandidates(kTop));
  }

  /// Row by row, so that each vector is read once for all queries.
  void scan() {
    for (std::uint32_t row = 0; row < segment_.row_count(); ++row) {
      const float* values = live(row);
      if (values == nullptr) continue;
      for (std::size_t i = 0; i < queries_.size(); ++i)
        exact_[i].offer({similarity(queries_[i], values), row});
    }
  }

  /// The best rows for one query, best first, compared again in float32 as a node does.
  Result<std::vector<index::Candidate>> best_of(const index::ColumnIndex& index,
                                                std::uint32_t query, index::SearchMethod method,
                                                index::CandidateStats& stats) const {
    std::vector<index::Candidate> found;
    VZ_TRY(index.candidates({.query = {segment_.dense(column_, query), dimension()},
                             .wanted = kCandidates,
                             .ef = ef_,
                             .filter = {.dead = &dead_},
                             .method = method},
                            found, stats));
    collection::TopCandidates best(kTop);
    for (const index::Candidate& one : found) {
      if (const float* row = segment_.dense(column_, one.row); row != nullptr)
        best.offer({similarity(query, row), one.row});
    }
    std::vector<index::Candidate> top;
    best.append_to(top);
    return top;
  }

  Status search(const index::ColumnIndex& index, std::size_t at, Outcome& out) {
    const std::uint32_t query = queries_[at];
    index::CandidateStats stats;
    VZ_TRY_ASSIGN(auto top, best_of(index, query, index::SearchMethod::kByCost, stats));
    std::vector<index::Candidate> exact;
    exact_[at].append_to(exact);
    // By similarity, not by row: of equal ones either is right.
    const float least = exact.back().similarity;
    out.expected += exact.size();
    out.hits += static_cast<std::size_t>(
        std::count_if(top.begin(), top.end(),
                      [least](const index::Candidate& one) { return one.similarity >= least; }));
    // Where a scan was cheaper, another search may still walk: the graph, too, leads to each point.
    if (stats.walks == 0 && index.has_graph()) {
      VZ_TRY_ASSIGN(top, best_of(index, query, index::SearchMethod::kWalk, stats));
    }
    const float itself = similarity(query, segment_.dense(column_, query));
    if (!top.empty() && top.front().similarity >= itself) ++out.found_themselves;
    return {};
  }

  const segment::Segment& segment_;
  const std::size_t column_;
  const vector::Distance distance_;
  const std::size_t ef_;
  const index::DeadLsns& dead_;
  std::vector<std::uint32_t> queries_;
  std::vector<collection::TopCandidates> exact_;  ///< by query
};

void report(const Run& run, NamedFile& file, const std::string& vector, const Outcome& outcome) {
  const std::string name = vector.empty() ? "" : fmt::format("vector '{}': ", vector);
  if (outcome.self_share() < kSearchSelfMin) {
    run.report(
        file, FindingId::kSelfSearch, {},
        fmt::format("{}expected at least {:g} % of {} sampled points to find themselves, "
                    "found {:.1f} %",
                    name, kSearchSelfMin * 100, outcome.queries, outcome.self_share() * 100));
  }
  if (outcome.recall() < kSearchRecallMin) {
    run.report(file, FindingId::kRecall, {},
               fmt::format("{}expected a recall@10 of at least {:g} of {} sampled points, found "
                           "{:.3f}",
                           name, kSearchRecallMin, outcome.queries, outcome.recall()));
  }
}

}  // namespace

void check_search(const Run& run, const NamedCollection& collection, NamedFile& file,
                  const segment::Segment& segment, const index::IndexFile& index,
                  std::span<const std::uint32_t> dead) {
  const auto definition = collection::definition_from_json(collection.entry->definition_json);
  if (!definition || segment.footer().columns != collection::columns_of(*definition)) return;
  index::DeadLsns deaths(segment.row_count());
  for (const std::uint32_t row : dead) deaths.mark(row, 1);
  // A lower one is a choice of speed, and says nothing of the index.
  const std::size_t ef = std::max<std::size_t>(definition->ef_search, index::kDefaultEfSearch);
  for (std::size_t column = 0; column < definition->vectors.size(); ++column) {
    const index::ColumnIndex* indexed = index.column(column);
    if (indexed == nullptr) continue;  // Its rows are compared one by one.
    ColumnSearch search(segment, column, definition->vectors[column].distance, ef, deaths);
    const auto outcome = search.run(*indexed);
    if (segment.failed()) return;  // Its own findings say so.
    if (!outcome) {
      run.report(file, FindingId::kIndexContent, {}, outcome.error().message);
    } else if (outcome->queries > 0) {
      report(run, file, definition->vectors[column].name, *outcome);
    }
  }
}

}  // namespace vz::check
