// Every row of a .seg that still decodes, whatever has happened to the rest of the file.
//
// The segment's own reader trusts nothing in a damaged block of 64 KiB, so one flipped bit can cost
// thousands of rows. Here each row is judged by itself: its id, its vectors and its payload are
// taken as they stand, and count if the row's hash says that they are right. A payload block
// repeats the ids of its rows, for when the id column is the part that is damaged.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "storage/base/ids.h"
#include "storage/env/env.h"
#include "storage/format/segment_format.h"
#include "storage/segment/payload_block.h"
#include "storage/segment/segment.h"

namespace vz::offline {

/// Not thread-safe.
class SegmentRows {
 public:
  struct Row {
    bool sound = false;         ///< everything of it decodes, and its hash says so
    bool id_known = false;      ///< also of a row that is not sound
    bool version_sure = false;  ///< the version stands in a block whose checksum is right
    PointId id{};
    Lsn version = 0;  ///< as it stands there, or the segment's max_lsn if that cannot be one
    std::uint64_t hash = 0;
  };

  /// The ids that the payload blocks name by row, of a file whose footer is lost.
  using IdsByRow = std::map<std::uint32_t, PointId>;

  /// Errors: kNotFound, kIoError; kCorruption: its footer cannot be found.
  static Result<std::unique_ptr<SegmentRows>> open(Env& env, const std::string& path);
  /// Errors: kNotFound, kIoError.
  static Result<IdsByRow> ids_of_payload_blocks(Env& env, const std::string& path);

  [[nodiscard]] const format::SegmentFooter& footer() const { return footer_; }
  /// The footer stands in blocks whose checksums are right.
  [[nodiscard]] bool footer_sure() const { return footer_sure_; }
  [[nodiscard]] std::uint32_t row_count() const { return footer_.row_count; }
  /// Empty if a checksum over them is wrong: a delete that never was would cost a point.
  [[nodiscard]] std::vector<segment::Tombstone> tombstones() const;
  [[nodiscard]] std::vector<segment::VectorColumn> columns() const;

  /// Judges a row < row_count().
  Row row(std::uint32_t row);
  /// Nothing if the row has none. Borrowed from the mapping. Errors: kCorruption.
  [[nodiscard]] Result<std::optional<segment::VectorRef>> vector(std::size_t column,
                                                                 std::uint32_t row) const;
  /// "{}" if there is none; borrowed until the next call. Errors: kCorruption.
  Result<std::string_view> payload(std::uint32_t row);
  /// Of the file.
  [[nodiscard]] std::uint64_t bytes() const { return bytes_.size(); }
  /// Lets go of the mapped pages: the next access reads them again.
  void forget() const { map_->forget(0, bytes_.size()); }

 private:
  struct LastBlock {
    std::size_t index = 0;
    bool decoded = false;
    bool crc_right = false;  ///< its own one
    segment::PayloadBlock content;
  };

  explicit SegmentRows(std::unique_ptr<MappedFile> map) : map_(std::move(map)) {}
  bool find_footer();
  bool take_footer(const format::Section& place, std::uint64_t content_size);
  void find_payload_blocks();
  /// True if every block of 64 KiB that the range touches has the checksum that the table says.
  [[nodiscard]] bool sure(std::uint64_t offset, std::uint64_t size) const;
  [[nodiscard]] bool sure(const format::Section& section) const {
    return sure(section.offset, section.size);
  }
  [[nodiscard]] PointId column_id(std::uint32_t row) const;
  [[nodiscard]] bool column_id_sure(std::uint32_t row) const;
  [[nodiscard]] std::optional<std::uint32_t> slot_of(const format::SegmentColumn& column,
                                                     std::uint32_t row) const;
  /// Index of the payload block that holds the row.
  [[nodiscard]] std::optional<std::size_t> block_of(std::uint32_t row) const;
  const LastBlock& load_block(std::size_t index);
  [[nodiscard]] bool content_sure(std::uint32_t row) const;
  [[nodiscard]] std::uint64_t number_at(std::uint64_t offset) const;

  std::unique_ptr<MappedFile> map_;
  ByteSpan bytes_;
  format::SegmentFooter footer_;
  std::uint64_t content_size_ = 0;
  bool footer_sure_ = false;
  bool every_row_has_a_block_ = false;  ///< false: blocks were searched for, and some may be lost
  std::vector<format::PayloadEntry> blocks_;
  LastBlock last_;
  mutable std::vector<std::uint8_t>
      known_blocks_;  ///< of 64 KiB: 0 not yet known, 1 right, 2 wrong
};

}  // namespace vz::offline
