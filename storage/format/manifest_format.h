// MANIFEST, format 1, and CURRENT.
//
//   offset size
//        0    8  magic "VZMANIF\n"
//        8    4  format, u32
//       12    4  crc32c of every other byte of the file, u32
//       16    8  size of the file in bytes, u64
//       24       body
//
// These 24 bytes have the same meaning in every format, so that an older program can tell a newer
// image from a damaged one. Numbers are little-endian, text is a u32 size and its bytes, a list is
// a u32 count and its entries. Body of format 1:
//
//   number u64, next_seq u64, next_file_number u64, catalog_lsn u64, log_lsn u64, clean_lsn u64,
//   time_us i64
//   list of epochs:      epoch u32, first_lsn u64, kind u8
//   list of collections: id u64, name text, definition_json text, created_at_us i64,
//                        updated_at_us i64, flushed_lsn u64, points u64, digest u64,
//                        list of segments
//     segment:           epoch u32, seq u64, rows u32, dead_rows u32, seg file,
//                        dead, index, fields: each u8 0, or u8 1, number u64, file
//       file:            size_bytes u64, trailer_crc32c u32, sha256 32 bytes
//   list of aliases:     name text, collection u64
//
// CURRENT is one line of text: the name of the image, a space, crc32c of that name as 8 lower-case
// hex digits, a newline.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace vz::format {

inline constexpr std::string_view kManifestMagic = "VZMANIF\n";
inline constexpr std::uint32_t kManifestFormat = 1;
inline constexpr std::size_t kManifestFormatOffset = 8;
inline constexpr std::size_t kManifestCrcOffset = 12;
inline constexpr std::size_t kManifestSizeOffset = 16;
inline constexpr std::size_t kManifestHeaderSize = 24;
static_assert(kManifestMagic.size() == kManifestFormatOffset);

// Bounds of what a reader accepts. The engine's own limits are lower.
inline constexpr std::size_t kManifestBytesMax = 256u << 20;
inline constexpr std::size_t kManifestEpochsMax = 65'536;
inline constexpr std::size_t kManifestCollectionsMax = 1'000;
inline constexpr std::size_t kManifestSegmentsMax = 4'096;  ///< of one collection
inline constexpr std::size_t kManifestAliasesMax = 65'536;
inline constexpr std::size_t kManifestNameBytesMax = 1'024;
inline constexpr std::size_t kManifestDefinitionBytesMax = 4u << 20;

// Least sizes of entries: a count that needs more bytes than are left is refused unread.
inline constexpr std::size_t kManifestEpochBytes = 4 + 8 + 1;
inline constexpr std::size_t kManifestFileBytes = 8 + 4 + 32;
inline constexpr std::size_t kManifestSegmentBytesMin = 4 + 8 + 4 + 4 + kManifestFileBytes + 3;
inline constexpr std::size_t kManifestCollectionBytesMin = 8 + 4 + 4 + 8 + 8 + 8 + 8 + 8 + 4;
inline constexpr std::size_t kManifestAliasBytesMin = 4 + 8;

inline constexpr std::size_t kCurrentBytesMax = 64;

}  // namespace vz::format
