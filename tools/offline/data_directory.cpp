#include "tools/offline/data_directory.h"

#include <utility>

#include "storage/store/swap.h"

namespace vz::offline {

store::Paths paths_of(std::string directory) {
  while (directory.size() > 1 && directory.back() == '/') directory.pop_back();
  return {std::move(directory)};
}

Result<std::unique_ptr<FileLock>> lock_shared(Env& env, const store::Paths& paths) {
  auto lock = env.lock(paths.lock(), LockMode::kShared, "");
  if (!lock && lock.error().code == ErrorCode::kNotFound) return std::unique_ptr<FileLock>();
  return lock;
}

Status require_no_swap(Env& env, const store::Paths& paths) {
  if (!store::swap_pending(env, paths)) return {};
  return fail(ErrorCode::kFailedPrecondition,
              paths.root +
                  " is in the middle of a restore that was cut short: start a node on it, "
                  "or restore again, which completes it");
}

}  // namespace vz::offline
