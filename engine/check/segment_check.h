// Levels 2 and 3 of one segment: what its files mean, once their bytes are right.
#pragma once

#include <cstdint>

#include "engine/check/run.h"

namespace vz::check {

/// What level 3 counted in a segment.
struct LiveRows {
  bool known = false;  ///< false: its rows or its dead rows cannot be read
  std::uint64_t points = 0;
  std::uint64_t digest = 0;  ///< sum of the row hashes mod 2^64
};

/// Opens the segment and what belongs to it. Files that have a finding already are left out.
/// Level 2: ids unique and in order, versions, whether the files are each other's, dead rows in
/// range. Level 3: also vectors, payloads, row hashes, the index, the columns.
LiveRows check_segment(const Run& run, const NamedCollection& collection,
                       const NamedSegment& segment);

/// Level 3: points and digest of a whole collection, and its definition against the segments.
void check_totals(const Run& run, const NamedCollection& collection, const LiveRows& sum);

}  // namespace vz::check
