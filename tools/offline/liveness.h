// Which rows of a collection are dead, from its rows and tombstones alone: the newest version or
// tombstone of an id wins. A merge by id: memory for the dead rows only.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "storage/segment/segment.h"

namespace vz::offline {

/// The ids of one segment, ascending. Not thread-safe.
class IdRows {
 public:
  virtual ~IdRows() = default;
  [[nodiscard]] virtual std::uint32_t count() const = 0;
  /// i < count().
  [[nodiscard]] virtual PointId id(std::uint32_t i) const = 0;
  [[nodiscard]] virtual Lsn version(std::uint32_t i) const = 0;
  /// Row of the segment.
  [[nodiscard]] virtual std::uint32_t row(std::uint32_t i) const = 0;
};

/// All rows of a sound segment, borrowed.
std::unique_ptr<IdRows> rows_of(const segment::Segment& segment);

struct KnownRow {
  std::uint32_t row = 0;
  PointId id{};
  Lsn version = 0;
};
/// Those rows of a damaged segment whose ids are known; `rows` is borrowed.
std::unique_ptr<IdRows> rows_of(const std::vector<KnownRow>& rows);

struct Generation {
  SegmentSeq seq = 0;  ///< of two rows with one id and version that of the higher seq lives
  std::unique_ptr<IdRows> rows{};
  std::vector<segment::Tombstone> tombstones{};
};

/// For each generation its rows that a newer one of the same id, or a tombstone, replaces;
/// ascending.
std::vector<std::vector<std::uint32_t>> superseded_rows(const std::vector<Generation>& generations);

}  // namespace vz::offline
