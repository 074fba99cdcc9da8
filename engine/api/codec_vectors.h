// Vectors of a request body -> columns of a collection. Internal to codec_*.cpp: brings simdjson
// in.
#pragma once

#include <vector>

#include "engine/api/simd_body.h"
#include "engine/collection/definition.h"
#include "engine/log/write_request.h"

namespace vz::api::body {

/// Every vector of one point: `[f]`, `[[f]]` or `{name: ..}`; ascending by column.
/// Errors: kInvalidArgument (name, dimension, kind, a name twice, values that are not finite),
/// kUnsupported (inference objects).
Result<std::vector<log::PointVector>> point_vectors(
    od::value value, const collection::CollectionDefinition& definition);

/// One vector of the named column. Errors: as above.
Result<log::PointVector> named_vector(od::value value, std::string_view name,
                                      const collection::CollectionDefinition& definition);

/// Columns by name. Errors: kInvalidArgument: an unknown name.
Result<std::vector<std::size_t>> columns(od::value value,
                                         const collection::CollectionDefinition& definition);

}  // namespace vz::api::body
