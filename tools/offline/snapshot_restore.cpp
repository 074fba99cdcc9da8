#include "tools/offline/snapshot_restore.h"

#include <algorithm>
#include <ctime>

#include "storage/format/manifest_format.h"
#include "storage/store/directory_state.h"
#include "storage/store/lock_owner.h"
#include "storage/store/swap.h"
#include "tools/offline/data_directory.h"
#include "tools/offline/directory_target.h"
#include "tools/offline/seen_here.h"

namespace vz::offline {
namespace {

constexpr std::string_view kStagedPrefix = "restore-";
constexpr std::uint64_t kNumberMax = 1ull << 62;

std::string now_utc() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y%m%dT%H%M%SZ", &parts);
  return text;
}

/// The archive's image as it goes on here. Errors: kCorruption: numbers that nobody could have come
/// to, which would turn over.
Result<manifest::Manifest> next_image(manifest::Manifest image, const SeenHere& seen) {
  const Epoch epoch = std::max(seen.epoch, last_epoch(image));
  const Lsn last = std::max(seen.lsn, last_lsn(image));
  const std::uint64_t largest =
      std::max({last, seen.manifest_number, image.number, image.next_seq, seen.next_seq,
                image.next_file_number, seen.next_file_number, std::uint64_t{epoch} << 32});
  if (largest > kNumberMax) {
    return fail(ErrorCode::kCorruption,
                "the archive or the directory has come to an epoch, an lsn or a file number beyond "
                "any that a node reaches");
  }
  const Lsn first_lsn = last + 1;
  image.number = std::max(seen.manifest_number, image.number) + 1;
  image.next_seq = std::max(seen.next_seq, image.next_seq);
  image.next_file_number = std::max(seen.next_file_number, image.next_file_number);
  image.time_us = std::max(seen.time_us, image.time_us);
  image.catalog_lsn = first_lsn - 1;
  image.log_lsn = first_lsn;
  image.clean_lsn = 0;  // The log is empty: there is no last record that it must reach.
  if (image.epochs.size() == format::kManifestEpochsMax) image.epochs.erase(image.epochs.begin());
  image.epochs.push_back({epoch + 1, first_lsn, manifest::EpochKind::kRestore});
  return image;
}

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
    auto done = replace(source, state);
    if ((!done || !done->read.sound()) && state != store::DirectoryState::kOurs)
      leave_as_found(made);
    return done;
  }

 private:
  /// What run() would do.
  Result<RestoreReport> judge(archive::ByteSource& source, store::DirectoryState state) {
    RestoreReport report;
    SeenHere seen;
    std::unique_ptr<FileLock> lock;
    if (state == store::DirectoryState::kOurs) {
      VZ_TRY_ASSIGN(lock, lock_shared(env_, paths_));
      VZ_TRY(require_no_swap(env_, paths_));
      VZ_TRY_ASSIGN(seen, look_around(env_, paths_));
      VZ_TRY(check_replaceable(seen));
    }
    ManifestOnly target;
    VZ_TRY_ASSIGN(report.read, read_snapshot(source, options_.limits, &target));
    VZ_TRY_ASSIGN(const auto image, next_image(target.manifest, seen));
    describe(image, seen, report);
    return report;
  }

  Result<RestoreReport> replace(archive::ByteSource& source, store::DirectoryState state) {
    const bool ours = state == store::DirectoryState::kOurs;
    SeenHere seen;
    VZ_TRY_ASSIGN(std::unique_ptr<FileLock> lock,
                  env_.lock(paths_.lock(), LockMode::kExclusive, store::lock_owner()));
    if (ours) {
      VZ_TRY(store::finish_swap(env_, paths_));
      VZ_TRY_ASSIGN(seen, look_around(env_, paths_));
      VZ_TRY(check_replaceable(seen));
    }
    VZ_TRY(make_staging());
    DirectoryTarget target(env_, staged_, DirectoryTarget::Marker::kLeftOut);
    RestoreReport report;
    auto read = read_snapshot(source, options_.limits, &target);
    if (!read || !read->sound()) {
      remove_tree(env_, staged_);
      VZ_TRY(read);
      report.read = std::move(*read);
      return report;
    }
    report.read = std::move(*read);
    VZ_TRY(target.finish());
    std::unique_ptr<store::Store> made;
    if (!ours) {
      // Its lock and ours would exclude each other. Whoever comes between is seen below.
      lock.reset();
      VZ_TRY_ASSIGN(made, store::Store::open(env_, paths_.root));
      VZ_TRY_ASSIGN(seen, look_around(env_, paths_));
      VZ_TRY(check_replaceable(seen));
    }
    const auto image = next_image(target.manifest(), seen);
    if (!image) remove_tree(env_, staged_);
    VZ_TRY(image);
    describe(*image, seen, report);
    VZ_TRY(publish(*image, report));
    return report;
  }

  Status check_replaceable(const SeenHere& seen) const {
    if (!seen.holds_data || options_.existing == RestoreOptions::Existing::kReplaced) return {};
    return fail(ErrorCode::kFailedPrecondition,
                paths_.root +
                    " holds data: --replace keeps it as previous-<time>/ and puts the "
                    "snapshot in its place");
  }

  static void describe(const manifest::Manifest& image, const SeenHere& seen,
                       RestoreReport& report) {
    report.replaces = seen.holds_data;
    report.epoch = image.epochs.back().epoch;
    report.first_lsn = image.epochs.back().first_lsn;
  }

  /// DATA/tmp/restore-<n>, empty; those of earlier runs are removed: nobody uses them, for we hold
  /// the lock.
  Status make_staging() {
    const std::string tmp = paths_.root + "/tmp";
    VZ_TRY(env_.create_directory(tmp));
    VZ_TRY_ASSIGN(const auto entries, env_.list(tmp));
    for (const auto& entry : entries) {
      const bool leftover =
          entry.type == FileType::kDirectory && entry.name.starts_with(kStagedPrefix);
      if (leftover) remove_tree(env_, tmp + "/" + entry.name);
    }
    std::uint64_t number = 1;
    const auto name = [&] { return "tmp/" + std::string(kStagedPrefix) + std::to_string(number); };
    while (env_.exists(paths_.root + "/" + name())) ++number;
    swap_.staged = name();
    staged_ = paths_.root + "/" + swap_.staged;
    return env_.create_directory(staged_);
  }

  Status make_previous() {
    const std::string base = "previous-" + now_utc();
    swap_.previous = base;
    for (int number = 2; env_.exists(paths_.root + "/" + swap_.previous); ++number)
      swap_.previous = base + "-" + std::to_string(number);
    return env_.create_directory(paths_.root + "/" + swap_.previous);
  }

  Status publish(const manifest::Manifest& image, RestoreReport& report) {
    VZ_TRY(env_.create_directory(staged_ + "/wal"));
    VZ_TRY(env_.sync_directory(staged_ + "/wal"));
    VZ_TRY(manifest::publish(env_, staged_, image));
    VZ_TRY(make_previous());
    VZ_TRY(env_.sync_directory(paths_.root + "/tmp"));
    VZ_TRY(env_.sync_directory(paths_.root));
    const Status swapped = store::swap_in(env_, paths_, swap_);
    if (!swapped && store::swap_pending(env_, paths_)) {
      return fail(swapped.error().code, swapped.error().message +
                                            "; the snapshot is in force, and the next start or "
                                            "restore completes the exchange");
    }
    VZ_TRY(swapped);
    remove_tree(env_, staged_);
    if (report.replaces) {
      report.previous = paths_.root + "/" + swap_.previous;
    } else {
      remove_tree(env_, paths_.root + "/" + swap_.previous);
    }
    return {};
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
  struct ManifestOnly final : SnapshotTarget {
    Status begin(const SnapshotContents& contents) override {
      manifest = contents.manifest;
      return {};
    }
    Status begin_file(const format::RestoreFile& /*file*/) override { return {}; }
    Status write(ByteSpan /*bytes*/) override { return {}; }
    Status end_file() override { return {}; }
    manifest::Manifest manifest;
  };

  Env& env_;
  const RestoreOptions& options_;
  const store::Paths paths_;
  store::Swap swap_;
  std::string staged_;  ///< whole path
};

}  // namespace

Result<RestoreReport> restore(Env& env, archive::ByteSource& source,
                              const RestoreOptions& options) {
  return Restoration(env, options).run(source);
}

}  // namespace vz::offline
