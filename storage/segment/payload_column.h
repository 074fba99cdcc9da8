// The payloads of a segment: its block table, resident, and the blocks in the mapping.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "storage/format/segment_format.h"
#include "storage/segment/checked_file.h"
#include "storage/segment/damage.h"

namespace vz::segment {

/// Thread-safe.
class PayloadColumn {
 public:
  /// Reads and checks the table. `file` and `damage` must outlive the column. Errors: kCorruption.
  static Result<PayloadColumn> open(const CheckedFile& file, const format::SegmentFooter& footer,
                                    Damage& damage);

  /// JSON text of `row` < row_count; "{}" if it has none. Each thread keeps the last block it read,
  /// so that rows in order cost one decompression per block. Errors: kCorruption.
  [[nodiscard]] Result<std::string> text(std::uint32_t row) const;
  [[nodiscard]] std::uint64_t memory_bytes() const;

 private:
  PayloadColumn(const CheckedFile& file, const format::SegmentFooter& footer, Damage& damage,
                std::vector<format::PayloadEntry> blocks);
  [[nodiscard]] Result<std::string> text_of_block(std::size_t block, std::uint32_t row) const;

  const CheckedFile* file_;
  Damage* damage_;
  format::Section section_;
  std::uint32_t row_count_;
  std::vector<format::PayloadEntry> blocks_;
  std::uint64_t number_;  // Of this column, unique in the process: the key of the cache.
};

}  // namespace vz::segment
