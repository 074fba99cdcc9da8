// Resolving a write: from what a client asked to what the log holds. After it, a record always
// applies: filters have become ids, conditions are decided, missing points are refused.
#pragma once

#include <optional>

#include "engine/log/state.h"
#include "engine/log/write_request.h"
#include "storage/format/catalog_record.h"
#include "storage/format/points_record.h"
#include "storage/format/wal_record.h"

namespace vz::log {

/// The operation against the collection as it is now, earlier operations of the same request
/// included. nullopt: nothing to do. The result borrows from `operation`.
/// Errors: kNotFound (an id that an edit names), kTooLarge (more rows than one write may change,
/// with the count and the advice to split), kCorruption (a damaged part). Nothing was changed.
Result<std::optional<format::PointsOperation>> resolve(
    const PointOperation& operation, const collection::LiveCollection& collection);

/// A record of the catalog, or about keys and rules, ready to be logged: what apply will read.
struct CatalogRecord {
  format::WalRecordKind kind = format::WalRecordKind::kAliases;
  CollectionId collection = 0;
  Bytes payload = {};
};
/// nullopt: nothing to do (dropping what does not exist).
/// Errors: kAlreadyExists, kNotFound, kInvalidArgument, kOutOfRange. Nothing was changed.
Result<std::optional<CatalogRecord>> resolve_catalog(const WriteRequest& request,
                                                     const NodeState& state);

/// Whether a collection may get this name, whoever has it now. Errors: kAlreadyExists (an alias).
Status check_place(const collection::Catalog& catalog, const std::string& name);

}  // namespace vz::log
