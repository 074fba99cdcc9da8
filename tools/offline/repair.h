// Mends a damaged data directory that no node uses: first a plan, then, if asked for, the plan.
//
// What is derived is made again; what is lost is named, point by point. Order of an application,
// and what a kill leaves:
//   1. lock, exclusively; nothing may have changed since the plan was made, and the disk has room
//   2. a copy and a record of everything that will go (quarantine.h): as before
//   3. new files under numbers that were never used, each synced: as before, and leftovers
//   4. ONE publish of an image: the moment. Before it a node sees the old state, after it the new
//   5. the log is cut where the plan says, originals of what was copied go, FORMAT is written if it
//      was lost: a kill in between leaves damage of which the next run repairs the rest
// So a rerun ends where an undisturbed run ends; entries of the quarantine are never made twice.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/check/finding.h"
#include "storage/env/env.h"
#include "tools/offline/check.h"
#include "tools/offline/repair_collection.h"

namespace vz::offline {

struct RepairOptions {
  enum class Run : std::uint8_t { kPlanned, kApplied };

  Run run = Run::kPlanned;  ///< kPlanned: reads and judges, writes nothing at all
  /// Points and log records that may be lost; 0: none.
  std::uint64_t loss_allowed = 0;
  unsigned threads = 1;  ///< 1 .. kCheckThreadsMax
  std::string tool{};    ///< for the records in quarantine/: name and version of the program
  CheckProgress progress{};
};

struct RepairAction {
  std::string file{};                       ///< relative to the directory
  std::string what{};                       ///< "cut at 4096: ..."
  std::vector<check::FindingId> because{};  ///< what a check says about the file
};

/// Records of the log that no segment has and that cannot be followed to.
struct LostRecords {
  std::uint64_t records = 0;
  bool count_is_known = true;  ///< false: at least `records`
  Lsn first_lsn = 0;           ///< 0: none
  Lsn last_lsn = 0;
};

struct RepairReport {
  std::vector<RepairAction> actions{};  ///< empty: nothing to do
  std::vector<LostPoints> points{};  ///< of collections that lose any, or whose versions are unsure
  LostRecords records{};
  std::vector<std::string> notes{};
  std::vector<check::Finding> unmended{};  ///< damage that this program has no remedy for
  bool applied = false;
  std::uint64_t space_needed = 0;  ///< bytes beside the files that are there; an upper bound
  std::uint64_t free_bytes = 0;    ///< of the disk, before
  Epoch new_epoch = 0;             ///< 0: the history goes on as it was
  Lsn new_first_lsn = 0;
  std::vector<std::string> quarantined{};  ///< names of the entries; of a plan: as they would be

  /// What loss_allowed has to be, at least.
  [[nodiscard]] std::uint64_t loss() const;
  /// The plan loses more than the options allow: nothing was changed.
  [[nodiscard]] bool refused(const RepairOptions& options) const {
    return loss() > options.loss_allowed;
  }
};

/// Errors: kLocked (at once; names the holder), kNoData, kIncompatible, kPermissionDenied;
/// kFailedPrecondition: a restore was cut short, or somebody changed the directory meanwhile;
/// kCorruption: a name in wal/ that is no file; kNoSpace: with the numbers; kIoError: also
/// something that is no regular file in the place of one. Nothing was changed then, but for an
/// error of an application in its steps 2 to 5 (above): run it again. A file that may not be read
/// is such an error, never a loss.
Result<RepairReport> repair(Env& env, const std::string& directory, const RepairOptions& options);

}  // namespace vz::offline
