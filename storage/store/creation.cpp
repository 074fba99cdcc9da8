#include "storage/store/creation.h"

#include <cerrno>

#include <sys/random.h>

namespace vz::store {
namespace {

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

/// Makes the directory's own name durable. A parent that we may not read is not ours to make so.
Status sync_parent(Env& env, const std::string& path) {
  const Status synced = env.sync_directory(parent_directory(path));
  if (!synced && synced.error().code == ErrorCode::kPermissionDenied) return {};
  return synced;
}

}  // namespace

Result<Identity> new_identity() {
  Identity identity;
  VZ_TRY_ASSIGN(identity.cluster_id, random_uuid());
  VZ_TRY_ASSIGN(identity.node_id, random_uuid());
  return identity;
}

Status create_directories(Env& env, const Paths& paths) {
  for (const std::string& path : {paths.wal(), paths.collections(), paths.quarantine()}) {
    VZ_TRY(env.create_directory(path));
  }
  return env.sync_directory(paths.root);
}

Status create_content(Env& env, const Paths& paths) {
  VZ_TRY(create_directories(env, paths));
  // With CURRENT, content is there whose FORMAT was lost: a restore will move it aside as it is.
  if (!env.exists(paths.root + "/CURRENT"))
    VZ_TRY(manifest::publish(env, paths.root, {.number = 1}));
  VZ_TRY_ASSIGN(const Identity identity, new_identity());
  VZ_TRY(sync_parent(env, paths.root));
  return publish_file(env, paths.format(), as_bytes(encode_identity(identity)));
}

}  // namespace vz::store
