// INDEX FILE, version 4                                 Written by engine/index/index_build.cpp
//                                                       Read by    engine/index/index_file.cpp
// The content of a checked file (storage/format/checked_file_format.h) of kind kIndex. All integers
// are little-endian; offsets and sizes are in bytes, from the start of the file. The file is
// derived from one segment: an older or a damaged one is rebuilt, never repaired.
//
// A SLOT is the place of a vector in this file: in graph order (breadth first from the entry
// point), so that neighbours tend to stand near each other; without a graph, in row order. Rows of
// the segment that lack the vector have no slot. Upper nodes, the slots with a level above 0, are
// numbered by ascending slot. "none" is 0xFFFFFFFF.
//
//   for each column, each section at a multiple of 64, n slots:
//     codes          n x stride, u8: code + 128, pad bytes 128; only if codes are on
//     norms          n x f32: squared length of the float32 vector; only for Euclid, with codes
//     sketches       row_count x sketch_stride(dimension) u64, by row: codes.h, SketchBlock; a row
//                    without a vector has a factor that is not a number. Only if it has them
//     rows           n x u32: the segment's row of a slot
//     slots          row_count x u32: the slot of a row, or none
//     links          n x link_stride u32: neighbours at level 0, then none   } only if it
//     upper nodes    u x u32: slot of each upper node, ascending             } has a graph
//     upper offsets  (u + 1) x u32: the first upper row of each; level l of node i is row
//                    offsets[i] + l - 1                                      }
//     upper links    r x m u32: neighbours at levels above 0, as upper nodes, then none }
//   footer           IndexHead, then one IndexColumn per column
//   tail             24 bytes: offset of the footer u64, its size u64, "VZIDXEND"
//
// VALID: every number is inside its range (validate() in index_file.cpp), so that no walk over a
// checked file can leave it; and the head names the segment: epoch, seq, row count and the crc32c
// of its trailer.
//
// Version 1 held signed codes and their sums, version 2 sketches that straddled cache lines,
// version 3 one share of a shortlist for all searches; they are rebuilt.
//
// Why fixed strides: a neighbour list of m = 16 is two cache lines whose address needs no look-up.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "engine/index/shortlist_shares.h"
#include "engine/vector/distance.h"
#include "storage/base/bytes.h"
#include "storage/base/status.h"

namespace vz::index {

inline constexpr std::uint16_t kIndexVersionNewest = 4;
inline constexpr std::uint64_t kIndexAlignment = 64;
inline constexpr std::uint32_t kNone = 0xFFFF'FFFF;
inline constexpr std::string_view kIndexMagic = "VZIX";
inline constexpr std::string_view kIndexTailMagic = "VZIDXEND";
inline constexpr std::size_t kIndexTailSize = 24;
inline constexpr std::uint32_t kIndexColumnsMax = 256;
inline constexpr std::uint32_t kLinkStrideMax = 1024;
inline constexpr std::uint32_t kLevelsMax = 64;
/// The highest bit of a slot marks what a walk has expanded.
inline constexpr std::uint32_t kSlotsMax = 1u << 30;

enum IndexColumnFlag : std::uint8_t { kHasCodes = 1, kHasGraph = 2, kHasSketches = 4 };  // On disk.

struct IndexHead {
  std::array<char, 4> magic;
  std::uint32_t epoch;
  std::uint64_t seq;
  std::uint32_t row_count;
  std::uint32_t segment_trailer_crc32c;
  std::uint32_t column_count;
  std::uint32_t reserved;  ///< zero
};
static_assert(sizeof(IndexHead) == 32);
static_assert(offsetof(IndexHead, seq) == 8);
static_assert(offsetof(IndexHead, column_count) == 24);

struct IndexColumn {
  std::uint32_t column;  ///< in the segment's footer
  std::uint8_t distance;
  std::uint8_t flags;
  std::uint16_t reserved;  ///< zero
  std::uint32_t dimension;
  std::uint32_t slot_count;
  std::uint32_t stride;  ///< of codes
  float scale;
  std::uint32_t m;  ///< links of an upper row
  std::uint32_t ef_construct;
  std::uint32_t link_stride;  ///< links at level 0
  std::uint32_t entry_slot;
  std::uint32_t entry_upper;  ///< the upper node where a descent begins; none without upper levels
  std::uint32_t max_level;
  std::uint32_t upper_count;
  std::uint32_t upper_rows;
  ShortlistShares shortlist_shares;  ///< 0 without sketches
  std::uint32_t reserved2;           ///< zero
  // Offsets of the sections; their sizes follow from the counts.
  std::uint64_t codes;
  std::uint64_t norms;
  std::uint64_t sketches;
  std::uint64_t rows;
  std::uint64_t slots;
  std::uint64_t links;
  std::uint64_t upper_nodes;
  std::uint64_t upper_offsets;
  std::uint64_t upper_links;

  [[nodiscard]] bool has_codes() const { return (flags & kHasCodes) != 0; }
  [[nodiscard]] bool has_norms() const {
    return has_codes() && distance == static_cast<std::uint8_t>(vector::Distance::kEuclid);
  }
  [[nodiscard]] bool has_sketches() const { return (flags & kHasSketches) != 0; }
  [[nodiscard]] bool has_graph() const { return (flags & kHasGraph) != 0; }
};
static_assert(sizeof(IndexColumn) == 144);
static_assert(offsetof(IndexColumn, dimension) == 8);
static_assert(offsetof(IndexColumn, scale) == 20);
static_assert(offsetof(IndexColumn, shortlist_shares) == 56);
static_assert(offsetof(IndexColumn, codes) == 72);
static_assert(offsetof(IndexColumn, upper_links) == 136);

struct IndexFooter {
  IndexHead head{};
  std::vector<IndexColumn> columns;
};

inline constexpr std::size_t kIndexSections = 9;
struct IndexSection {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

/// The column's sections in the order of the file; absent ones have size 0.
std::array<IndexSection, kIndexSections> sections_of(const IndexColumn& column,
                                                     std::uint32_t row_count);

/// Footer and tail, for a footer that will stand at `footer_offset`.
Bytes encode_index_footer(const IndexFooter& footer, std::uint64_t footer_offset);

/// Where the footer is, from the last kIndexTailSize bytes of the content. Errors: kCorruption.
Result<IndexSection> decode_index_tail(ByteSpan tail, std::uint64_t content_size);

/// Afterwards all counts are within their bounds and all sections lie before the footer; what
/// stands inside the sections is not known yet. Errors: kCorruption.
Result<IndexFooter> decode_index_footer(ByteSpan bytes, std::uint64_t footer_offset);

}  // namespace vz::index
