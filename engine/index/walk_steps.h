// The steps of a walk over a graph, for searches (walk.cpp) and for the build (hnsw_build.cpp),
// which walks a graph that other threads are adding to. Internal to engine/index.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <vector>

#include "engine/index/column_view.h"
#include "engine/index/search_scratch.h"

namespace vz::index {

/// In a pool: this slot's neighbours were compared.
inline constexpr std::uint32_t kExpanded = 1u << 31;
static_assert(kSlotsMax <= kExpanded);

/// Reads a link that a building thread may be writing: the old one or the new one, both of which
/// lead to a slot. On x86 this is a plain load.
inline std::uint32_t load_link(const std::uint32_t& link) {
  return std::atomic_ref(const_cast<std::uint32_t&>(link)).load(std::memory_order_relaxed);
}

/// Lists of level 0, by slot.
struct BaseLinks {
  const std::uint32_t* links = nullptr;
  std::size_t stride = 0;

  [[nodiscard]] const std::uint32_t* of(std::uint32_t slot) const {
    return links + std::size_t{slot} * stride;
  }
};

/// Lists of one level above 0, by upper node.
struct UpperLinks {
  const ColumnView& view;
  std::uint32_t level = 1;
  std::size_t stride = 0;

  [[nodiscard]] const std::uint32_t* of(std::uint32_t node) const {
    const std::size_t row = std::size_t{view.upper_offsets[node]} + level - 1;
    return view.upper_links.data() + row * stride;
  }
};

/// Compares the neighbours of `slot` that were not seen yet: scratch.batch and .similarities.
template <typename Compare, typename Links>
void expand(const Links& lists, Compare& compare, std::uint32_t slot, SearchScratch& scratch) {
  const std::uint32_t* const links = lists.of(slot);
  const std::size_t rows_to_prefetch = compare.rows_to_prefetch();
  scratch.batch.clear();
  for (std::size_t i = 0; i < lists.stride; ++i) {
    const std::uint32_t link = load_link(links[i]);
    if (link == kNone) break;
    if (!scratch.visited.insert(link)) continue;
    if (scratch.batch.size() < rows_to_prefetch) compare.prefetch(link);
    scratch.batch.push_back(link);
  }
  scratch.similarities.resize(scratch.batch.size());
  compare(scratch.batch, scratch.similarities);
}

template <typename Links>
void prefetch_links(const Links& lists, std::uint32_t slot) {
  const std::uint32_t* const links = lists.of(slot);
  __builtin_prefetch(links);
  __builtin_prefetch(links + 16);
}

/// Puts `found` at its place among at most `size_max`, best first. Returns that place.
inline std::size_t insert_sorted(std::vector<Found>& pool, std::size_t size_max,
                                 const Found& found) {
  const auto place =
      std::lower_bound(pool.begin(), pool.end(), found, [](const Found& a, const Found& b) {
        return better({a.similarity, a.slot & ~kExpanded}, b);
      });
  const auto index = static_cast<std::size_t>(place - pool.begin());
  if (pool.size() == size_max) pool.pop_back();
  pool.insert(pool.begin() + static_cast<std::ptrdiff_t>(index), found);
  return index;
}

/// Malkov & Yashunin 2016, algorithm 2: the best `ef` that the graph leads to from `start`, in
/// scratch.pool, best first.
template <typename Compare, typename Links>
void walk_pool(const Links& lists, std::uint32_t slot_count, Compare& compare, const Found& start,
               std::size_t ef, SearchScratch& scratch) {
  scratch.visited.reserve(slot_count);
  auto& pool = scratch.pool;
  pool.clear();
  pool.reserve(ef + 1);
  pool.push_back(start);
  scratch.visited.insert(start.slot);
  for (std::size_t next = 0; next < pool.size();) {
    if ((pool[next].slot & kExpanded) != 0) {
      ++next;
      continue;
    }
    const std::uint32_t slot = pool[next].slot;
    pool[next].slot |= kExpanded;
    if (next + 1 < pool.size()) prefetch_links(lists, pool[next + 1].slot & ~kExpanded);
    expand(lists, compare, slot, scratch);
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

/// Where a descent stands: the same point as a slot and, above level 0, as an upper node.
struct Descent {
  Found at;
  std::uint32_t upper = kNone;
};

/// From the entry point greedily through the levels above `level`.
template <typename Compare>
Descent descend(const ColumnView& view, Compare& compare, std::uint32_t level,
                SearchScratch& scratch) {
  Descent best = {{0, view.entry_slot}, view.entry_upper};
  compare({&best.at.slot, 1}, {&best.at.similarity, 1});
  for (std::uint32_t above = view.max_level; above > level; --above) {
    const UpperLinks lists{view, above, view.m};
    for (bool moved = true; moved;) {
      moved = false;
      const std::uint32_t* const links = lists.of(best.upper);
      std::size_t count = 0;
      scratch.batch.clear();
      scratch.mapped.clear();
      for (; count < view.m; ++count) {
        const std::uint32_t link = load_link(links[count]);
        if (link == kNone) break;
        scratch.mapped.push_back(link);
        scratch.batch.push_back(view.upper_nodes[link]);
      }
      scratch.similarities.resize(count);
      compare(scratch.batch, scratch.similarities);
      for (std::size_t i = 0; i < count; ++i) {
        if (!(scratch.similarities[i] > best.at.similarity)) continue;
        best = {{scratch.similarities[i], scratch.batch[i]}, scratch.mapped[i]};
        moved = true;
      }
    }
  }
  return best;
}

}  // namespace vz::index
