// SEGMENT FILE, version 1                               Written by
// storage/segment/segment_writer.cpp
//                                                       Read by    storage/segment/segment.cpp
// The content of a checked file (checked_file_format.h) of kind kSegment. All integers are
// little-endian; offsets and sizes are in bytes, from the start of the file.
//
// The content is a row of sections, each at the next multiple of 64, in exactly this order; between
// them stand zero bytes. n is the number of rows; rows are sorted by id: numbers, then UUIDs.
//
//   numbers         u64 each: the ids that are numbers, ascending
//   uuids           16 bytes each: high u64, low u64 (PointId), ascending
//   versions        n x u64: the lsn that wrote the row
//   hashes          n x u64: row_hash
//   for each vector column, of the m rows that have such a vector:
//     indices       sparse: u32 each, all rows one after another
//     values        float32; dense: m x dimension; sparse: one per index; multi: rows x dimension
//     offsets       sparse, multi: (m + 1) x u64: where a row's elements (multi: vectors) begin
//     presence      if 0 < m < n: one bit per row in u64 words, lowest bit first
//     ranks         if 0 < m < n: u32 per 512 rows: how many rows before them have a vector
//   payload         blocks, see below; empty if no row has a payload
//   payload table   16 bytes per block: offset u64 from the section's start, size u32, first_row
//   u32 bloom           64-byte blocks of a Bloom filter over all ids
//   (storage/segment/bloom_filter.h) tombstones      32 bytes each: kind u8, 7 zero bytes, high
//   u64, low u64, lsn u64; sorted by id footer          see below tail            24 bytes, right
//   after the footer: its offset u64, its size u64, "VZSEGEND"
//
//   PAYLOAD BLOCK, at a multiple of 8; a block can be read on its own when all else is lost
//   OFFSET  SIZE  FIELD
//        0     4  magic         "VZPB"
//        4     4  crc32c        of bytes 8 .. size
//        8     4  size          of head and data
//       12     4  first_row
//       16     4  row_count     1 .. 1,024
//       20     4  number_count  how many of its rows have a number as id; they come first
//       24     4  raw_size      of the data when decompressed
//       28     1  codec         0 stored, 1 zstd
//       29     3  reserved      zero
//       32     .  ids           numbers (8 bytes each), then UUIDs (16 each), as in the id columns
//        .     .  data          raw: row_count x u32 length of the text, then the texts
//
//   FOOTER
//   magic "VZSF", u32 zero; collection u64, seq u64, min_lsn u64, max_lsn u64, epoch u32,
//   row_count u32, number_count u32, replaces_count u32; min_id, max_id (24 bytes each, as in
//   tombstones); eight sections (offset u64, size u64): numbers, uuids, versions, hashes, payload,
//   payload table, bloom, tombstones; collection_name and definition_json (u32 size, bytes);
//   replaces (u64 each); column_count u32; per column: name (u32 size, bytes), kind u8,
//   dimension u32, present u32 (m), five sections: indices, values, offsets, presence, ranks.
//
// Why vectors stay uncompressed: zstd gains 7 % on floats, and rescoring reads them in place.
// Why the layout is fixed although the footer names every section: a reader then needs one rule to
// know that no section overlaps another or leaves the file.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/bytes.h"
#include "storage/base/ids.h"
#include "storage/base/status.h"

namespace vz::format {

inline constexpr std::uint16_t kSegmentVersionNewest = 1;
inline constexpr std::uint64_t kSegmentAlignment = 64;
inline constexpr std::uint32_t kRowsPerRank = 512;
inline constexpr std::uint64_t kSegmentTailSize = 24;
inline constexpr std::size_t kTombstoneSize = 32;
inline constexpr std::string_view kSegmentTailMagic = "VZSEGEND";
inline constexpr std::string_view kSegmentFooterMagic = "VZSF";
inline constexpr std::string_view kPayloadBlockMagic = "VZPB";
inline constexpr std::size_t kPayloadHeadSize = 32;
inline constexpr std::size_t kPayloadRawSizeOffset = 24;  ///< in the head
inline constexpr std::size_t kPayloadEntrySize = 16;
inline constexpr std::uint64_t kPayloadAlignment = 8;

// Bounds, checked when writing and when reading.
inline constexpr std::uint32_t kSegmentRowsMax = 1u << 30;
inline constexpr std::uint32_t kSegmentDimensionMax = 65'536;
inline constexpr std::uint32_t kSegmentColumnsMax = 256;
inline constexpr std::uint32_t kSegmentReplacesMax = 65'536;
inline constexpr std::uint32_t kSegmentNameSizeMax = 4u << 10;
inline constexpr std::uint32_t kSegmentDefinitionSizeMax = 16u << 20;
inline constexpr std::uint64_t kSegmentFooterSizeMax = 64u << 20;
inline constexpr std::uint32_t kPayloadRowsMax = 1024;
inline constexpr std::uint32_t kPayloadSizeMax = 64u << 20;  // One text: as large as a log record.
/// A block is closed when it has reached its target size, so it holds at most one text beyond it.
inline constexpr std::uint32_t kPayloadRawSizeMax = kPayloadSizeMax + (64u << 10);

/// A section of the content.
struct Section {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
  [[nodiscard]] std::uint64_t end() const { return offset + size; }
  friend bool operator==(const Section&, const Section&) = default;
};

enum class ColumnKind : std::uint8_t { kDense = 1, kSparse = 2, kMulti = 3 };  // On disk.

struct SegmentColumn {
  std::string name;
  ColumnKind kind = ColumnKind::kDense;
  std::uint32_t dimension = 0;  ///< 0 for sparse
  std::uint32_t present = 0;    ///< rows that have a vector
  Section indices;
  Section values;
  Section offsets;
  Section presence;
  Section ranks;
};

/// Everything of the footer.
struct SegmentFooter {
  CollectionId collection = 0;
  SegmentSeq seq = 0;
  Lsn min_lsn = 0;
  Lsn max_lsn = 0;
  Epoch epoch = 0;
  std::uint32_t row_count = 0;
  std::uint32_t number_count = 0;
  PointId min_id;  ///< of the first row; all zero if there is none
  PointId max_id;
  Section numbers;
  Section uuids;
  Section versions;
  Section hashes;
  Section payload;
  Section payload_table;
  Section bloom;
  Section tombstones;
  std::string collection_name;
  std::string definition_json;
  std::vector<SegmentSeq> replaces;
  std::vector<SegmentColumn> columns;
};

struct PayloadEntry {
  std::uint64_t offset = 0;  ///< from the start of the payload section
  std::uint32_t size = 0;
  std::uint32_t first_row = 0;
};

/// Bytes of the Bloom filter of `row_count` ids: 10 bits each, in whole blocks of 64 bytes.
constexpr std::uint64_t bloom_size(std::uint32_t row_count) {
  return (std::uint64_t{row_count} * 10 + 511) / 512 * 64;
}
constexpr std::uint64_t align_up(std::uint64_t value, std::uint64_t alignment) {
  return (value + alignment - 1) / alignment * alignment;
}
/// True if the column has the sections `presence` and `ranks`.
constexpr bool is_partial(std::uint32_t present, std::uint32_t row_count) {
  return present != 0 && present != row_count;
}

Bytes encode_segment_footer(const SegmentFooter& footer);

/// The tail that follows a footer at `footer`.
Bytes encode_segment_tail(const Section& footer);

/// Where the footer is, from the last kSegmentTailSize bytes of a content of `content_size` bytes.
/// Errors: kCorruption.
Result<Section> decode_segment_tail(ByteSpan tail, std::uint64_t content_size);

/// Decodes and checks a footer that stands at `footer_offset`: afterwards every section lies before
/// the footer, has the size that the counts ask for, and overlaps no other. Nothing is trusted: a
/// right checksum does not make the bytes ours. Errors: kCorruption.
Result<SegmentFooter> decode_segment_footer(ByteSpan bytes, std::uint64_t footer_offset);

/// Decodes the payload table; afterwards the blocks are in order, lie within the section, and share
/// out all rows. Errors: kCorruption.
Result<std::vector<PayloadEntry>> decode_payload_table(ByteSpan table, std::uint64_t payload_size,
                                                       std::uint32_t row_count);

/// 24 bytes: kind u8, 7 zero bytes, high u64, low u64.
void encode_id(const PointId& id, ByteWriter& out);
/// After a kind that does not exist, reserved bytes that are not zero, or a number with a high
/// half, `ok` of the result is false.
struct DecodedId {
  PointId id;
  bool ok = false;
};
DecodedId decode_id(ByteReader& in);

}  // namespace vz::format
