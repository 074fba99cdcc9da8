// Puts the content of a snapshot archive in the place of what a data directory holds.
//
// Order, and what a kill leaves:
//   1. lock, exclusively (a directory that is absent or empty gets its FORMAT only after 2);
//      finish a swap that was cut short
//   2. every file to DATA/tmp/restore-<n>/, hashed while it is written, and synced; anything wrong
//      ends it here: the old content, and a staging directory that the next restore removes
//   3. an empty log, the new image and CURRENT beside them, synced: as in 2
//   4. the swap (storage/store/swap.h), whose first step is the moment: before it a kill leaves the
//      old content, after it the new one, which whoever opens the directory next completes
//   5. the staging directory goes, and so does previous-<time>/ if it holds no data
//
// What the new image says, and why neither epochs nor lsns go back: storage/store/restoration.h.
#pragma once

#include <cstdint>
#include <string>

#include "storage/archive/byte_stream.h"
#include "storage/env/env.h"
#include "storage/snapshot/read.h"

namespace vz::offline {

struct RestoreOptions {
  enum class Existing : std::uint8_t { kRefused, kReplaced };
  enum class Run : std::uint8_t { kReal, kDry };

  std::string data_dir;
  Existing existing = Existing::kRefused;  ///< when the directory holds data
  Run run = Run::kReal;                    ///< kDry: reads and judges, writes nothing
  archive::ArchiveLimits limits{};
};

struct RestoreReport {
  snapshot::ReadReport read;  ///< with findings, nothing was changed
  std::string previous;       ///< where the old content is now (dry: ""); "" if there was none
  bool replaces = false;      ///< the directory held data
  /// An earlier run has put this very snapshot in force, and nothing was written since: nothing was
  /// done, but that run's end.
  bool in_force_already = false;
  Epoch epoch = 0;    ///< the new one
  Lsn first_lsn = 0;  ///< that it begins at
};

/// A rerun after a kill ends what that run has begun: before its swap it begins anew, after that
/// the directory holds this snapshot, which is checked file by file and is no refusal. Errors:
/// kLocked (a node is running: names it); kFailedPrecondition (it holds other data, and that is
/// kRefused); kNoData (somebody else's directory, or no archive); kIncompatible; kNoSpace (before
/// anything was written, when the disk is too small); kIoError. Nothing was changed then, except
/// that a failure after the swap's first step leaves the new content, to be completed by the next
/// one who opens it: the message says so.
Result<RestoreReport> restore(Env& env, archive::ByteSource& source, const RestoreOptions& options);

}  // namespace vz::offline
