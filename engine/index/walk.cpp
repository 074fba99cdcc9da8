#include "engine/index/walk.h"

#include <algorithm>
#include <array>

#include "engine/index/walk_steps.h"

namespace vz::index {
namespace {

/// For std heaps: the best on top.
bool worse(const Found& a, const Found& b) {
  return better(b, a);
}

BaseLinks base_links(const ColumnView& view) {
  return {view.links.data(), view.link_stride};
}

template <typename Compare>
void walk_unfiltered(const ColumnView& view, Compare& compare, std::size_t ef,
                     SearchScratch& scratch) {
  const Descent start = descend(view, compare, 0, scratch);
  walk_pool(base_links(view), view.slot_count, compare, start.at, ef, scratch);
}

/// A walk that collects rows that pass. Where few do it compares those only, and takes the detours
/// that this needs; where most do, comparing the others is cheaper than the detours.
template <typename Compare>
class PassingWalk {
 public:
  PassingWalk(const ColumnView& view, Compare& compare, const RowFilter& filter,
              const FilteredWalk& plan, SearchScratch& scratch)
      : view_(view),
        compare_(compare),
        filter_(filter),
        plan_(plan),
        scratch_(scratch),
        lists_(base_links(view)),
        take_(view.link_stride * 2 / 3) {}

  WalkEnd run() {
    scratch_.visited.reserve(view_.slot_count);
    scratch_.pool.clear();
    scratch_.pool.reserve(plan_.collect + 1);
    scratch_.frontier.clear();
    const Found start = descend(view_, compare_, 0, scratch_).at;
    scratch_.visited.insert(start.slot);
    keep(start, passes(start.slot));
    const WalkEnd end = walk();
    scratch_.visited.clear();
    return end;
  }

 private:
  [[nodiscard]] bool passes(std::uint32_t slot) const { return filter_.passes(view_.rows[slot]); }
  /// Passes, unless it is dead.
  [[nodiscard]] bool allowed(std::uint32_t slot) const {
    return filter_.allowed == nullptr || filter_.allowed->contains(view_.rows[slot]);
  }
  [[nodiscard]] double spent() const {
    return static_cast<double>(compare_.evaluations()) * plan_.row_cost +
           static_cast<double>(lists_read_) * plan_.list_cost;
  }
  [[nodiscard]] bool full() const { return scratch_.pool.size() == plan_.collect; }

  WalkEnd walk() {
    auto& frontier = scratch_.frontier;
    while (!frontier.empty()) {
      const Found at = frontier.front();
      if (full() && at.similarity < scratch_.pool.back().similarity) break;
      if (spent() > plan_.cost_max) return WalkEnd::kGaveUp;
      std::pop_heap(frontier.begin(), frontier.end(), worse);
      frontier.pop_back();
      if (!frontier.empty()) prefetch_links(lists_, frontier.front().slot);
      plan_.share >= kMostShare ? compare_all(at.slot) : compare_passing(at.slot);
    }
    return WalkEnd::kDone;
  }

  void compare_all(std::uint32_t slot) {
    expand(lists_, compare_, slot, scratch_);
    for (std::size_t i = 0; i < scratch_.batch.size(); ++i) {
      const Found found = {scratch_.similarities[i], scratch_.batch[i]};
      if (worth_it(found)) keep(found, passes(found.slot));
    }
  }

  void compare_passing(std::uint32_t slot) {
    const std::size_t passing = gather(slot);
    scratch_.similarities.resize(scratch_.batch.size());
    compare_(scratch_.batch, scratch_.similarities);
    for (std::size_t i = 0; i < scratch_.batch.size(); ++i) {
      const Found found = {scratch_.similarities[i], scratch_.batch[i]};
      if (worth_it(found)) keep(found, i < passing);
    }
  }

  [[nodiscard]] bool worth_it(const Found& found) const {
    return !full() || found.similarity > scratch_.pool.back().similarity;
  }
  void keep(const Found& found, bool passing) {
    scratch_.frontier.push_back(found);
    std::push_heap(scratch_.frontier.begin(), scratch_.frontier.end(), worse);
    if (passing) insert_sorted(scratch_.pool, plan_.collect, found);
  }

  /// Makes scratch.batch the rows to compare next to `slot`: those of its list that pass, and,
  /// while they are fewer than take_, those that its other neighbours lead to. Where fewer
  /// pass than the filter's share says, the other neighbours too: they lead to where more do.
  /// Returns how many pass: they are first.
  std::size_t gather(std::uint32_t slot) {
    auto& batch = scratch_.batch;
    auto& detours = scratch_.mapped;
    batch.clear();
    detours.clear();
    met_ = passed_ = 0;
    read_own_list(slot);
    std::size_t taken = 0;
    for (std::size_t i = 0; i < detours.size() && batch.size() < take_; ++i) {
      if (!scratch_.visited.insert(detours[i])) continue;
      detours[taken++] = detours[i];
      read_detour(detours[i]);
    }
    const std::size_t passing = batch.size();
    if (starving()) {
      batch.insert(batch.end(), detours.begin(), detours.begin() + static_cast<long>(taken));
    }
    return passing;
  }

  /// Adds the rows of the list of `slot` that pass and were not seen, until take_ are there, and
  /// makes the others detours.
  void read_own_list(std::uint32_t slot) {
    ++lists_read_;
    const std::uint32_t* const links = lists_.of(slot);
    for (std::size_t i = 0; i < lists_.stride && links[i] != kNone; ++i) {
      if (scratch_.batch.size() >= take_) return;
      ++met_;
      if (passes(links[i])) {
        take(links[i]);
      } else {
        prefetch_links(lists_, links[i]);
        scratch_.mapped.push_back(links[i]);
      }
    }
  }

  /// The same of a detour's list, without detours of its own. Which rows pass is found without
  /// branches: few do, at places that no predictor knows.
  void read_detour(std::uint32_t slot) {
    ++lists_read_;
    const std::uint32_t* const links = lists_.of(slot);
    std::size_t passing = 0, i = 0;
    for (; i < lists_.stride && links[i] != kNone; ++i) {
      passing_[passing] = links[i];
      passing += allowed(links[i]) ? 1 : 0;
    }
    met_ += i;
    for (std::size_t at = 0; at < passing && scratch_.batch.size() < take_; ++at) {
      if (passes(passing_[at])) take(passing_[at]);
    }
  }

  /// A row that passes.
  void take(std::uint32_t slot) {
    ++passed_;
    if (!scratch_.visited.insert(slot)) return;
    if (scratch_.batch.size() < compare_.rows_to_prefetch()) compare_.prefetch(slot);
    scratch_.batch.push_back(slot);
  }

  /// Whether the filter lets too few pass here to find the way by them alone. Seen before or not:
  /// near its end a walk has seen most of what passes.
  [[nodiscard]] bool starving() const {
    constexpr std::size_t kPassedMin = 16;
    constexpr double kThin = 0.7;  // Of the rows that would pass if they were spread evenly.
    return passed_ < kPassedMin ||
           static_cast<double>(passed_) < kThin * plan_.share * static_cast<double>(met_);
  }

  static constexpr double kMostShare = 0.25;

  const ColumnView& view_;
  Compare& compare_;
  const RowFilter& filter_;
  const FilteredWalk& plan_;
  SearchScratch& scratch_;
  BaseLinks lists_;
  std::size_t take_;  ///< rows to compare at once, if they are found: more cost more than they help
  std::array<std::uint32_t, kLinkStrideMax> passing_;  ///< of one list
  std::uint64_t lists_read_ = 0;
  std::size_t met_ = 0, passed_ = 0;  ///< links of one gather()
};

}  // namespace

SearchScratch& search_scratch() {
  thread_local SearchScratch scratch;
  return scratch;
}

void walk(const ColumnView& view, CodeComparison& compare, std::size_t ef, SearchScratch& scratch) {
  walk_unfiltered(view, compare, ef, scratch);
}
void walk(const ColumnView& view, FloatComparison& compare, std::size_t ef,
          SearchScratch& scratch) {
  walk_unfiltered(view, compare, ef, scratch);
}
WalkEnd walk_filtered(const ColumnView& view, CodeComparison& compare, const RowFilter& filter,
                      const FilteredWalk& plan, SearchScratch& scratch) {
  return PassingWalk(view, compare, filter, plan, scratch).run();
}
WalkEnd walk_filtered(const ColumnView& view, FloatComparison& compare, const RowFilter& filter,
                      const FilteredWalk& plan, SearchScratch& scratch) {
  return PassingWalk(view, compare, filter, plan, scratch).run();
}

}  // namespace vz::index
