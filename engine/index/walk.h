// Walks over the graph: Malkov & Yashunin 2016, algorithms 2 and 5, on any comparison. Internal to
// engine/index.
#pragma once

#include <cstdint>

#include "engine/index/column_view.h"
#include "engine/index/row_filter.h"
#include "engine/index/search_scratch.h"

namespace vz::index {

/// Walks with a pool of the `ef` best; afterwards scratch.pool holds them, best first, ties by
/// slot. Expanded marks are removed. Precondition: the view has a graph.
void walk(const ColumnView& view, CodeComparison& compare, std::size_t ef, SearchScratch& scratch);
void walk(const ColumnView& view, FloatComparison& compare, std::size_t ef, SearchScratch& scratch);

struct FilteredWalk {
  std::size_t collect = 0;            ///< passing rows to collect
  std::uint64_t evaluations_max = 0;  ///< gives up beyond: scanning has become cheaper
};
enum class WalkEnd : std::uint8_t { kDone, kGaveUp };

/// Walks through all rows but collects only those that pass; afterwards scratch.pool holds them,
/// best first, ties by slot (nothing useful after kGaveUp).
WalkEnd walk_filtered(const ColumnView& view, CodeComparison& compare, const RowFilter& filter,
                      const FilteredWalk& plan, SearchScratch& scratch);
WalkEnd walk_filtered(const ColumnView& view, FloatComparison& compare, const RowFilter& filter,
                      const FilteredWalk& plan, SearchScratch& scratch);

}  // namespace vz::index
