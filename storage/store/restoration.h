// The end of every restore, from an archive or by tar: new content that stands staged becomes what
// the directory holds.
//
// The new image is the snapshot's under a number above all that are here, with one more epoch of
// kind restore, 1 above every one seen here or in the snapshot, that begins 1 above every lsn. So
// neither epochs nor lsns go back, and a replica that is behind it needs a full copy. The numbers
// for names of files do not go back either.
//
// All of it is for a process that holds the directory's exclusive lock.
#pragma once

#include <string>

#include "storage/store/seen_here.h"

namespace vz::store {

/// No node reaches an lsn, an epoch << 32, or a number of a file beyond it.
inline constexpr std::uint64_t kNumberMax = 1ull << 62;

/// "20261124T225500Z": the time as names of directories have it.
std::string compact_utc_now();

/// Makes "tmp/restore-<n>", empty, and gives that name; takes away those of restores that a kill
/// has ended, for nobody else is here. Errors: kIoError, kNoSpace.
Result<std::string> make_staging(Env& env, const Paths& paths);

/// Whether an entry of tmp/ is what a restore has staged.
bool is_staging(const DirectoryEntry& entry);

/// Takes away what restores that were ended by a kill have staged, as far as that goes.
void remove_stagings(Env& env, const Paths& paths);

/// Takes away what restores have kept of directories that held no data, which a kill has left.
void remove_previous_without_data(Env& env, const Paths& paths);

/// Adds one more epoch of kind restore to the image: 1 above every one seen here or in the image,
/// from 1 above every lsn of both and above `last` on. Errors: kCorruption: numbers that nobody
/// could have come to, which would turn over; the image is as it was.
Result<manifest::EpochEntry> begin_epoch(manifest::Manifest& image, const SeenHere& seen, Lsn last);

/// The snapshot's image as it goes on here. Errors: kCorruption: numbers that nobody could have
/// come to, which would turn over.
Result<manifest::Manifest> next_image(manifest::Manifest image, const SeenHere& seen);

/// New content that stands complete and synced, but for log, image and CURRENT.
struct StagedSnapshot {
  std::string directory;       ///< "tmp/restore-<n>", relative to the data directory
  manifest::Manifest image{};  ///< the snapshot's own
};

/// One line of the log: what is in force now. previous: "" if there was nothing before.
void log_restored(std::size_t files, const manifest::Manifest& image, const std::string& previous);

/// next_image() and publish_staged() of it, in a directory with FORMAT. Errors: as both;
/// `directory` is left then.
Status put_in_force(Env& env, const Paths& paths, const StagedSnapshot& staged);

/// Adds an empty log, `image` and CURRENT to `staged`, in which collections/ is complete and
/// synced, and swaps it in (swap.h). Returns where the old content is now; "" if there was none.
/// Errors: kIoError, kNoSpace: the old content is in force, and `staged` is left; but if the swap
/// has begun (the message says so) the new content is, and the next one to open the directory
/// completes the exchange.
Result<std::string> publish_staged(Env& env, const Paths& paths, const std::string& staged,
                                   const manifest::Manifest& image, const SeenHere& seen);

}  // namespace vz::store
