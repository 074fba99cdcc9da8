#include "tools/offline/repair.h"

#include <utility>

#include "storage/store/lock_owner.h"
#include "storage/store/space.h"
#include "tools/offline/data_directory.h"
#include "tools/offline/layout.h"
#include "tools/offline/repair_plan.h"

namespace vz::offline {
namespace {

/// Names and sizes of everything that a plan depends on: a node or another tool changes some.
Result<std::string> fingerprint(Env& env, const store::Paths& paths) {
  std::string out;
  const auto add = [&](const std::string& directory) -> Status {
    const auto entries = env.list(directory);
    if (!entries && entries.error().code == ErrorCode::kNotFound) return {};
    VZ_TRY(entries);
    for (const DirectoryEntry& entry : *entries) {
      if (entry.name == "LOCK") continue;
      const std::uint64_t size = entry.type == FileType::kRegular ? entry.size_bytes : 0;
      out += directory + "/" + entry.name + " " + std::to_string(size) + "\n";
    }
    return {};
  };
  VZ_TRY(add(paths.root));
  VZ_TRY(add(paths.wal()));
  VZ_TRY(add(paths.collections()));
  const auto collections = env.list(paths.collections());
  if (!collections) return out;
  for (const DirectoryEntry& entry : *collections)
    if (entry.type == FileType::kDirectory) VZ_TRY(add(paths.collections() + "/" + entry.name));
  return out;
}

}  // namespace

std::uint64_t RepairReport::loss() const {
  std::uint64_t count = records.records;
  for (const LostPoints& lost : points) count += lost.count();
  return count;
}

Result<RepairReport> repair(Env& env, const std::string& directory, const RepairOptions& options) {
  VZ_ASSERT(options.threads >= 1 && options.threads <= kCheckThreadsMax);
  const store::Paths paths = paths_of(directory);
  // First what tells whose directory this is: before that not even a lock is taken.
  check::Findings unused(paths);
  VZ_TRY(read_format(env, paths, unused));
  // An exclusive lock writes its owner into LOCK: only for those who go on to write.
  VZ_TRY_ASSIGN(auto shared, lock_shared(env, paths));
  VZ_TRY(require_no_swap(env, paths));
  VZ_TRY(require_no_restore(env, paths));
  VZ_TRY_ASSIGN(RepairPlan plan, plan_repair(env, paths, options));
  VZ_TRY_ASSIGN(const DiskSpace space, env.disk_space(paths.root));
  plan.report.free_bytes = space.free_bytes;
  if (!plan.empty()) {
    VZ_TRY_ASSIGN(plan.report.space_needed, space_for(env, paths, plan));
  }
  const bool planned_only = options.run == RepairOptions::Run::kPlanned || plan.empty();
  if (planned_only || plan.report.refused(options)) return std::move(plan.report);

  VZ_TRY_ASSIGN(const std::string before, fingerprint(env, paths));
  shared.reset();
  VZ_TRY_ASSIGN(const auto lock, env.lock(paths.lock(), LockMode::kExclusive, store::lock_owner()));
  VZ_TRY(require_no_restore(env, paths));
  VZ_TRY_ASSIGN(const std::string after, fingerprint(env, paths));
  if (before != after) {
    return fail(ErrorCode::kFailedPrecondition,
                paths.root + " has changed since the plan was made: run the repair again");
  }
  VZ_TRY(
      store::require_space(env, {{paths.root, plan.report.space_needed}}, "repairing " + paths.root,
                           "free some (`data gc` shows what nobody needs, `data quarantine purge` "
                           "removes what earlier repairs have kept), or repair a copy on a larger "
                           "disk; nothing was changed"));
  VZ_TRY(apply_repair(env, paths, options, plan));
  return std::move(plan.report);
}

}  // namespace vz::offline
