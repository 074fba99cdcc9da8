// DEAD ROWS FILE, version 1                      Written and read by storage/segment/dead_rows.cpp
//
// The content of a checked file (checked_file_format.h) of kind kDead: which rows of one segment
// died. All integers are little-endian.
//
//   OFFSET  SIZE  FIELD
//        0     4  magic       "VZDD"
//        4     4  epoch       of the segment
//        8     8  seq         of the segment
//       16     8  as_of       holds exactly the rows that died at lsn <= as_of
//       24     4  row_count   of the segment
//       28     4  dead_count  0 .. row_count
//       32   4*n  rows        u32 each, ascending
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "storage/base/bytes.h"
#include "storage/base/ids.h"
#include "storage/base/status.h"

namespace vz::format {

inline constexpr std::uint16_t kDeadVersionNewest = 1;
inline constexpr std::size_t kDeadHeadSize = 32;
inline constexpr std::string_view kDeadMagic = "VZDD";

struct DeadHead {
  Epoch epoch = 0;
  std::uint32_t row_count = 0;
  SegmentSeq seq = 0;
  Lsn as_of = 0;
  std::uint32_t dead_count = 0;
};

Bytes encode(const DeadHead& head);

/// Decodes the head of a whole content; its size is checked against dead_count.
/// Errors: kCorruption.
Result<DeadHead> decode_dead_head(ByteSpan content);

}  // namespace vz::format
