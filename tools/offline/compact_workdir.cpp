#include "tools/offline/compact_workdir.h"

#include "storage/store/lock_owner.h"
#include "tools/offline/data_directory.h"

namespace vz::offline {

std::string compact_workdir_path(const std::string& workdir, const store::Identity& identity) {
  return paths_of(workdir).root + "/compact-" + identity.node_id;
}

namespace {

/// Others may write where the workdir is: what a link of theirs leads to is not ours to clear.
Status require_no_link(Env& env, const std::string& path) {
  if (!env.exists(path) || is_directory(env, path)) return {};
  return fail(ErrorCode::kFailedPrecondition,
              path +
                  " is no directory of its own: nothing behind it is touched; remove it, or name "
                  "another --workdir");
}

}  // namespace

Result<std::unique_ptr<CompactWorkdir>> CompactWorkdir::open(Env& env, const std::string& workdir,
                                                             const store::Identity& identity) {
  if (!env.exists(workdir)) {
    return fail(ErrorCode::kNotFound,
                "--workdir " + workdir + ": no such directory: name one on a disk with room");
  }
  const std::string root = compact_workdir_path(workdir, identity);
  VZ_TRY(env.create_directory(root));
  VZ_TRY(require_no_link(env, root));
  std::unique_ptr<CompactWorkdir> made(new CompactWorkdir(env, root));
  VZ_TRY_ASSIGN(made->lock_,
                env.lock(made->paths_.lock(), LockMode::kExclusive, store::lock_owner()));
  VZ_TRY(require_no_link(env, made->paths_.collections()));
  made->clear();
  VZ_TRY(env.create_directory(made->paths_.collections()));
  return made;
}

CompactWorkdir::~CompactWorkdir() {
  if (lock_ == nullptr) return;  // Another's.
  remove_tree(env_, paths_.root);
}

void CompactWorkdir::clear() {
  remove_content(env_, paths_.collections());
}

}  // namespace vz::offline
