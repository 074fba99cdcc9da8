// Verifies a data directory that no node uses, without changing it.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "engine/check/run.h"
#include "storage/env/env.h"
#include "storage/store/store.h"
#include "tools/offline/sample.h"

namespace vz::offline {

struct CheckState;  // check_state.h

inline constexpr unsigned kCheckThreadsMax = 256;

/// Bytes read so far, of all that will be. Called by one thread at a time, often.
using CheckProgress = std::function<void(std::uint64_t bytes_done, std::uint64_t bytes_total)>;

struct CheckOptions {
  check::Level level = check::Level::kBlocks;
  std::string collection{};            ///< name or alias; empty: all of them
  unsigned threads = 1;                ///< 1 .. kCheckThreadsMax
  std::uint64_t limit_rate_bytes = 0;  ///< read at most so many a second; 0: no limit
  CheckProgress progress{};
  /// What is read from level 2 on; the log always whole.
  Sample sample{};
  /// After so long no further piece is begun, but for one; 0: no limit.
  std::chrono::milliseconds duration_max{0};
  /// What earlier runs did, which is not done again, and afterwards what this one did as well;
  /// null: everything is done now.
  CheckState* state = nullptr;
  /// Check against this image instead of the one in force, as if it were; null: the one in force.
  const manifest::Manifest* image = nullptr;
};

struct CheckReport {
  store::Identity identity{};  ///< ids are empty if FORMAT cannot be read
  std::uint64_t manifest = 0;  ///< number of the image that was followed; 0: none could be read
  std::vector<check::Finding> findings{};  ///< by file, then offset
  std::uint64_t files = 0;                 ///< that the manifest names, and log files
  std::uint64_t bytes = 0;                 ///< of these files
  std::uint64_t segments = 0;
  std::uint64_t rows = 0;         ///< of the segments
  std::uint64_t log_records = 0;  ///< that a start would read; from level 2 on
  Lsn lsn = 0;                    ///< the last one of the log, or of the manifest
  double duration_seconds = 0;
  check::Level level = check::Level::kLayout;
  /// Pieces of segments that were to be read, and those that were, in this run or an earlier one.
  std::uint64_t pieces = 0;
  std::uint64_t pieces_done = 0;

  /// False: the time was up before everything was read.
  [[nodiscard]] bool complete() const { return pieces_done == pieces; }

  /// True if a finding is more than a note.
  [[nodiscard]] bool damaged() const;
};

/// Checks `directory`. Damage is a finding, never an error, and checking goes on past it. Opens
/// everything for reading only and holds a shared lock, so that no node starts meanwhile. Files
/// that only the spare manifest names are listed, not read.
///
/// errors  kLocked (at once; names the holder), kNoData (absent, empty, or not ours),
///         kFailedPrecondition (a restore was cut short: neither content is there whole),
///         kIncompatible (a format newer than this program), kNotFound (no such collection),
///         kPermissionDenied (any file, also one of many), kExhausted (no memory, no
///         descriptors), kIoError (the directory cannot be read, something that is no regular file
///         in the place of one).
///         What the disk does not give of a file that could be opened is damage.
/// Starts options.threads threads and joins them.
Result<CheckReport> check(Env& env, const std::string& directory, const CheckOptions& options);

}  // namespace vz::offline
