#include "tools/offline/snapshot_restore.h"

#include <utility>

#include "storage/snapshot/directory_target.h"
#include "storage/store/creation.h"
#include "storage/store/directory_state.h"
#include "storage/store/lock_owner.h"
#include "storage/store/pending_restore.h"
#include "storage/store/restoration.h"
#include "storage/store/swap.h"
#include "tools/offline/data_directory.h"
#include "tools/offline/unflushed.h"

namespace vz::offline {
namespace {

class Restoration {
 public:
  Restoration(Env& env, const RestoreOptions& options)
      : env_(env), options_(options), paths_(paths_of(options.data_dir)) {}

  Result<RestoreReport> run(archive::ByteSource& source) {
    VZ_TRY_ASSIGN(const store::DirectoryState state, store::inspect(env_, paths_));
    if (state == store::DirectoryState::kOurs) VZ_TRY(store::read_identity(env_, paths_));
    if (options_.run == RestoreOptions::Run::kDry) return judge(source, state);
    const bool made = state == store::DirectoryState::kAbsent;
    if (made) VZ_TRY(env_.create_directory(paths_.root));
    auto done = replace(source);
    if ((!done || !done->read.sound()) && state != store::DirectoryState::kOurs)
      leave_as_found(made);
    return done;
  }

 private:
  /// What run() would do.
  Result<RestoreReport> judge(archive::ByteSource& source, store::DirectoryState state) {
    RestoreReport report;
    store::SeenHere seen;
    std::unique_ptr<FileLock> lock;
    if (state == store::DirectoryState::kOurs || store::restore_pending(env_, paths_)) {
      VZ_TRY_ASSIGN(lock, lock_shared(env_, paths_));
      VZ_TRY(require_no_swap(env_, paths_));
      VZ_TRY_ASSIGN(seen, store::look_around(env_, paths_));
      if (is_refused(seen)) return recognise(source);
    }
    ManifestOnly target;
    VZ_TRY_ASSIGN(report.read, snapshot::read_snapshot(source, options_.limits, &target));
    VZ_TRY_ASSIGN(const auto image, store::next_image(target.manifest, seen));
    describe(image, seen, report);
    return report;
  }

  Result<RestoreReport> replace(archive::ByteSource& source) {
    VZ_TRY_ASSIGN(const std::unique_ptr<FileLock> lock,
                  env_.lock(paths_.lock(), LockMode::kExclusive, store::lock_owner()));
    // Again: while we had no lock somebody may have made it a data directory, and even used it.
    VZ_TRY_ASSIGN(const store::DirectoryState state, store::inspect(env_, paths_));
    const bool ours = state == store::DirectoryState::kOurs;
    store::SeenHere seen;
    if (ours) VZ_TRY(store::finish_swap(env_, paths_));
    if (ours || store::restore_pending(env_, paths_)) {
      VZ_TRY_ASSIGN(seen, store::look_around(env_, paths_));
      if (is_refused(seen)) {
        VZ_TRY_ASSIGN(auto report, recognise(source));
        store::remove_stagings(env_, paths_);
        return report;
      }
    }
    VZ_TRY_ASSIGN(const std::string staged, store::make_staging(env_, paths_));
    const std::string in = paths_.root + "/" + staged;
    snapshot::DirectoryTarget target(env_, in, snapshot::DirectoryTarget::Marker::kLeftOut);
    RestoreReport report;
    auto read = snapshot::read_snapshot(source, options_.limits, &target);
    if (!read || !read->sound()) {
      remove_tree(env_, in);
      VZ_TRY(read);
      report.read = std::move(*read);
      return report;
    }
    report.read = std::move(*read);
    VZ_TRY(target.finish());
    if (!ours) {
      VZ_TRY(store::create_content(env_, paths_));
      VZ_TRY_ASSIGN(seen, store::look_around(env_, paths_));
    }
    const auto image = store::next_image(target.manifest(), seen);
    if (!image) remove_tree(env_, in);
    VZ_TRY(image);
    describe(*image, seen, report);
    VZ_TRY_ASSIGN(report.previous, store::publish_staged(env_, paths_, staged, *image, seen));
    return report;
  }

  [[nodiscard]] bool is_refused(const store::SeenHere& seen) const {
    return seen.holds_data && options_.existing == RestoreOptions::Existing::kRefused;
  }

  /// The directory holds data: right only if it is what an earlier run has made of this archive.
  Result<RestoreReport> recognise(archive::ByteSource& source) {
    const auto refusal = fail(ErrorCode::kFailedPrecondition,
                              paths_.root +
                                  " holds data: --replace keeps it as previous-<time>/ and puts "
                                  "the snapshot in its place");
    if (store::restore_pending(env_, paths_)) return refusal;  // Another one waits.
    const auto image = manifest::load(env_, paths_.root);
    if (!image || image->epochs.empty() ||
        image->epochs.back().kind != manifest::EpochKind::kRestore)
      return refusal;
    const auto unflushed = count_unflushed(env_, paths_, *image);
    if (!unflushed || unflushed->records > 0) return refusal;
    SameContent target(*image, refusal);
    RestoreReport report;
    VZ_TRY_ASSIGN(report.read, snapshot::read_snapshot(source, options_.limits, &target));
    if (!report.read.sound()) return report;
    const Status sound = store::check_files(env_, paths_, store::files_named_by(*image),
                                            [](std::uint64_t) { return Status(); });
    if (!sound) return refusal;
    describe(*image, {}, report);
    report.in_force_already = true;
    return report;
  }

  static void describe(const manifest::Manifest& image, const store::SeenHere& seen,
                       RestoreReport& report) {
    report.replaces = seen.holds_data;
    report.epoch = image.epochs.back().epoch;
    report.first_lsn = image.epochs.back().first_lsn;
  }

  /// A directory that was absent is so again; one that was empty keeps a LOCK that nobody holds:
  /// another process may just be opening it.
  void leave_as_found(bool made) {
    if (env_.exists(paths_.format())) return;
    (void)env_.remove_directory(paths_.root + "/tmp");  // Only if nothing else is in it.
    if (!made) return;
    (void)env_.remove(paths_.lock());
    (void)env_.remove_directory(paths_.root);
  }

  /// Keeps the image and drops the files.
  struct ManifestOnly final : snapshot::SnapshotTarget {
    Status begin(const store::SnapshotContents& contents) override {
      manifest = contents.manifest;
      return {};
    }
    Status begin_file(const format::RestoreFile& /*file*/) override { return {}; }
    Status write(ByteSpan /*bytes*/) override { return {}; }
    Status end_file() override { return {}; }
    manifest::Manifest manifest;
  };

  /// Ends the reading at once unless the archive holds what `image` says.
  struct SameContent final : snapshot::SnapshotTarget {
    SameContent(const manifest::Manifest& here, tl::unexpected<Error> otherwise)
        : image(here), refusal(std::move(otherwise)) {}
    Status begin(const store::SnapshotContents& contents) override {
      const manifest::Manifest& wanted = contents.manifest;
      if (image.collections == wanted.collections && image.aliases == wanted.aliases) return {};
      return refusal;
    }
    Status begin_file(const format::RestoreFile& /*file*/) override { return {}; }
    Status write(ByteSpan /*bytes*/) override { return {}; }
    Status end_file() override { return {}; }
    const manifest::Manifest& image;
    tl::unexpected<Error> refusal;
  };

  Env& env_;
  const RestoreOptions& options_;
  const store::Paths paths_;
};

}  // namespace

Result<RestoreReport> restore(Env& env, archive::ByteSource& source,
                              const RestoreOptions& options) {
  return Restoration(env, options).run(source);
}

}  // namespace vz::offline
