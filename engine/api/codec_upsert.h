// Bodies that carry whole points. Internal to codec_*.cpp: brings simdjson in.
#pragma once

#include "engine/api/simd_body.h"
#include "engine/collection/definition.h"
#include "engine/log/write_request.h"

namespace vz::api::body {

/// {points:[..]} or {batch:{ids, vectors, payloads}}, with update_mode.
Result<log::PointOperation> upsert(od::value from,
                                   const collection::CollectionDefinition& definition);
/// {points:[{id, vector}]}.
Result<log::PointOperation> update_vectors(od::value from,
                                           const collection::CollectionDefinition& definition);

}  // namespace vz::api::body
