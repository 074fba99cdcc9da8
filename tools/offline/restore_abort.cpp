#include "tools/offline/restore_abort.h"

#include <algorithm>
#include <optional>
#include <set>

#include "storage/store/directory_state.h"
#include "storage/store/lock_owner.h"
#include "storage/store/pending_restore.h"
#include "storage/store/restoration.h"
#include "storage/store/swap.h"
#include "tools/offline/data_directory.h"
#include "tools/offline/quarantine.h"

namespace vz::offline {
namespace {

class Withdrawal {
 public:
  Withdrawal(Env& env, const RestoreAbortOptions& options)
      : env_(env), options_(options), paths_(paths_of(options.data_dir)) {}

  Result<RestoreAbortReport> run() {
    VZ_TRY(require_ours());
    VZ_TRY_ASSIGN(const auto lock, lock_exclusive());
    if (store::swap_pending(env_, paths_)) {
      return fail(ErrorCode::kFailedPrecondition,
                  paths_.root +
                      ": the snapshot is in force already, and the next start completes "
                      "the exchange; the old content is kept in previous-<time>/");
    }
    RestoreAbortReport report;
    report.pending = store::restore_pending(env_, paths_);
    if (!report.pending) return report;
    VZ_TRY_ASSIGN(const auto contents, read_marker());
    report.marker_readable = contents.has_value();
    VZ_TRY(check_old_content());
    VZ_TRY_ASSIGN(const auto files, only_of_restore(contents));
    for (const auto& file : files) {
      ++report.files_moved;
      report.bytes_moved += file.size_bytes;
    }
    if (options_.run == RestoreAbortOptions::Run::kDry) return report;
    VZ_TRY_ASSIGN(report.quarantine, move_away(files));
    store::remove_stagings(env_, paths_);
    return report;
  }

 private:
  Status require_ours() {
    VZ_TRY(require_directory(env_, paths_));
    VZ_TRY_ASSIGN(const auto state, store::inspect(env_, paths_));
    if (state == store::DirectoryState::kFresh) {
      return fail(ErrorCode::kNoData,
                  paths_.root + (store::restore_pending(env_, paths_)
                                     ? " held no data before the snapshot: there is nothing to go "
                                       "back to; to begin anew remove what is in it"
                                     : " holds neither data nor a snapshot"));
    }
    VZ_TRY(store::read_identity(env_, paths_));
    return {};
  }

  Result<std::unique_ptr<FileLock>> lock_exclusive() {
    auto lock = env_.lock(paths_.lock(), LockMode::kExclusive, store::lock_owner());
    if (!lock && lock.error().code == ErrorCode::kLocked) {
      return fail(ErrorCode::kLocked, lock.error().message +
                                          "; to give the restore up under a "
                                          "running node, remove " +
                                          paths_.restore());
    }
    return lock;
  }

  /// Nothing if it is damaged, or was never whole. Errors: kIncompatible, kIoError.
  Result<std::optional<store::SnapshotContents>> read_marker() {
    auto contents = store::read_restore(env_, paths_);
    if (contents) return std::optional(*std::move(contents));
    if (contents.error().code == ErrorCode::kCorruption) return std::nullopt;
    return tl::unexpected<Error>(std::move(contents).error());
  }

  Status check_old_content() {
    VZ_TRY_ASSIGN(const auto image, manifest::load(env_, paths_.root));
    const auto files = store::files_named_by(image);
    std::uint64_t total = 0;
    for (const auto& file : files) total += file.size_bytes;
    std::uint64_t done = 0;
    const Status checked = store::check_files(env_, paths_, files, [&](std::uint64_t bytes) {
      done += bytes;
      options_.on_progress(done, total);
      return Status();
    });
    if (checked || checked.error().code != ErrorCode::kCorruption) return checked;
    return fail(ErrorCode::kCorruption,
                checked.error().message +
                    "; tar may have overwritten it, so there is no way back and nothing was "
                    "changed: start a node, which completes the restore, or see data check");
  }

  /// Those that are there. Files of older images too stay: a start removes them.
  Result<std::vector<format::RestoreFile>> only_of_restore(
      const std::optional<store::SnapshotContents>& contents) {
    std::vector<format::RestoreFile> files;
    if (!contents) return files;
    std::set<std::string> old;
    VZ_TRY_ASSIGN(const auto in_root, env_.list(paths_.root));
    for (const auto& entry : in_root) {
      const auto number = manifest::parse_file_name(entry.name);
      if (!number) continue;
      const auto image = manifest::load_image(env_, paths_.root, *number);
      if (image) old.merge(store::files_of(paths_, *image));
      if (!image && is_hindrance(image.error())) return tl::unexpected<Error>(image.error());
    }
    for (const auto& file : contents->files) {
      const std::string path = paths_.root + "/" + file.path;
      if (!old.contains(path) && env_.exists(path)) files.push_back(file);
    }
    return files;
  }

  /// Returns the whole path of the place in quarantine/.
  Result<std::string> move_away(const std::vector<format::RestoreFile>& files) {
    QuarantineRecord record{.name = "restore-" + store::compact_utc_now(),
                            .kind = "restore",
                            .why = "a snapshot that was unpacked here and given up",
                            .tool = options_.tool};
    std::set<std::string> emptied;
    for (const auto& file : files) {
      record.files.push_back({.name = flat_name(file.path), .from = file.path, .moved = true});
      emptied.insert(parent_directory(paths_.root + "/" + file.path));
    }
    record.files.push_back({.name = "RESTORE", .from = "RESTORE", .moved = true});
    VZ_TRY_ASSIGN(const auto kept, keep_in_quarantine(env_, paths_, std::move(record)));
    for (const std::string& directory : emptied) (void)env_.remove_directory(directory);
    return paths_.quarantine() + "/" + kept.name;
  }

  /// "12-0001-00000003.seg" of "collections/12/0001-00000003.seg".
  static std::string flat_name(std::string path) {
    path.erase(0, path.find('/') + 1);
    std::replace(path.begin(), path.end(), '/', '-');
    return path;
  }

  Env& env_;
  const RestoreAbortOptions& options_;
  const store::Paths paths_;
};

}  // namespace

Result<RestoreAbortReport> abort_restore(Env& env, const RestoreAbortOptions& options) {
  return Withdrawal(env, options).run();
}

}  // namespace vz::offline
