// Compares a query with every row that passes. Internal to engine/index.
#pragma once

#include "engine/index/column_view.h"
#include "engine/index/row_filter.h"
#include "engine/index/search_scratch.h"

namespace vz::index {

/// Afterwards scratch.best holds the `wanted` best of the passing rows, best first, ties by row
/// ascending: exactly, for that comparison.
void scan(const ColumnView& view, CodeComparison& compare, const RowFilter& filter,
          std::size_t wanted, SearchScratch& scratch);
void scan(const ColumnView& view, FloatComparison& compare, const RowFilter& filter,
          std::size_t wanted, SearchScratch& scratch);

/// The same, but for the sketches: only the `shortlist_size` best passing rows by sketch are
/// compared. The comparison's query is scratch.query. Precondition: the view has sketches.
void scan_sketches(const ColumnView& view, CodeComparison& compare, const RowFilter& filter,
                   std::size_t wanted, std::size_t shortlist_size, SearchScratch& scratch);

/// The order of answers: best first, ties by row ascending.
inline bool precedes(const Candidate& a, const Candidate& b) {
  return a.similarity > b.similarity || (a.similarity == b.similarity && a.row < b.row);
}

}  // namespace vz::index
