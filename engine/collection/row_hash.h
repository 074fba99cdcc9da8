// The hash of one row, of which a collection's digest is the sum mod 2^64.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "storage/base/ids.h"
#include "storage/segment/segment.h"

namespace vz::collection {

/// One vector of a row with its column. Borrowed.
struct ColumnVector {
  std::size_t column = 0;
  segment::VectorRef value;
};

/// XXH3 of the id, the vectors (ascending by column) and the canonical payload. The version is not
/// part of it: equal rows on a replica or after a restore hash equal.
std::uint64_t row_hash(const PointId& id, std::span<const ColumnVector> vectors,
                       std::string_view payload);

}  // namespace vz::collection
