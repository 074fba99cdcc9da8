// The sorted ids of a segment, read in place from its mapping.
#pragma once

#include <cstdint>
#include <optional>

#include "storage/base/ids.h"
#include "storage/format/segment_format.h"
#include "storage/segment/checked_file.h"
#include "storage/segment/damage.h"

namespace vz::segment {

/// Verified whole (checksums and order) at its first touch. Thread-safe.
class IdColumn {
 public:
  /// All three must outlive the column. `footer` has been checked against the file's size.
  IdColumn(const CheckedFile& file, const format::SegmentFooter& footer, Damage& damage);

  /// The id of `row` < row_count; a zero number if the column is damaged.
  [[nodiscard]] PointId at(std::uint32_t row) const;
  /// Row of `id`; nullopt if it is absent or the column is damaged.
  [[nodiscard]] std::optional<std::uint32_t> find(const PointId& id) const;
  /// First row with an id not below `id`; row_count if there is none or the column is damaged.
  [[nodiscard]] std::uint32_t lower_bound(const PointId& id) const;

 private:
  [[nodiscard]] bool sound() const;
  [[nodiscard]] Status verify() const;
  [[nodiscard]] PointId load(std::uint32_t row) const;
  [[nodiscard]] std::uint32_t search(const PointId& id) const;

  const CheckedFile& file_;
  const format::SegmentFooter& footer_;
  Damage& damage_;
  const std::byte* numbers_;
  const std::byte* uuids_;
  FirstTouch touch_;
};

}  // namespace vz::segment
