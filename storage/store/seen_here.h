// How far a data directory has come, even a damaged one: what a restore must stay ahead of.
#pragma once

#include <cstdint>

#include "storage/store/snapshot_contents.h"
#include "storage/store/store.h"

namespace vz::store {

struct SeenHere {
  /// Collections, aliases, an epoch, a log; what cannot be read; a RESTORE.
  bool holds_data = false;
  Epoch epoch = 0;
  Lsn lsn = 0;                         ///< the last one given out, or above it
  std::uint64_t manifest_number = 0;   ///< of the newest image
  SegmentSeq next_seq = 1;             ///< above every segment's
  std::uint64_t next_file_number = 1;  ///< above every derived file's
  std::int64_t time_us = 0;
};

/// Looks at every image, at the log's records and at names of files; reads what can be read, and
/// takes an upper bound where it cannot. (Not at lsns inside segments: the log that was begun after
/// them has a name that is above.) Of what `arriving` names, and of RESTORE, only the numbers
/// count, for it is no data of here. Changes nothing. Errors: kIoError (listing the directory);
/// kPermissionDenied, kExhausted: also of one image or log file, which may hold the highest
/// numbers.
Result<SeenHere> look_around(Env& env, const Paths& paths,
                             const SnapshotContents* arriving = nullptr);

}  // namespace vz::store
