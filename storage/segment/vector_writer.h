// Writes one vector column of a segment: values, offsets, presence bitmap, ranks.
#pragma once

#include <cstdint>
#include <vector>

#include "storage/format/segment_format.h"
#include "storage/segment/checked_file.h"
#include "storage/segment/segment.h"

namespace vz::segment {

/// Appends the sections of column `index` at the writer's position and returns where they are.
/// Reads `rows` once, twice for a sparse column.
/// Errors: those of `rows` and `out`; kInternal if the rows break the contract of VectorRef.
Result<format::SegmentColumn> write_vector_column(CheckedFileWriter& out, const RowSource& rows,
                                                  std::size_t index, const VectorColumn& column);

/// Pads to the alignment of sections and returns the offset where the next one begins.
Result<std::uint64_t> begin_section(CheckedFileWriter& out);

}  // namespace vz::segment
