// CHECKED FILE, container format 1                  Written and read by
// storage/segment/checked_file.cpp
//
// The container of .seg, .dead, .index and .fields files. All integers are little-endian; offsets
// and sizes are in bytes.
//
//   content      content_size bytes, whatever the kind says
//   block table  one crc32c (4 bytes) per block of 64 KiB of content; the last block may be shorter
//   trailer      64 bytes
//
//   TRAILER
//   OFFSET  SIZE  FIELD
//        0     8  magic            "VZCHKFIL"
//        8     2  container        1: the version of this layout
//       10     2  version          of the kind's own format
//       12     1  kind             segment::FileKind
//       13     3  reserved         zero
//       16     8  content_size     0 .. kContentSizeMax
//       24     8  file_size        content_size + 4 * block_count + 64
//       32     8  block_count      content_size / 64 KiB, rounded up
//       40     4  block_size       65,536
//       44     4  table_crc32c     of the block table
//       48    12  reserved         zero
//       60     4  trailer_crc32c   of bytes 0 .. 59
//
// VALID: the file is file_size bytes long, both checksums of the trailer match, and the numbers
// agree. A block is valid if its crc32c is the one in the table. There is no padding, so every byte
// of the file is under a checksum; trailer_crc32c covers, through the table, the whole file, and is
// what the manifest records.
//
// Why the table stands at the end: the file is written once from its start to its end. Why blocks
// of 64 KiB: checking one at its first touch takes some 10 us, and the table is 1/16,384 of the
// file.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "storage/base/bytes.h"
#include "storage/base/status.h"

namespace vz::format {

inline constexpr std::string_view kCheckedFileMagic = "VZCHKFIL";
inline constexpr std::uint16_t kCheckedContainerNewest = 1;
inline constexpr std::size_t kCheckedBlockSize = 64u << 10;
inline constexpr std::size_t kCheckedTrailerSize = 64;
/// 1 TiB: the block table, which the writer holds in memory, is then 64 MiB.
inline constexpr std::uint64_t kCheckedContentSizeMax = 1ull << 40;

struct CheckedTrailer {
  std::uint16_t version = 0;
  std::uint8_t kind = 0;
  std::uint64_t content_size = 0;
  std::uint32_t table_crc32c = 0;
  std::uint32_t trailer_crc32c = 0;  ///< computed by encode, verified by decode
  friend bool operator==(const CheckedTrailer&, const CheckedTrailer&) = default;
};

constexpr std::uint64_t checked_block_count(std::uint64_t content_size) {
  return (content_size + kCheckedBlockSize - 1) / kCheckedBlockSize;
}
constexpr std::uint64_t checked_file_size(std::uint64_t content_size) {
  return content_size + checked_block_count(content_size) * sizeof(std::uint32_t) +
         kCheckedTrailerSize;
}

/// The content_size of a file that is `file_size` long; nothing if no content gives that length.
constexpr std::optional<std::uint64_t> checked_content_size(std::uint64_t file_size) {
  constexpr std::uint64_t kBlockAndEntry = kCheckedBlockSize + sizeof(std::uint32_t);
  if (file_size < kCheckedTrailerSize) return std::nullopt;
  const std::uint64_t rest = file_size - kCheckedTrailerSize;
  const std::uint64_t blocks = (rest + kBlockAndEntry - 1) / kBlockAndEntry;
  const std::uint64_t table_size = blocks * sizeof(std::uint32_t);
  if (rest < table_size || checked_block_count(rest - table_size) != blocks) return std::nullopt;
  return rest - table_size;
}

using CheckedTrailerBytes = std::array<std::byte, kCheckedTrailerSize>;

/// The trailer's bytes; its own checksum, computed here, is the last four.
CheckedTrailerBytes encode(const CheckedTrailer& trailer);

/// Decodes the last kCheckedTrailerSize bytes of a file that is `file_size` long.
/// Errors: kCorruption (which field, expected, found), kIncompatible (container newer than ours).
Result<CheckedTrailer> decode_checked_trailer(ByteSpan bytes, std::uint64_t file_size);

}  // namespace vz::format
