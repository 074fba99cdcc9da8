// Reading single points out of a view.
#pragma once

#include "engine/collection/live_collection.h"

namespace vz::collection {

struct ReadLocation {
  const Part* part = nullptr;  ///< null: no such point
  std::uint32_t row = 0;
};
/// Where `id` lives at the view's lsn. Errors: kCorruption, when a damaged part may have held it.
Result<ReadLocation> locate(const View& view, const PointId& id);

/// The selected members of one row. Errors: kCorruption.
Result<Record> read_point(const Part& part, std::uint32_t row,
                          const CollectionDefinition& definition, const PointSelection& selection);

}  // namespace vz::collection
