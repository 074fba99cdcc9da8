#include "tools/offline/snapshot_pack.h"

#include "storage/snapshot/folder.h"
#include "storage/store/directory_state.h"
#include "storage/store/snapshot_contents.h"
#include "storage/store/store.h"
#include "tools/offline/data_directory.h"
#include "tools/offline/place.h"
#include "tools/offline/unflushed.h"

namespace vz::offline {
namespace {

/// Errors: kFailedPrecondition with their number; those of count_unflushed.
Status require_all_flushed(Env& env, const store::Paths& paths,
                           const manifest::Manifest& manifest) {
  VZ_TRY_ASSIGN(const UnflushedRecords unflushed, count_unflushed(env, paths, manifest));
  if (unflushed.records == 0) return {};
  return fail(ErrorCode::kFailedPrecondition,
              "the log of " + paths.root + " holds " + std::to_string(unflushed.records) +
                  " records that no segment holds: start the node once and stop it with SIGTERM, "
                  "which seals them, then pack again");
}

/// Errors: kNotFound, kNoData, kFailedPrecondition, those of reading.
Result<store::SnapshotContents> read_directory(Env& env, const store::Paths& paths) {
  VZ_TRY(store::read_identity(env, paths));
  VZ_TRY(require_no_swap(env, paths));
  auto manifest = manifest::load(env, paths.root);
  if (!manifest && manifest.error().code == ErrorCode::kNotFound) {
    return fail(ErrorCode::kCorruption, paths.root + "/CURRENT is missing");
  }
  if (!manifest) return tl::unexpected<Error>(std::move(manifest).error());
  VZ_TRY(require_all_flushed(env, paths, *manifest));
  return store::make_contents(std::move(*manifest));
}

Result<std::unique_ptr<FileLock>> lock_directory(Env& env, const store::Paths& paths) {
  VZ_TRY(require_directory(env, paths));
  VZ_TRY_ASSIGN(const auto state, store::inspect(env, paths));
  if (state == store::DirectoryState::kFresh) {
    return fail(ErrorCode::kNoData, paths.root + " holds no data yet: there is nothing to pack");
  }
  return lock_shared(env, paths);
}

/// An archive between the data would be taken for a stranger's file, or hide one of the data's.
Status require_outside(const store::Paths& paths, const std::string& to) {
  const std::string directory = parent_directory(to);
  const bool among_snapshots = real_path(directory) == real_path(snapshot::folder_of(paths.root));
  if (!lies_in(directory, paths.root) || among_snapshots) return {};
  return fail(ErrorCode::kInvalidArgument,
              to + " lies in the data directory that is packed: name a file outside of it, or in " +
                  snapshot::folder_of(paths.root));
}

}  // namespace

Result<snapshot::PackReport> pack(Env& env, const std::string& data_dir,
                                  archive::ArchiveFormat format, archive::ByteSink& sink) {
  const store::Paths paths = paths_of(data_dir);
  VZ_TRY_ASSIGN(const auto lock, lock_directory(env, paths));
  VZ_TRY_ASSIGN(const store::SnapshotContents contents, read_directory(env, paths));
  return snapshot::write_archive(env, paths.root, contents, format, sink);
}

Result<snapshot::PackReport> pack_to_file(Env& env, const std::string& data_dir,
                                          archive::ArchiveFormat format, const std::string& to,
                                          snapshot::Present present) {
  VZ_TRY(require_outside(paths_of(data_dir), to));
  return snapshot::publish_archive(
      env, to, present, [&](archive::ByteSink& sink) { return pack(env, data_dir, format, sink); });
}

}  // namespace vz::offline
