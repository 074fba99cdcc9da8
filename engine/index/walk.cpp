#include "engine/index/walk.h"

#include <algorithm>

namespace vz::index {
namespace {

constexpr std::uint32_t kExpanded = 1u << 31;
static_assert(kSlotsMax <= kExpanded);

/// Neighbour lists ahead of the walk by this many pool entries are fetched.
constexpr std::size_t kRowsToPrefetch = 4;

bool better(const Found& a, const Found& b) {
  return a.similarity > b.similarity || (a.similarity == b.similarity && a.slot < b.slot);
}
/// For std heaps: the best on top.
bool worse(const Found& a, const Found& b) {
  return better(b, a);
}

template <typename Compare>
Found descend(const ColumnView& view, Compare& compare, SearchScratch& scratch) {
  Found at = {0, view.entry_slot};
  std::uint32_t node = view.entry_upper;
  compare({&at.slot, 1}, {&at.similarity, 1});
  for (std::uint32_t level = view.max_level; level > 0; --level) {
    for (bool moved = true; moved;) {
      moved = false;
      const std::size_t row = std::size_t{view.upper_offsets[node]} + level - 1;
      const auto links = view.upper_links.subspan(row * view.m, view.m);
      scratch.batch.clear();
      for (const std::uint32_t link : links) {
        if (link == kNone) break;
        scratch.batch.push_back(view.upper_nodes[link]);
      }
      scratch.similarities.resize(scratch.batch.size());
      compare(scratch.batch, scratch.similarities);
      for (std::size_t i = 0; i < scratch.batch.size(); ++i) {
        if (!(scratch.similarities[i] > at.similarity)) continue;
        at = {scratch.similarities[i], scratch.batch[i]};
        node = links[i];
        moved = true;
      }
    }
  }
  return at;
}

/// Compares the neighbours of `slot` that were not seen yet: scratch.batch and .similarities.
template <typename Compare>
void expand(const ColumnView& view, Compare& compare, std::uint32_t slot, SearchScratch& scratch) {
  const std::uint32_t* links = view.links.data() + std::size_t{slot} * view.link_stride;
  scratch.batch.clear();
  for (std::uint32_t i = 0; i < view.link_stride && links[i] != kNone; ++i) {
    if (!scratch.visited.insert(links[i])) continue;
    if (scratch.batch.size() < kRowsToPrefetch) compare.prefetch(links[i]);
    scratch.batch.push_back(links[i]);
  }
  scratch.similarities.resize(scratch.batch.size());
  compare(scratch.batch, scratch.similarities);
}

void prefetch_links(const ColumnView& view, std::uint32_t slot) {
  const std::uint32_t* links = view.links.data() + std::size_t{slot} * view.link_stride;
  __builtin_prefetch(links);
  __builtin_prefetch(links + 16);
}

/// Puts `found` at its place among at most `size_max`, best first. Returns that place.
std::size_t insert_sorted(std::vector<Found>& pool, std::size_t size_max, const Found& found) {
  const auto place =
      std::lower_bound(pool.begin(), pool.end(), found, [](const Found& a, const Found& b) {
        return better({a.similarity, a.slot & ~kExpanded}, b);
      });
  const auto index = static_cast<std::size_t>(place - pool.begin());
  if (pool.size() == size_max) pool.pop_back();
  pool.insert(pool.begin() + static_cast<std::ptrdiff_t>(index), found);
  return index;
}

template <typename Compare>
void walk_pool(const ColumnView& view, Compare& compare, std::size_t ef, SearchScratch& scratch) {
  scratch.visited.reserve(view.slot_count);
  auto& pool = scratch.pool;
  pool.clear();
  pool.reserve(ef + 1);
  pool.push_back(descend(view, compare, scratch));
  scratch.visited.insert(pool[0].slot);
  for (std::size_t next = 0; next < pool.size();) {
    if ((pool[next].slot & kExpanded) != 0) {
      ++next;
      continue;
    }
    const std::uint32_t slot = pool[next].slot;
    pool[next].slot |= kExpanded;
    if (next + 1 < pool.size()) prefetch_links(view, pool[next + 1].slot & ~kExpanded);
    expand(view, compare, slot, scratch);
    std::size_t first = next + 1;
    for (std::size_t i = 0; i < scratch.batch.size(); ++i) {
      const Found found = {scratch.similarities[i], scratch.batch[i]};
      if (pool.size() == ef && found.similarity <= pool.back().similarity) continue;
      first = std::min(first, insert_sorted(pool, ef, found));
    }
    next = std::min(next + 1, first);
  }
  scratch.visited.clear();
  for (Found& found : pool) found.slot &= ~kExpanded;
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

  const Found start = descend(view, compare, scratch);
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
    if (!frontier.empty()) prefetch_links(view, frontier.front().slot);
    expand(view, compare, at.slot, scratch);
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
  walk_pool(view, compare, ef, scratch);
}
void walk(const ColumnView& view, FloatComparison& compare, std::size_t ef,
          SearchScratch& scratch) {
  walk_pool(view, compare, ef, scratch);
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
