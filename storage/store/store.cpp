// Opening, creating and publishing. What is removed when: leftovers.cpp.
#include "storage/store/store.h"

#include <algorithm>

#include "storage/store/creation.h"
#include "storage/store/directory_state.h"
#include "storage/store/leftovers.h"
#include "storage/store/lock_owner.h"
#include "storage/store/pending_restore.h"
#include "storage/store/swap.h"

namespace vz::store {
namespace {

constexpr std::size_t kOldImagesMax = 8;

std::string without_trailing_slashes(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

/// Nothing if none is pending, or it is to be left. Errors: it is pending and not complete.
Result<std::optional<VerifiedRestore>> verified_restore(Env& env, const Paths& paths,
                                                        const OpenOptions& options) {
  if (options.restore == OpenOptions::Restore::kLeft || !restore_pending(env, paths))
    return std::nullopt;
  if (options.verified != nullptr && options.verified->still_holds(env, paths))
    return *options.verified;
  VZ_TRY_ASSIGN(VerifiedRestore verified,
                VerifiedRestore::verify(env, paths, [](std::uint64_t) { return Status(); }));
  return verified;
}

}  // namespace

Result<std::unique_ptr<Store>> Store::open(Env& env, const std::string& directory,
                                           const OpenOptions& options) {
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
  const bool ours = state == DirectoryState::kOurs;
  if (ours) VZ_TRY(read_identity(env, paths));
  if (ours) VZ_TRY(finish_swap(env, paths));
  VZ_TRY_ASSIGN(const auto restore, verified_restore(env, paths, options));
  if (!ours) VZ_TRY(create_content(env, paths));
  if (restore) VZ_TRY(put_in_force(env, paths, *restore));
  VZ_TRY(store->open_existing());
  return store;
}

Status Store::open_existing() {
  VZ_TRY_ASSIGN(identity_, read_identity(env_, paths_));
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
    remember_old(next);
    return published;
  }
  remember_old(std::move(previous_));
  previous_ = std::move(current_);
  current_ = next;
  previous_unreadable_ = 0;
  remove_obsolete();
  return {};
}

void Store::remember_old(manifest::Manifest image) {
  if (old_.size() == kOldImagesMax) old_.erase(old_.begin());
  old_.push_back(std::move(image));
}

bool Store::restore_pending() const {
  return store::restore_pending(env_, paths_);
}

Status Store::create_collection_directory(CollectionId id) {
  VZ_TRY(env_.create_directory(paths_.collection(id)));
  // Also when it was there: whoever made it may have died before the sync.
  return env_.sync_directory(paths_.collections());
}

}  // namespace vz::store
