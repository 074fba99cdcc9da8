// Where compact() builds files when the data directory's disk has no room: DIR/compact-<node id>/,
// on another disk. Nothing in it is ever the only copy of anything.
#pragma once

#include <memory>
#include <string>

#include "storage/env/env.h"
#include "storage/store/store.h"

namespace vz::offline {

/// The one of this data directory below `workdir`.
std::string compact_workdir_path(const std::string& workdir, const store::Identity& identity);

/// Taken while it lives, and removed with all that is in it at the end; a kill leaves it, and the
/// next run, or `data gc --workdir`, removes what is there. Not thread-safe.
class CompactWorkdir {
 public:
  /// Makes it below `workdir`, a directory that is there, and empties it.
  /// Errors: kNotFound (no `workdir`); kFailedPrecondition: a link stands there, and nothing behind
  /// it is touched; kLocked: a copy of this data directory is being compacted
  /// there; kPermissionDenied, kNoSpace, kIoError.
  static Result<std::unique_ptr<CompactWorkdir>> open(Env& env, const std::string& workdir,
                                                      const store::Identity& identity);
  ~CompactWorkdir();
  CompactWorkdir(const CompactWorkdir&) = delete;
  CompactWorkdir& operator=(const CompactWorkdir&) = delete;

  [[nodiscard]] const store::Paths& paths() const { return paths_; }
  /// Removes the files of collections, for those of the next segment.
  void clear();

 private:
  CompactWorkdir(Env& env, std::string root) : env_(env), paths_{std::move(root)} {}

  Env& env_;
  store::Paths paths_;
  std::unique_ptr<FileLock> lock_;
};

}  // namespace vz::offline
