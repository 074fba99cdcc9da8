// Gives up a snapshot that tar has unpacked into a data directory: back to what was there.
//
// Order, and what a kill leaves:
//   1. lock, exclusively; RESTORE is read, and every file that the image in force names is checked
//      against its size and SHA-256, because tar may have overwritten some of them
//   2. DATA/quarantine/restore-<time>/ gets the record of what will go there
//   3. the files that RESTORE names and no image here does move there
//   4. RESTORE moves there last: until then a rerun goes on, and a node does not start
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "storage/env/env.h"

namespace vz::offline {

struct RestoreAbortOptions {
  enum class Run : std::uint8_t { kReal, kDry };

  std::string data_dir;
  Run run = Run::kReal;  ///< kDry: reads and judges, moves nothing
  std::string tool{};    ///< for the record in quarantine/: name and version of the program
  /// Told how far the check of the old content is, in bytes.
  std::function<void(std::uint64_t done, std::uint64_t total)> on_progress = [](std::uint64_t,
                                                                                std::uint64_t) {};
};

struct RestoreAbortReport {
  bool pending = false;           ///< false: there was no RESTORE, and nothing was done
  bool marker_readable = false;   ///< false: RESTORE is damaged; only it is moved, for its files
                                  ///< cannot be told from others
  std::uint64_t files_moved = 0;  ///< without RESTORE (dry: that would be)
  std::uint64_t bytes_moved = 0;
  std::string quarantine;  ///< where they are now (dry: ""); "" if nothing was done
};

/// Errors: kLocked (a node is running: names it, and how to give up there); kNoData (no such
/// directory; nothing of ours; or nothing was here before the snapshot);
/// kFailedPrecondition (the snapshot is in force already); kCorruption: the old content was
/// overwritten or is damaged, naming the files; kIncompatible, kIoError. Nothing was changed, but
/// after kIoError in a later step, when a rerun goes on.
Result<RestoreAbortReport> abort_restore(Env& env, const RestoreAbortOptions& options);

}  // namespace vz::offline
