#include "engine/index/column_search.h"

#include <algorithm>
#include <limits>
#include <string>

#include "engine/index/cost_model.h"
#include "engine/index/scan.h"
#include "engine/index/walk.h"

namespace vz::index {
namespace {

/// A walk whose filter passes at least this share runs unfiltered, with a pool wider by as much.
constexpr double kPostFilterShareMin = 0.9;

std::uint32_t passing_slots(const ColumnView& view, const RowFilter& filter) {
  double share = 1.0;
  const double rows = std::max(1.0, 1.0 * static_cast<double>(view.slots.size()));
  if (filter.allowed != nullptr) share *= filter.allowed_count / rows;
  if (filter.dead != nullptr) share *= 1.0 - std::min(1.0, filter.dead->count() / rows);
  return static_cast<std::uint32_t>(std::min(1.0, share) * view.slot_count);
}

class Column final : public ColumnIndex {
 public:
  Column(const ColumnView& view, std::size_t column, const segment::CheckedFile& file,
         const segment::Segment& segment)
      : view_(view), column_(column), file_(file), segment_(segment) {}

  [[nodiscard]] bool has_graph() const override { return !view_.links.empty(); }
  [[nodiscard]] bool codes_on() const override { return view_.codes.codes != nullptr; }
  [[nodiscard]] std::uint64_t memory_bytes() const override {
    const std::uint64_t words = view_.rows.size() + view_.slots.size() + view_.links.size() +
                                view_.upper_nodes.size() + view_.upper_offsets.size() +
                                view_.upper_links.size();
    const std::uint64_t norm = view_.distance == vector::Distance::kEuclid ? sizeof(float) : 0;
    const std::uint64_t sketch = view_.sketches.stride * sizeof(std::uint64_t);
    return words * sizeof(std::uint32_t) +
           (codes_on() ? view_.slot_count * (view_.codes.stride + norm + sketch) : 0);
  }

  Status candidates(const CandidateRequest& request, std::vector<Candidate>& out,
                    CandidateStats& stats) const override {
    VZ_ASSERT(request.query.size() == view_.dimension);
    if (request.wanted == 0 || view_.slot_count == 0) return {};
    SearchScratch& scratch = search_scratch();
    bool failed = false;
    if (codes_on()) {
      scratch.query.assign(view_.distance, request.query, view_.codes.scale);
      CodeComparison compare(view_, scratch.query);
      search(request, compare, scratch, out, stats);
    } else {
      FloatComparison compare(view_, segment_, column_, request.query);
      search(request, compare, scratch, out, stats);
      failed = compare.failed();
    }
    if (file_.failed()) {
      return fail(ErrorCode::kCorruption, file_.path() + ": damage was met during a search");
    }
    if (failed) {
      return fail(ErrorCode::kCorruption,
                  segment_.file().path() + ": a vector of the segment is damaged");
    }
    return {};
  }

 private:
  template <typename Compare>
  void search(const CandidateRequest& request, Compare& compare, SearchScratch& scratch,
              std::vector<Candidate>& out, CandidateStats& stats) const {
    const SearchShape shape = shape_of(request);
    const bool walked = has_graph() && prefers_walk(request.method, shape) &&
                        walk_graph(request, shape, compare, scratch);
    if (walked) {
      ++stats.walks;
    } else {
      scan_passing(request, shape, compare, scratch);
      ++stats.scans;
    }
    stats.evaluations += compare.evaluations();
    out.insert(out.end(), scratch.best.begin(), scratch.best.end());
  }

  void scan_passing(const CandidateRequest& request, const SearchShape& shape,
                    CodeComparison& compare, SearchScratch& scratch) const {
    if (const std::size_t size = shortlist_size(shape); size > 0) {
      scan_sketches(view_, compare, request.filter, shape.wanted, size, scratch);
    } else {
      scan(view_, compare, request.filter, shape.wanted, scratch);
    }
  }
  void scan_passing(const CandidateRequest& request, const SearchShape& shape,
                    FloatComparison& compare, SearchScratch& scratch) const {
    scan(view_, compare, request.filter, shape.wanted, scratch);
  }

  static bool prefers_walk(SearchMethod method, const SearchShape& shape) {
    return method == SearchMethod::kWalk ||
           (method == SearchMethod::kByCost && walk_cost(shape) < scan_cost(shape));
  }

  [[nodiscard]] SearchShape shape_of(const CandidateRequest& request) const {
    const std::size_t wanted = std::min<std::size_t>(request.wanted, view_.slot_count);
    return {.slots = view_.slot_count,
            .passing = passing_slots(view_, request.filter),
            .row_bytes = codes_on() ? view_.codes.stride : view_.dimension * sizeof(float),
            .sketch_bytes = view_.sketches.words * sizeof(std::uint64_t),
            .shortlist_share = share_at(view_.shortlist_shares, request.ef),
            .list_length = view_.link_stride,
            .ef = std::clamp<std::size_t>(request.ef, wanted, view_.slot_count),
            .wanted = wanted};
  }

  /// Leaves the answer in scratch.best. False if a scan must do it after all.
  template <typename Compare>
  bool walk_graph(const CandidateRequest& request, const SearchShape& shape, Compare& compare,
                  SearchScratch& scratch) const {
    if (!shape.filtered()) {
      walk(view_, compare, shape.ef, scratch);
      return take_passing(request.filter, shape, scratch);
    }
    if (shape.share() >= kPostFilterShareMin) {
      const double widened = static_cast<double>(shape.ef) / shape.share();
      walk(view_, compare,
           std::min<std::size_t>(static_cast<std::size_t>(widened * 1.05) + 4, view_.slot_count),
           scratch);
      if (take_passing(request.filter, shape, scratch)) return true;
    }
    const FilteredWalk plan = {.collect = rows_to_collect(shape),
                               .share = shape.share(),
                               .cost_max = request.method == SearchMethod::kWalk
                                               ? std::numeric_limits<double>::infinity()
                                               : scan_cost(shape),
                               .row_cost = evaluation_cost(shape),
                               .list_cost = kCosts.list_fixed};
    if (walk_filtered(view_, compare, request.filter, plan, scratch) == WalkEnd::kGaveUp) {
      return false;
    }
    return take_passing(request.filter, shape, scratch);
  }

  /// Moves the best passing rows of the pool to scratch.best, in the order of answers. False if
  /// there are fewer than wanted, although more may pass.
  [[nodiscard]] bool take_passing(const RowFilter& filter, const SearchShape& shape,
                                  SearchScratch& scratch) const {
    scratch.best.clear();
    for (const Found& found : scratch.pool) {
      const std::uint32_t row = view_.rows[found.slot];
      if (filter.passes(row)) scratch.best.push_back({found.similarity, row});
    }
    std::sort(scratch.best.begin(), scratch.best.end(), precedes);
    if (scratch.best.size() < shape.wanted) return false;
    scratch.best.resize(shape.wanted);
    return true;
  }

  const ColumnView& view_;
  std::size_t column_;
  const segment::CheckedFile& file_;
  const segment::Segment& segment_;
};

}  // namespace

std::unique_ptr<ColumnIndex> make_column_index(const ColumnView& view, std::size_t column,
                                               const segment::CheckedFile& file,
                                               const segment::Segment& segment) {
  return std::make_unique<Column>(view, column, file, segment);
}

}  // namespace vz::index
