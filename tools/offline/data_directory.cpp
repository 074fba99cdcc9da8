#include "tools/offline/data_directory.h"

#include <algorithm>
#include <utility>

#include "storage/archive/member_name.h"
#include "storage/store/directory_state.h"
#include "storage/store/pending_restore.h"
#include "storage/store/swap.h"

namespace vz::offline {

store::Paths paths_of(std::string directory) {
  while (directory.size() > 1 && directory.back() == '/') directory.pop_back();
  return {std::move(directory)};
}

Status require_directory(Env& env, const store::Paths& paths) {
  if (const auto listed = env.list(paths.root);
      !listed && listed.error().code == ErrorCode::kPermissionDenied)
    return tl::unexpected<Error>(listed.error());
  if (!env.exists(paths.root)) return fail(ErrorCode::kNoData, paths.root + " does not exist");
  if (env.open(paths.root, OpenMode::kRead))  // Opens regular files only.
    return fail(ErrorCode::kNoData, paths.root + " is not a directory");
  return {};
}

Status require_data(Env& env, const store::Paths& paths) {
  VZ_TRY(require_directory(env, paths));
  VZ_TRY_ASSIGN(const store::DirectoryState state, store::inspect(env, paths));
  if (state == store::DirectoryState::kFresh) return no_data_yet(env, paths);
  return {};
}

tl::unexpected<Error> no_data_yet(Env& env, const store::Paths& paths) {
  if (!store::restore_pending(env, paths))
    return fail(ErrorCode::kNoData, paths.root + " is empty: no node has used it yet");
  return fail(ErrorCode::kNoData, paths.root +
                                      " holds a snapshot that tar has unpacked, and no data yet: "
                                      "start a node on it, which restores it");
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

Status require_no_restore(Env& env, const store::Paths& paths) {
  const std::string path = paths.root + "/" + std::string(archive::kRestoreName);
  if (!env.exists(path)) return {};
  return fail(ErrorCode::kFailedPrecondition,
              path +
                  " is there: a snapshot was unpacked into this directory. Start a node on it, "
                  "which takes it up, or give it up with `data restore-abort`");
}

Result<DataDirectory> open_for_reading(Env& env, const std::string& directory) {
  DataDirectory data;
  data.paths = paths_of(directory);
  VZ_TRY(require_data(env, data.paths));
  VZ_TRY_ASSIGN(data.identity, store::read_identity(env, data.paths));
  VZ_TRY_ASSIGN(data.lock, lock_shared(env, data.paths));
  VZ_TRY(require_no_swap(env, data.paths));
  auto image = manifest::load(env, data.paths.root);
  if (!image && image.error().code == ErrorCode::kNotFound)
    return fail(ErrorCode::kCorruption, data.paths.root + "/CURRENT is missing");
  VZ_TRY_ASSIGN(data.image, std::move(image));
  return data;
}

Result<std::unique_ptr<store::Store>> open_for_writing(Env& env, const std::string& directory) {
  const store::Paths paths = paths_of(directory);
  VZ_TRY(require_data(env, paths));
  VZ_TRY(require_no_restore(env, paths));
  VZ_TRY_ASSIGN(auto store, store::Store::open(env, paths.root,
                                               {.restore = store::OpenOptions::Restore::kLeft}));
  VZ_TRY(require_no_restore(env, paths));  // Again: tar may have begun meanwhile.
  return store;
}

bool is_wanted(const manifest::Manifest& image, const manifest::CollectionEntry& entry,
               std::string_view wanted) {
  if (wanted.empty() || entry.name == wanted) return true;
  return std::any_of(image.aliases.begin(), image.aliases.end(), [&](const auto& alias) {
    return alias.name == wanted && alias.collection == entry.id;
  });
}

Result<std::vector<const manifest::CollectionEntry*>> wanted_collections(
    const store::Paths& paths, const manifest::Manifest& image, std::string_view wanted) {
  std::vector<const manifest::CollectionEntry*> found;
  for (const auto& entry : image.collections)
    if (is_wanted(image, entry, wanted)) found.push_back(&entry);
  if (!found.empty() || wanted.empty()) return found;
  return fail(ErrorCode::kNotFound, "there is no collection '" + std::string(wanted) + "' in " +
                                        paths.root + ": `data info` lists them");
}

}  // namespace vz::offline
