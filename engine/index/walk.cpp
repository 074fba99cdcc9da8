#include "engine/index/walk.h"

#include <algorithm>

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

template <typename Compare>
WalkEnd walk_heap(const ColumnView& view, Compare& compare, const RowFilter& filter,
                  const FilteredWalk& plan, SearchScratch& scratch) {
  scratch.visited.reserve(view.slot_count);
  auto& collected = scratch.pool;
  auto& frontier = scratch.frontier;
  collected.clear();
  collected.reserve(plan.collect + 1);
  frontier.clear();
  const auto full = [&] { return collected.size() == plan.collect; };
  const auto consider = [&](const Found& found) {
    if (full() && found.similarity <= collected.back().similarity) return;
    frontier.push_back(found);
    std::push_heap(frontier.begin(), frontier.end(), worse);
    if (filter.passes(view.rows[found.slot])) insert_sorted(collected, plan.collect, found);
  };

  const BaseLinks lists = base_links(view);
  const Found start = descend(view, compare, 0, scratch).at;
  scratch.visited.insert(start.slot);
  consider(start);
  WalkEnd end = WalkEnd::kDone;
  while (!frontier.empty()) {
    const Found at = frontier.front();
    if (full() && at.similarity < collected.back().similarity) break;
    if (compare.evaluations() > plan.evaluations_max) {
      end = WalkEnd::kGaveUp;
      break;
    }
    std::pop_heap(frontier.begin(), frontier.end(), worse);
    frontier.pop_back();
    if (!frontier.empty()) prefetch_links(lists, frontier.front().slot);
    expand(lists, compare, at.slot, scratch);
    for (std::size_t i = 0; i < scratch.batch.size(); ++i) {
      consider({scratch.similarities[i], scratch.batch[i]});
    }
  }
  scratch.visited.clear();
  return end;
}

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
  return walk_heap(view, compare, filter, plan, scratch);
}
WalkEnd walk_filtered(const ColumnView& view, FloatComparison& compare, const RowFilter& filter,
                      const FilteredWalk& plan, SearchScratch& scratch) {
  return walk_heap(view, compare, filter, plan, scratch);
}

}  // namespace vz::index
