// Cuts the log behind a record, so that what came later never happened: the last resort after a
// mistake that no restore undoes, or damage that allows no start.
//
// In this order, each durable before the next:
//   1. An image with one more epoch, of kind restore, that begins above every lsn seen here. So no
//      lsn comes again, and replicas take a full sync.
//   2. The file with the cut in it is copied whole to quarantine/truncated-<epoch>/, which gets its
//      record, and log files that begin behind the cut move there, newest first.
//   3. The file with the cut in it is cut.
// A kill before 1 leaves everything as it was; behind it, a sound log that ends at the cut or
// anywhere behind it, and whatever it lost in quarantine. The next run goes on, in the same epoch
// and with the same entry.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "storage/env/env.h"
#include "storage/store/store.h"

namespace vz::offline {

struct TruncateOptions {
  Lsn at = 0;  ///< the last record that stays
  /// Records that may go; with fewer than there are behind the cut nothing is done.
  std::uint64_t loss_allowed = 0;
  enum class Run : std::uint8_t { kPlan, kApply };
  Run run = Run::kPlan;
  std::string tool{};  ///< for the record in quarantine/: name and version of the program
};

struct TruncateReport {
  Lsn at = 0;
  Lsn least = 0;                       ///< the lowest `at`: segments and manifest are as of it
  Lsn readable = 0;                    ///< the log can be read up to here
  Lsn last = 0;                        ///< the last valid record found, also behind damage
  std::uint64_t records_lost = 0;      ///< at most: a file whose header is damaged counts as full
  std::uint64_t bytes_kept_aside = 0;  ///< of files that go to quarantine/, or are copied there
  std::vector<std::string> files{};    ///< that are cut or moved, relative to the directory
  Epoch epoch = 0;                     ///< the new one; 0 if nothing is to be done
  Lsn first_lsn = 0;                   ///< that it begins at
  bool allowed = true;                 ///< false: more would be lost than allowed; nothing was done
  bool truncated = false;
};

/// Errors: those of open_for_reading() or open_for_writing(); kFailedPrecondition: `at` is below
/// what the segments hold, or behind what the log can be read to (nothing was changed); kNoSpace,
/// kIoError: as a kill.
Result<TruncateReport> truncate_log(Env& env, const std::string& directory,
                                    const TruncateOptions& options);

}  // namespace vz::offline
