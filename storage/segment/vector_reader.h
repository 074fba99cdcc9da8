// One vector column of a segment, read in place from its mapping.
#pragma once

#include <cstdint>
#include <optional>

#include "storage/format/segment_format.h"
#include "storage/segment/checked_file.h"
#include "storage/segment/damage.h"
#include "storage/segment/segment.h"

namespace vz::segment {

/// Thread-safe. The presence bitmap is verified whole at its first touch, values block by block.
class VectorReader {
 public:
  /// All must outlive the reader; `column` has been checked against the file's size.
  VectorReader(const CheckedFile& file, const format::SegmentColumn& column,
               std::uint32_t row_count, Damage& damage);

  /// False also if the presence bitmap is damaged.
  [[nodiscard]] bool has(std::uint32_t row) const { return slot_of(row).has_value(); }
  /// Errors: kCorruption.
  [[nodiscard]] Result<std::optional<VectorRef>> vector(std::uint32_t row) const;
  /// Only for a dense column. nullptr if absent or damaged.
  [[nodiscard]] const float* dense(std::uint32_t row) const;
  void prefetch_dense(std::uint32_t row) const;

 private:
  /// Which of the present vectors is the row's.
  [[nodiscard]] std::optional<std::uint32_t> slot_of(std::uint32_t row) const;
  [[nodiscard]] Status verify_presence() const;
  [[nodiscard]] std::uint64_t presence_word(std::uint64_t index) const;
  [[nodiscard]] std::uint32_t rank(std::uint64_t index) const;
  [[nodiscard]] Result<std::optional<VectorRef>> read(std::uint32_t slot) const;
  [[nodiscard]] std::span<const float> floats(std::uint64_t first, std::uint64_t count) const;

  const CheckedFile& file_;
  const format::SegmentColumn& column_;
  Damage& damage_;
  std::uint32_t row_count_;
  bool partial_;
  std::uint64_t vector_size_;  // Bytes of one vector; 0 for sparse.
  const std::byte* values_;
  const std::byte* presence_;
  const std::byte* ranks_;
  FirstTouch presence_touch_;
};

}  // namespace vz::segment
