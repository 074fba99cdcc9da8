// THE apply: the one function that changes the node's state. Called by a local write, by recovery
// and by replication, so they cannot drift apart.
#pragma once

#include "engine/log/state.h"
#include "storage/format/points_record.h"
#include "storage/format/wal_record.h"

namespace vz::log {

/// Applies a whole record. Uses nothing but the record and the state: no clock, no random, no
/// configuration. A record that the state holds already is skipped.
/// Errors: kCorruption (it does not decode, or does not fit its collection): nothing was applied.
Status apply(const format::WalRecord& record, NodeState& state);

/// Checks one operation against the collection's vectors. Errors: kCorruption.
Status check_operation(const format::PointsOperation& operation,
                       const collection::CollectionDefinition& definition);

/// Applies one checked operation of a points record. It always applies: an id that does not live is
/// passed over, and so is a row whose base cannot be read (its part's damage says so).
void apply_operation(const format::PointsOperation& operation, Lsn lsn,
                     collection::LiveCollection& collection);

}  // namespace vz::log
