// A point as one line of JSON.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "engine/collection/row_hash.h"
#include "storage/segment/segment.h"

namespace vz::offline {

struct PointLine {
  std::string_view collection{};
  PointId id{};
  Lsn version = 0;
  std::span<const segment::VectorColumn> columns{};     ///< of the collection
  std::span<const collection::ColumnVector> vectors{};  ///< those that the point has
  std::string_view payload{};                           ///< canonical JSON
};

/// See salvage.h. Floats in the shortest form that reads back the same.
std::string line_of(const PointLine& point);

/// The text as a JSON string, quotes included; bytes that are no UTF-8 are replaced.
std::string json_string(std::string_view text);

}  // namespace vz::offline
