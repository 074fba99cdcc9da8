// Opening, creating and publishing. What is removed when: leftovers.cpp.
#include "storage/store/store.h"

#include <algorithm>
#include <cerrno>

#include <sys/random.h>

#include "storage/store/directory_state.h"
#include "storage/store/leftovers.h"
#include "storage/store/lock_owner.h"
#include "storage/store/swap.h"

namespace vz::store {
namespace {

constexpr std::size_t kFailedImagesMax = 8;

/// A random UUID, version 4. Errors: kIoError.
Result<std::string> random_uuid() {
  std::uint64_t halves[2] = {};
  ssize_t got = 0;
  do {
    got = ::getrandom(halves, sizeof halves, 0);
  } while (got < 0 && errno == EINTR);
  if (got != static_cast<ssize_t>(sizeof halves)) {
    return fail(ErrorCode::kIoError, "the system gave no random bytes");
  }
  halves[0] = (halves[0] & ~0xf000ull) | 0x4000ull;
  halves[1] = (halves[1] & ~(3ull << 62)) | 2ull << 62;
  return PointId::uuid(halves[0], halves[1]).to_string();
}

std::string without_trailing_slashes(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

Status create_directories(Env& env, const Paths& paths) {
  for (const std::string& path : {paths.wal(), paths.collections(), paths.quarantine()}) {
    VZ_TRY(env.create_directory(path));
  }
  return env.sync_directory(paths.root);
}

/// Makes the directory's own name durable. A parent that we may not read is not ours to make so.
Status sync_parent(Env& env, const std::string& path) {
  const Status synced = env.sync_directory(parent_directory(path));
  if (!synced && synced.error().code == ErrorCode::kPermissionDenied) return {};
  return synced;
}

}  // namespace

Result<std::unique_ptr<Store>> Store::open(Env& env, const std::string& directory) {
  Paths paths{without_trailing_slashes(directory)};
  VZ_TRY_ASSIGN(DirectoryState state, inspect(env, paths));
  // Before the lock, so that a directory of a newer program is not even locked.
  if (state == DirectoryState::kOurs) VZ_TRY(read_identity(env, paths));
  if (state == DirectoryState::kAbsent) VZ_TRY(env.create_directory(paths.root));

  std::unique_ptr<Store> store(new Store(env, paths));
  auto lock = env.lock(paths.lock(), LockMode::kExclusive, lock_owner());
  if (!lock) return tl::unexpected<Error>(std::move(lock).error());
  store->lock_ = std::move(*lock);

  // Again: while we had no lock another process may have created it, and even used it.
  VZ_TRY_ASSIGN(state, inspect(env, paths));
  if (state != DirectoryState::kOurs) VZ_TRY(store->create_first());
  VZ_TRY(store->open_existing());
  return store;
}

/// FORMAT comes last: with it the directory is ours and whole, without it nothing is lost.
Status Store::create_first() {
  VZ_TRY(create_directories(env_, paths_));
  VZ_TRY(manifest::publish(env_, paths_.root, {.number = 1}));
  Identity identity;
  VZ_TRY_ASSIGN(identity.cluster_id, random_uuid());
  VZ_TRY_ASSIGN(identity.node_id, random_uuid());
  VZ_TRY(sync_parent(env_, paths_.root));
  return publish_file(env_, paths_.format(), as_bytes(encode_identity(identity)));
}

Status Store::open_existing() {
  VZ_TRY_ASSIGN(identity_, read_identity(env_, paths_));
  VZ_TRY(finish_swap(env_, paths_));
  auto loaded = manifest::load(env_, paths_.root);
  if (!loaded && loaded.error().code == ErrorCode::kNotFound) {
    return fail(ErrorCode::kCorruption, paths_.root + "/CURRENT is missing");
  }
  if (!loaded) return tl::unexpected<Error>(std::move(loaded).error());
  opened_ = *loaded;
  current_ = std::move(*loaded);
  VZ_TRY(load_previous());
  // The process before us may have died between a rename here and its sync: what we have just read
  // has to be durable before anything is built on it.
  return create_directories(env_, paths_);
}

Status Store::load_previous() {
  VZ_TRY_ASSIGN(PreviousImage previous, load_previous_image(env_, paths_, current_.number));
  previous_ = std::move(previous.image);
  previous_unreadable_ = previous.unreadable;
  return {};
}

Status Store::publish(const manifest::Manifest& next) {
  if (next.number <= current_.number) {
    return fail(ErrorCode::kFailedPrecondition, "manifest " + std::to_string(next.number) +
                                                    " is not newer than the one in force, " +
                                                    std::to_string(current_.number));
  }
  VZ_TRY(manifest::check(next));
  if (auto published = manifest::publish(env_, paths_.root, next); !published) {
    if (failed_.size() == kFailedImagesMax) failed_.erase(failed_.begin());
    failed_.push_back(next);
    return published;
  }
  std::vector<manifest::Manifest> older = std::move(failed_);
  failed_.clear();
  older.push_back(std::move(previous_));
  previous_ = std::move(current_);
  current_ = next;
  previous_unreadable_ = 0;
  remove_obsolete(older);
  return {};
}

Status Store::create_collection_directory(CollectionId id) {
  VZ_TRY(env_.create_directory(paths_.collection(id)));
  // Also when it was there: whoever made it may have died before the sync.
  return env_.sync_directory(paths_.collections());
}

}  // namespace vz::store
