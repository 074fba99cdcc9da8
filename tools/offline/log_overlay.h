// Points as the records of the log leave them, over those of the segments.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/collection/row_hash.h"
#include "storage/format/points_record.h"

namespace vz::offline {

/// A whole row in memory of its own.
struct OwnedRow {
  struct Vector {
    std::size_t column = 0;
    std::vector<float> values{};
    std::vector<std::uint32_t> indices{};
  };
  Lsn version = 0;
  std::vector<Vector> vectors{};  ///< ascending by column
  std::string payload{};

  /// Borrowed.
  [[nodiscard]] std::vector<collection::ColumnVector> columns() const;
};

/// Not thread-safe. Applies what a node applies (engine/log/apply.cpp), one operation at a time.
class LogOverlay {
 public:
  /// The row of the segments, if it lives there. Errors end apply().
  using Base = std::function<Result<std::optional<OwnedRow>>(const PointId& id)>;
  /// Which ids belong here; others are passed over.
  using Wanted = std::function<bool(const PointId& id)>;

  LogOverlay(Base base, Wanted wanted) : base_(std::move(base)), wanted_(std::move(wanted)) {}

  Status apply(Lsn lsn, const std::vector<format::PointsOperation>& operations);
  [[nodiscard]] bool covers(const PointId& id) const { return rows_.contains(id); }
  /// By id; nothing for a point that was deleted.
  [[nodiscard]] const std::map<PointId, std::optional<OwnedRow>>& rows() const { return rows_; }

 private:
  void put_row(const format::LoggedRow& row, Lsn lsn);
  Status edit(const PointId& id, Lsn lsn, const std::function<void(OwnedRow&)>& change);
  Status apply_one(Lsn lsn, const format::PointsOperation& operation);

  Base base_;
  Wanted wanted_;
  std::map<PointId, std::optional<OwnedRow>> rows_;
};

}  // namespace vz::offline
