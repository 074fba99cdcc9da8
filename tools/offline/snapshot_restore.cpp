#include "tools/offline/snapshot_restore.h"

#include <optional>
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

/// Looks at the archive's RESTORE and decides what becomes of its files: nothing, if the directory
/// holds this very snapshot already; staged, else.
class Incoming final : public snapshot::SnapshotTarget {
 public:
  Incoming(Env& env, const store::Paths& paths, const RestoreOptions& options,
           const store::SeenHere& seen)
      : env_(env), paths_(paths), options_(options), seen_(seen) {}

  /// Errors: kFailedPrecondition: whatever the archive holds, it may not come here.
  Status look() {
    if (!seen_.holds_data) return {};
    restored_ = restored_image();
    if (!restored_ && is_refused()) return refusal();
    return {};
  }

  Status begin(const store::SnapshotContents& contents) override {
    VZ_TRY(store::require_node(contents));
    manifest_ = contents.manifest;
    in_force_already_ = restored_ && holds(contents.manifest);
    if (in_force_already_) return {};
    if (seen_.holds_data && is_refused()) return refusal();
    if (options_.run == RestoreOptions::Run::kDry) return {};
    VZ_TRY_ASSIGN(staged_, store::make_staging(env_, paths_));
    files_.emplace(env_, paths_.root + "/" + staged_, snapshot::DirectoryTarget::Marker::kLeftOut);
    return files_->begin(contents);
  }
  Status begin_file(const format::RestoreFile& file) override {
    return files_ ? files_->begin_file(file) : Status();
  }
  Status write(ByteSpan bytes) override { return files_ ? files_->write(bytes) : Status(); }
  Status end_file() override { return files_ ? files_->end_file() : Status(); }

  Status finish() { return files_ ? files_->finish() : Status(); }
  void remove_staged() {
    files_.reset();
    if (!staged_.empty()) remove_tree(env_, paths_.root + "/" + staged_);
  }

  [[nodiscard]] bool in_force_already() const { return in_force_already_; }
  /// Of the directory, if that holds the snapshot already; else the archive's.
  [[nodiscard]] const manifest::Manifest& image() const {
    return in_force_already_ ? *restored_ : manifest_;
  }
  /// Relative to the data directory; "" if nothing was staged.
  [[nodiscard]] const std::string& staged() const { return staged_; }

 private:
  [[nodiscard]] bool is_refused() const {
    return options_.existing == RestoreOptions::Existing::kRefused;
  }
  [[nodiscard]] tl::unexpected<Error> refusal() const {
    return fail(ErrorCode::kFailedPrecondition,
                paths_.root +
                    " holds data: --replace keeps it as previous-<time>/ and puts "
                    "the snapshot in its place");
  }

  /// The image in force, if a restore has made it and nothing was written since.
  [[nodiscard]] std::optional<manifest::Manifest> restored_image() const {
    if (store::restore_pending(env_, paths_)) return std::nullopt;  // Another one waits.
    auto image = manifest::load(env_, paths_.root);
    if (!image || image->epochs.empty() ||
        image->epochs.back().kind != manifest::EpochKind::kRestore)
      return std::nullopt;
    const auto unflushed = count_unflushed(env_, paths_, *image);
    if (!unflushed || unflushed->records > 0) return std::nullopt;
    return *std::move(image);
  }

  /// The directory holds what `wanted` says, every byte of it.
  [[nodiscard]] bool holds(const manifest::Manifest& wanted) const {
    return restored_->collections == wanted.collections && restored_->aliases == wanted.aliases &&
           store::check_files(env_, paths_, store::files_named_by(*restored_), [](std::uint64_t) {
             return Status();
           }).has_value();
  }

  Env& env_;
  const store::Paths& paths_;
  const RestoreOptions& options_;
  const store::SeenHere& seen_;
  std::optional<manifest::Manifest> restored_;
  manifest::Manifest manifest_;
  bool in_force_already_ = false;
  std::string staged_;
  std::optional<snapshot::DirectoryTarget> files_;
};

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
    store::SeenHere seen;
    std::unique_ptr<FileLock> lock;
    if (state == store::DirectoryState::kOurs || store::restore_pending(env_, paths_)) {
      VZ_TRY_ASSIGN(lock, lock_shared(env_, paths_));
      VZ_TRY(require_no_swap(env_, paths_));
      VZ_TRY_ASSIGN(seen, store::look_around(env_, paths_));
    }
    Incoming incoming(env_, paths_, options_, seen);
    VZ_TRY(incoming.look());
    RestoreReport report;
    VZ_TRY_ASSIGN(report.read, snapshot::read_snapshot(source, options_.limits, &incoming));
    if (incoming.in_force_already()) return recognised(incoming, std::move(report));
    VZ_TRY_ASSIGN(const auto image, store::next_image(incoming.image(), seen));
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
    }
    Incoming incoming(env_, paths_, options_, seen);
    VZ_TRY(incoming.look());
    RestoreReport report;
    auto read = snapshot::read_snapshot(source, options_.limits, &incoming);
    if (!read || !read->sound()) {
      incoming.remove_staged();
      VZ_TRY(read);
      report.read = std::move(*read);
      return report;
    }
    report.read = std::move(*read);
    if (incoming.in_force_already()) {
      store::remove_stagings(env_, paths_);
      store::remove_previous_without_data(env_, paths_);
      return recognised(incoming, std::move(report));
    }
    VZ_TRY(incoming.finish());
    if (!ours) {
      VZ_TRY(store::create_content(env_, paths_));
      VZ_TRY_ASSIGN(seen, store::look_around(env_, paths_));
    }
    const auto image = store::next_image(incoming.image(), seen);
    if (!image) incoming.remove_staged();
    VZ_TRY(image);
    describe(*image, seen, report);
    VZ_TRY_ASSIGN(report.previous,
                  store::publish_staged(env_, paths_, incoming.staged(), *image, seen));
    return report;
  }

  /// The report of a rerun that had nothing left to do.
  static RestoreReport recognised(const Incoming& incoming, RestoreReport report) {
    if (!report.read.sound()) return report;
    describe(incoming.image(), {}, report);
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
