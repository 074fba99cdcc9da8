// What one HTTP write asks of the writer. Plain structs; decoded and checked at the edge.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "engine/collection/definition.h"
#include "engine/payload/filter.h"
#include "engine/security/request.h"
#include "storage/base/ids.h"

namespace vz::log {

struct CreateCollection {
  std::string name;
  collection::CollectionDefinition definition;
};
struct DropCollection {
  std::string name;  ///< not an alias
};
/// A collection that nobody sees: it has no name yet, and its points come in files. Its id is the
/// outcome's lsn.
struct BeginArrival {
  collection::CollectionDefinition definition;
};
/// It gets its name; who had that is dropped, and its aliases lead to the new one. The name is not
/// an alias: kAlreadyExists. kNotFound: it is not there any more.
struct EndArrival {
  CollectionId arrived = 0;
  std::string name;
};
struct AbandonArrival {
  CollectionId arrived = 0;
};
struct PatchCollection {
  std::string name;
  collection::DefinitionPatch patch;
};
struct DeclareField {
  std::string collection;
  payload::DeclaredField field;
};
struct DropField {
  std::string collection;
  std::string path;
};

struct CreateAlias {
  std::string alias;
  std::string collection;
};
struct DeleteAlias {
  std::string alias;
};
struct RenameAlias {
  std::string from;
  std::string to;
};
using AliasAction = std::variant<CreateAlias, DeleteAlias, RenameAlias>;
/// All or none, in order.
struct AliasActions {
  std::vector<AliasAction> actions;
};

/// A vector for column `column` of the collection's definition, checked against it: dimension,
/// finite values; normalised for Cosine.
struct PointVector {
  std::size_t column = 0;
  std::vector<float> values;
  std::vector<std::uint32_t> indices;  ///< sparse only: ascending, distinct
};
struct PointData {
  PointId id;
  std::vector<PointVector> vectors;  ///< ascending by column, no column twice
  std::string payload;               ///< canonical JSON
};

using PointSelector = std::variant<std::vector<PointId>, payload::Filter>;

enum class UpsertMode : std::uint8_t { kUpsert, kInsertOnly, kUpdateOnly };
struct UpsertPoints {
  std::vector<PointData> points;
  UpsertMode mode = UpsertMode::kUpsert;
};
struct DeletePoints {
  PointSelector points;
};
struct SetPayload {
  PointSelector points;
  std::string payload;             ///< canonical
  std::optional<std::string> key;  ///< key path it is merged at
};
struct OverwritePayload {
  PointSelector points;
  std::string payload;
};
struct DeletePayload {
  PointSelector points;
  std::vector<std::string> keys;
};
struct ClearPayload {
  PointSelector points;
};
struct UpdateVectors {
  std::vector<PointData> points;
};  ///< payload is ignored
struct DeleteVectors {
  PointSelector points;
  std::vector<std::size_t> columns;
};
using PointOperation = std::variant<UpsertPoints, DeletePoints, SetPayload, OverwritePayload,
                                    DeletePayload, ClearPayload, UpdateVectors, DeleteVectors>;

/// One log record. `collection` is the id that the codec checked against; if it was dropped since,
/// the write is refused with kNotFound. Ids that a payload or vector edit names must exist:
/// kNotFound "No point with id 3 found"; then the operations before it stand and nothing after it.
struct PointsWrite {
  CollectionId collection = 0;
  std::vector<PointOperation> operations;
};

/// Keys and rules about addresses.
struct SecurityWrite {
  security::Request request;
};

using WriteRequest = std::variant<CreateCollection, DropCollection, BeginArrival, EndArrival,
                                  AbandonArrival, PatchCollection, DeclareField, DropField,
                                  AliasActions, PointsWrite, SecurityWrite>;

struct WriteOutcome {
  Lsn lsn = 0;          ///< of its record; 0 if there was nothing to log
  bool changed = true;  ///< false: dropping what does not exist
};
/// Called once, on the writer thread, when the record is durable and visible, or refused.
using WriteCallback = std::function<void(Result<WriteOutcome>)>;

}  // namespace vz::log
