// Level 3 of the rows of a segment: each vector, payload and hash.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "engine/check/segment_check.h"
#include "storage/segment/segment.h"

namespace vz::check {

/// What is wrong with a vector of that column; empty: nothing.
std::string problem_of(const segment::VectorColumn& column, const segment::VectorRef& vector);

/// Reads every row; damage of one kind is one finding that names the first row and counts them.
/// dead: rows that died, ascending; they do not count as points.
LiveRows check_rows(const Run& run, NamedFile& file, const segment::Segment& segment,
                    std::span<const std::uint32_t> dead);

}  // namespace vz::check
