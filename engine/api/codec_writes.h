// Request bodies of point writes -> operations of the log, checked against the definition of the
// collection: names and dimensions of vectors, finite values, Cosine normalised.
#pragma once

#include <string>
#include <vector>

#include "engine/collection/definition.h"
#include "engine/log/write_request.h"

namespace vz::api {

/// The kinds of write that have a route of their own; the names are those in a batch of operations.
enum class PointWriteKind : std::uint8_t {
  kUpsert,
  kDelete,
  kSetPayload,
  kOverwritePayload,
  kDeletePayload,
  kClearPayload,
  kUpdateVectors,
  kDeleteVectors,
};

/// Decodes the body of one write. `body` may get more capacity, nothing else.
/// Errors: kInvalidArgument (form, type, vector name, dimension), kOutOfRange (bounds),
/// kUnsupported (a documented form that is not built yet).
Result<log::PointOperation> decode_write(PointWriteKind kind, std::string& body,
                                         const collection::CollectionDefinition& definition);

/// Decodes {operations:[{upsert:{..}}, {delete:{..}}, ..]}. Errors: as decode_write.
Result<std::vector<log::PointOperation>> decode_operations(
    std::string& body, const collection::CollectionDefinition& definition);

}  // namespace vz::api
