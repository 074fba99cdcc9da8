// A snapshot that `tar` has unpacked into a data directory, beside or over what was there. RESTORE
// says that it is there and what belongs to it; whoever opens the directory puts it in force.
//
//   1. RESTORE is sound, and every file that it names is there: a regular file beneath the
//      directory, with its size and SHA-256. Each is synced.
//   2. The files get second names in DATA/tmp/restore-<n>/collections/ (or copies, where the file
//      system gives none). So they stay in the old content as well, which may need some of them.
//   3. publish_staged() (restoration.h): the new image, and the swap, which moves the old content
//      and RESTORE to DATA/previous-<time>/.
//
// Before the swap's first step nothing has changed but in tmp/: after a kill the next start begins
// again at 1. After that step it goes on with the swap.
//
// What tar itself may have done: it overwrites files of the same name. In the directory's own
// history such a file has the same bytes. In another one it may have others, and then a file of the
// old content is lost before anybody of us comes; the restore does not need it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "storage/store/snapshot_contents.h"
#include "storage/store/store.h"

namespace vz::store {

/// Ends the message when a file of tar's cannot be read.
inline constexpr const char* kOwnerAdvice =
    "; what tar unpacks must belong to the user that the node runs as";

/// True if RESTORE is there, in whatever state: then no file of collections/ may be removed. One
/// stat; without a lock too.
[[nodiscard]] bool restore_pending(Env& env, const Paths& paths);

/// Errors: kNotFound (there is none); kCorruption (damaged, still being written, no regular file);
/// kIncompatible; kIoError.
Result<SnapshotContents> read_restore(Env& env, const Paths& paths);

/// How much of a snapshot has come.
struct Arrival {
  std::uint64_t files = 0;
  std::uint64_t files_present = 0;  ///< regular files with the size that they should have
  std::string problem;              ///< what is wrong with the others, in words; "" if nothing
  /// Differs when RESTORE or one of the files has changed, come or gone.
  std::uint64_t fingerprint = 0;

  [[nodiscard]] bool complete() const { return files_present == files; }
};
/// Looks at names and sizes; reads no file. Errors: kIoError, kPermissionDenied: listing.
Result<Arrival> look_at_arrival(Env& env, const Paths& paths, const SnapshotContents& contents);

/// Told after each piece that was read, in bytes; its error ends the reading.
using OnBytesRead = std::function<Status(std::uint64_t bytes)>;

/// Reads every file against its size and SHA-256, and syncs it. Errors: kCorruption, naming the
/// first ones that are wrong and their number; kIoError; those of `on_bytes_read`.
Status check_files(Env& env, const Paths& paths, const std::vector<format::RestoreFile>& files,
                   const OnBytesRead& on_bytes_read);

/// A pending restore whose files were all read and found right, and are durable.
class VerifiedRestore {
 public:
  /// Step 1. Changes nothing. Errors: those of read_restore() and check_files(), with what to do.
  static Result<VerifiedRestore> verify(Env& env, const Paths& paths,
                                        const OnBytesRead& on_bytes_read);

  [[nodiscard]] const SnapshotContents& contents() const { return contents_; }
  /// False if RESTORE or a file has changed since, as far as the file system tells.
  [[nodiscard]] bool still_holds(Env& env, const Paths& paths) const;

 private:
  VerifiedRestore(SnapshotContents contents, std::uint64_t fingerprint)
      : contents_(std::move(contents)), fingerprint_(fingerprint) {}

  SnapshotContents contents_;
  std::uint64_t fingerprint_;
};

/// Steps 2 and 3, for a process that holds the exclusive lock, in a directory with FORMAT.
/// Errors: as publish_staged(); kCorruption (numbers beyond all bounds). RESTORE is still there
/// then, unless the swap has begun.
Status put_in_force(Env& env, const Paths& paths, const VerifiedRestore& restore);

}  // namespace vz::store
