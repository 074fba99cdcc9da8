// What a repair will do, before it does anything.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "storage/store/seen_here.h"
#include "tools/offline/log_loss.h"
#include "tools/offline/quarantine.h"
#include "tools/offline/repair.h"

namespace vz::offline {

struct RepairPlan {
  RepairReport report{};
  manifest::Manifest image{};  ///< to go on from: as published, or rebuilt
  store::SeenHere seen{};

  bool new_image = false;                       ///< publish under a new number
  bool current_only = false;                    ///< CURRENT is made to name `image` again
  bool format_lost = false;                     ///< write FORMAT
  bool directories_lost = false;                ///< make wal/ and collections/
  std::vector<CollectionRepair> collections{};  ///< those that change
  LogVerdict log{};
  bool new_epoch = false;  ///< report.new_epoch begins at report.new_first_lsn
  std::vector<QuarantineRecord> quarantine{};
  std::vector<std::string> removed{};  ///< whole paths, after the publish

  [[nodiscard]] bool empty() const { return report.actions.empty(); }
};

/// Under a shared lock of the caller's. Never writes. Errors: see repair().
Result<RepairPlan> plan_repair(Env& env, const store::Paths& paths, const RepairOptions& options);

/// Bytes that its application writes beside the files that are there: an upper bound, less what an
/// earlier run has in quarantine already. Errors: kIoError; kCorruption: of a definition.
Result<std::uint64_t> space_for(Env& env, const store::Paths& paths, const RepairPlan& plan);

/// Under an exclusive lock of the caller's; fills report.applied and report.quarantined.
/// Errors: kIoError, kNoSpace and the like: run the repair again.
Status apply_repair(Env& env, const store::Paths& paths, const RepairOptions& options,
                    RepairPlan& plan);

}  // namespace vz::offline
