// Replacing everything that a data directory holds, whatever moment the power fails at.
//
// The new content (collections/, wal/, one MANIFEST-<n> that no other image here is as new as, and
// CURRENT) stands complete and synced in DATA/<staged>. Then
//
//   1. DATA/SWAP is published: one line that names the staged directory and the one that the old
//      content will be kept in. THIS is the moment: before it a crash leaves the old content,
//      after it the new, because from now on everybody who opens the directory goes on at 2.
//   2. For collections/ and wal/, while the staged one is there: the old one moves to
//      DATA/<previous>, then the staged one to its place.
//   3. While the staged CURRENT is there: every other MANIFEST-<n>, RESTORE and CURRENT move to
//      DATA/<previous>; then the staged MANIFEST-<n> and CURRENT to their places.
//   4. SWAP is removed.
//
// Each rename is synced in both directories before the next begins, and each step looks at what is
// staged still, so that 2 to 4 may be cut short and begun again any number of times.
//
// Why no simpler way: names of segments in the new content may be those of other segments in the
// old, so both cannot lie side by side with CURRENT as the switch; and the directory itself may be
// a mount point, which cannot be renamed.
#pragma once

#include <string>

#include "storage/store/store.h"

namespace vz::store {

struct Swap {
  std::string staged;    ///< "tmp/restore-<n>", relative to the data directory
  std::string previous;  ///< "previous-<time>", a directory that is there and empty
  friend bool operator==(const Swap&, const Swap&) = default;
};

// For a process that holds the directory's exclusive lock.

/// Steps 1 to 4. Errors: kInvalidArgument (a name; nothing changed); kIoError, kNoSpace: if
/// swap_pending() the new content is in force, and finish_swap() goes on; if not, the old one is,
/// unless only the last step's sync failed. So leave both directories alone.
Status swap_in(Env& env, const Paths& paths, const Swap& swap);

/// Steps 2 to 4 of a swap that was cut short; nothing to do without one.
/// Errors: kCorruption (SWAP is damaged; nothing changed), kIoError, kNoSpace: call it again.
Status finish_swap(Env& env, const Paths& paths);

/// True between steps 1 and 4: the directory holds neither the old content nor the new one whole.
/// Without a lock too.
[[nodiscard]] bool swap_pending(Env& env, const Paths& paths);

}  // namespace vz::store
