// Byte format of .fields, version 1. Everything is little-endian; offsets count content bytes of
// the checked file around it (storage/segment/checked_file.h), and start at a multiple of 8.
//
//   columns     one after the other, in the order of the directory; see below
//   directory   u32 column count, then for each column
//                 u32 path size, path (spelled as key_path_text() does; unique, ascending)
//                 u64 begin, u64 end: of the column's bytes
//                 7 row sets: null, not_empty, valued, many, other, false, true
//                 u64 term count, u64 table, u64 text, u64 text size
//                 4 number lists (u64 count, u64 offset): ints, uints, doubles, datetimes
//   footer      the last 32 content bytes: u64 magic, u64 directory offset, u64 directory size,
//               u32 rows, u32 zero
//
// A column says everything about the values at its path that a condition can ask, of every row, so
// that a filter never mixes a column's answer with a payload's for one condition:
//   null        is_null holds            not_empty   is_empty does not hold
// and of the leaves (the values, or the elements of values that are arrays):
//   valued      a leaf that is not null  many        two or more of them
//   other       a leaf that no list below holds: object, array, string above kTermBytesMax
//   false, true such a leaf
//   terms       distinct strings, ascending by bytes, each with its rows
//   numbers     (value, row) ascending by value, then row: i64, u64 above the largest i64, f64, and
//               the microseconds of strings that are datetimes
//
// Row set:     u64 offset, u32 count, u32 form. Form 0: `count` u32 rows, strictly ascending. Form
// 1:
//              a bit for each row in u64 words, `count` of them set. The smaller is used.
// Term table:  for each term u64 end of its text (relative to the text), then its row set.
// Number list: `count` 8-byte values, then `count` u32 rows.
//
// Valid if and only if every range lies inside its column, is aligned to 8 (texts: to 1), every
// order above is strict where it says so, rows are below the file's row count, counts agree with
// bits, and no double is NaN. Checked when a column is first used.
//
// Downsides: nothing is compressed; a row costs 12 bytes per number and about 28 bytes and the text
// per distinct string. Plain sorted lists and bits were chosen over roaring bitmaps: they need no
// deserializer that must be trusted with bytes from a disk, and are used in place from the mapping.
#pragma once

#include <cstddef>
#include <cstdint>

namespace vz::payload::format {

inline constexpr std::uint16_t kFieldsVersion = 1;
inline constexpr std::uint64_t kFieldsMagic = 0x3153444C45494656ull;  // "VFIELDS1"
inline constexpr std::size_t kFieldsFooterSize = 32;
inline constexpr std::size_t kFieldsDirectoryBytesMax = 1u << 20;
/// Longer strings are not in the dictionary: it would repeat the texts of documents.
inline constexpr std::size_t kTermBytesMax = 256;
inline constexpr std::size_t kTermEntrySize = 24;

struct RowSetRef {
  std::uint64_t offset = 0;
  std::uint32_t count = 0;
  std::uint32_t form = 0;  ///< kList or kBits
};
inline constexpr std::uint32_t kList = 0;
inline constexpr std::uint32_t kBits = 1;

struct NumberListRef {
  std::uint64_t count = 0;
  std::uint64_t offset = 0;
};

enum RowSetKind : std::uint8_t {
  kNull,
  kNotEmpty,
  kValued,
  kMany,
  kOther,
  kFalse,
  kTrue,
  kRowSets
};
enum NumberListKind : std::uint8_t { kInts, kUints, kDoubles, kDatetimes, kNumberLists };

/// Directory entry, without the path.
struct ColumnRef {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  RowSetRef sets[kRowSets];
  std::uint64_t term_count = 0;
  std::uint64_t term_table = 0;
  std::uint64_t term_text = 0;
  std::uint64_t term_text_size = 0;
  NumberListRef numbers[kNumberLists];
};

}  // namespace vz::payload::format
