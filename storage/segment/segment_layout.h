// Where everything lies in a segment file: for whoever reads the file itself, not its rows.
#pragma once

#include <cstdint>

#include "storage/format/segment_format.h"
#include "storage/segment/checked_file.h"

namespace vz::segment {

/// The footer of a segment file. Errors: kCorruption (path and offset).
Result<format::SegmentFooter> read_layout(const CheckedFile& file);

/// How the payloads of a segment are stored.
struct PayloadSizes {
  std::uint64_t blocks = 0;
  std::uint64_t raw_bytes = 0;     ///< of the texts and their lengths, decompressed
  std::uint64_t stored_bytes = 0;  ///< of the blocks, heads included
};

/// By the heads of the blocks. Errors: kCorruption.
Result<PayloadSizes> payload_sizes(const CheckedFile& file, const format::SegmentFooter& layout);

}  // namespace vz::segment
