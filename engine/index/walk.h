// Walks over the graph: Malkov & Yashunin 2016, algorithms 2 and 5, on any comparison. Internal to
// engine/index.
#pragma once

#include <cstdint>
#include <limits>

#include "engine/index/column_view.h"
#include "engine/index/row_filter.h"
#include "engine/index/search_scratch.h"

namespace vz::index {

/// Walks with a pool of the `ef` best; afterwards scratch.pool holds them, best first, ties by
/// slot. Expanded marks are removed. Precondition: the view has a graph.
void walk(const ColumnView& view, CodeComparison& compare, std::size_t ef, SearchScratch& scratch);
void walk(const ColumnView& view, FloatComparison& compare, std::size_t ef, SearchScratch& scratch);

struct FilteredWalk {
  std::size_t collect = 0;  ///< passing rows to collect
  double share = 1;         ///< of the rows that pass
  /// Gives up beyond: scanning has become cheaper. In the units of the next two.
  double cost_max = std::numeric_limits<double>::infinity();
  double row_cost = 1;   ///< of a comparison
  double list_cost = 1;  ///< of reading a list
};
enum class WalkEnd : std::uint8_t { kDone, kGaveUp };

/// Walks from passing row to passing row, over lists of rows that do not pass where there are few
/// (Patel et al., ACORN, SIGMOD 2024); afterwards scratch.pool holds the best, best first, ties by
/// slot (nothing useful after kGaveUp).
WalkEnd walk_filtered(const ColumnView& view, CodeComparison& compare, const RowFilter& filter,
                      const FilteredWalk& plan, SearchScratch& scratch);
WalkEnd walk_filtered(const ColumnView& view, FloatComparison& compare, const RowFilter& filter,
                      const FilteredWalk& plan, SearchScratch& scratch);

}  // namespace vz::index
