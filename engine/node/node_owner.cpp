#include "engine/node/node_owner.h"

#include <thread>

#include "engine/log/recovery.h"
#include "engine/node/cut.h"
#include "engine/node/maintenance.h"
#include "engine/node/snapshot_staging.h"
#include "storage/base/log.h"
#include "storage/snapshot/folder.h"
#include "storage/store/ballast.h"
#include "storage/store/lock_owner.h"
#include "storage/store/swap.h"

namespace vz::node {
namespace {

constexpr int kLockAttempts = 50;
constexpr auto kLockPause = std::chrono::milliseconds(100);

NodeOptions complete(NodeOptions options, const std::shared_ptr<LiveSettings>& settings,
                     log::LoadProgress& progress) {
  options.zstd_level = [settings] { return settings->current()->zstd_level(); };
  options.progress = &progress;
  return options;
}

void log_failed_restore(const Error& error) {
  LogEvent(LogLevel::kError, "restore_failed")
      .with("code", error_code_name(error.code))
      .with("reason", error.message);
}

/// What is wrong with an archive is the caller's error, not the node's.
Error refused_archive(Error error) {
  const bool of_archive = error.code == ErrorCode::kCorruption ||
                          error.code == ErrorCode::kIncompatible ||
                          error.code == ErrorCode::kNoData || error.code == ErrorCode::kTooLarge ||
                          error.code == ErrorCode::kOutOfRange;
  if (of_archive) error.code = ErrorCode::kInvalidArgument;
  error.message += "; nothing was changed";
  return error;
}

}  // namespace

NodeOwner::NodeOwner(Env& env, NodeOptions options, std::chrono::milliseconds restore_quiet,
                     const Settings& settings)
    : env_(env),
      settings_(std::make_shared<LiveSettings>(env, options.data_dir, settings)),
      options_(complete(std::move(options), settings_, progress_)),
      watch_(env, {options_.data_dir}, restore_quiet),
      jobs_(std::make_unique<Jobs>(env, options_.data_dir)) {
  settings_->on_change([this](const Settings& now) { jobs_->keep(now.jobs_retention); });
}

Status NodeOwner::open() {
  VZ_TRY_ASSIGN(auto opened, Node::open(env_, options_));
  // Nobody makes a snapshot before the first node serves: whatever is there a kill has left.
  store::remove_stagings(env_, {options_.data_dir});
  CutFiles::remove_leftovers(env_, {options_.data_dir});
  snapshot::remove_leftovers(env_, options_.data_dir);
  VZ_TRY(settings_->open());
  VZ_TRY(jobs_->open());
  serve(std::move(opened));
  return {};
}

void NodeOwner::serve(std::unique_ptr<Node> next) {
  std::shared_ptr<Node> node = std::move(next);
  {
    MutexLock lock(mutex_);
    node_.swap(node);
  }
  // The one before ends here, or with its last call.
}

void NodeOwner::show(const RestoreStatus& status) {
  MutexLock lock(mutex_);
  restore_status_ = status;
}

std::shared_ptr<Node> NodeOwner::current() const {
  MutexLock lock(mutex_);
  return node_;
}

RestoreStatus NodeOwner::restore_status() const {
  MutexLock lock(mutex_);
  return restore_status_;
}

Status NodeOwner::poll_restore(RestoreWatch::Time now, const store::OnBytesRead& on_bytes_read) {
  if (current()->poisoned()) return {};
  const auto verified = watch_.poll(now, on_bytes_read);
  show(watch_.status());
  // Another node may have used the names that ours would use next.
  if (watch_.contents() != nullptr) current()->avoid_names_of(watch_.contents()->manifest);
  if (!verified) return {};
  const Status done = put_in_force(*verified);
  show(watch_.status());
  return done;
}

/// Between two nodes of ours somebody else, such as a check, may hold the lock for a moment.
Result<std::unique_ptr<Node>> NodeOwner::open_again(const store::OpenOptions& how) {
  for (int attempt = 0;; ++attempt) {
    auto opened = Node::open(env_, options_, how);
    if (opened || opened.error().code != ErrorCode::kLocked || attempt == kLockAttempts)
      return opened;
    std::this_thread::sleep_for(kLockPause);
  }
}

Status NodeOwner::put_in_force(const store::VerifiedRestore& restore) {
  MutexLock change(change_mutex_);
  LogEvent(LogLevel::kInfo, "restore_begins").with("files", restore.contents().files.size());
  // The log goes, and with it what security.json does not hold yet: a revocation, say.
  if (const Status held = current()->checkpoint_security(); !held) {
    log_failed_restore(held.error());
    watch_.gave_up(held.error().message);
    return {};
  }
  current()->retire();
  const Status done = open_and_serve({.verified = &restore});
  if (done) {
    watch_.forget();
    return {};
  }
  log_failed_restore(done.error());
  watch_.gave_up(done.error().message);
  return open_what_is_there();
}

Status NodeOwner::open_what_is_there() {
  Status opened = open_and_serve({.restore = store::OpenOptions::Restore::kLeft});
  if (opened) return {};
  MutexLock lock(mutex_);
  failure_ = opened;
  return opened;
}

Status NodeOwner::open_and_serve(const store::OpenOptions& how) {
  VZ_TRY_ASSIGN(auto opened, open_again(how));
  serve(std::move(opened));
  return {};
}

Result<std::shared_ptr<const Cut>> NodeOwner::cut() {
  MutexLock change(change_mutex_);
  const auto node = current();
  if (node == nullptr) return fail(ErrorCode::kUnavailable, "the node is loading");
  VZ_TRY(failure());
  return node->cut();
}

Status NodeOwner::failure() const {
  MutexLock lock(mutex_);
  return failure_;
}

Result<store::StagedSnapshot> NodeOwner::stage(archive::ByteSource& source,
                                               const std::optional<Sha256Digest>& expected) {
  const store::Paths paths{options_.data_dir};
  VZ_TRY_ASSIGN(const std::string directory, store::make_staging(env_, paths));
  const std::string in = paths.root + "/" + directory;
  SnapshotStaging staging(env_, in);
  Status staged = staging.read(source, expected);
  if (staged) staged = log::check_openable(env_, {in}, staging.manifest());
  if (staged) return store::StagedSnapshot{directory, staging.manifest()};
  remove_tree(env_, in);
  return tl::unexpected<Error>(refused_archive(std::move(staged).error()));
}

/// Between two nodes of ours: the directory is nobody's for a moment.
Status NodeOwner::exchange(const store::StagedSnapshot& staged) {
  const store::Paths paths{options_.data_dir};
  for (int attempt = 0;; ++attempt) {
    auto lock = env_.lock(paths.lock(), LockMode::kExclusive, store::lock_owner());
    if (lock) return store::put_in_force(env_, paths, staged);
    if (lock.error().code != ErrorCode::kLocked || attempt == kLockAttempts)
      return tl::unexpected<Error>(std::move(lock).error());
    std::this_thread::sleep_for(kLockPause);
  }
}

Result<std::shared_ptr<Node>> NodeOwner::replaceable() {
  auto node = current();
  if (node == nullptr) return fail(ErrorCode::kUnavailable, "the node is loading");
  VZ_TRY(failure());
  if (node->poisoned())
    return fail(ErrorCode::kUnavailable, "the log has failed: nothing more may be written");
  const store::Paths paths{options_.data_dir};
  if (!store::restore_pending(env_, paths)) return node;
  return fail(ErrorCode::kFailedPrecondition,
              "a snapshot that tar unpacks here waits to be complete: remove " + paths.restore() +
                  " first");
}

Result<Lsn> NodeOwner::recover_collection(const std::string& name, archive::ByteSource& source,
                                          const std::optional<Sha256Digest>& expected,
                                          std::stop_token stop) {
  MutexLock change(change_mutex_);
  VZ_TRY_ASSIGN(const auto node, replaceable());
  VZ_TRY(node->maintenance().check_place(name));
  const store::Paths paths{options_.data_dir};
  VZ_TRY_ASSIGN(const std::string directory, store::make_staging(env_, paths));
  const std::string in = paths.root + "/" + directory;
  const auto replace = [&]() -> Result<Lsn> {
    VZ_TRY_ASSIGN(const DiskSpace space, env_.disk_space(paths.root));
    SnapshotStaging staging(
        env_, in, name,
        options_.disk_reserve_bytes.value_or(store::default_reserve_bytes(space.total_bytes)));
    const auto content = [&]() -> Result<std::shared_ptr<collection::LiveCollection>> {
      VZ_TRY(staging.read(source, expected));
      return log::open_collection(env_, {in}, staging.manifest().collections.front());
    }();
    if (!content) return tl::unexpected<Error>(refused_archive(content.error()));
    return node->maintenance().replace_collection(name, **content, {.stop = std::move(stop)});
  };
  auto done = replace();
  remove_tree(env_, in);
  return done;
}

Result<Recovery> NodeOwner::recover(archive::ByteSource& source,
                                    const std::optional<Sha256Digest>& expected) {
  MutexLock change(change_mutex_);
  VZ_TRY_ASSIGN(const auto old, replaceable());
  const store::Paths paths{options_.data_dir};
  VZ_TRY_ASSIGN(const store::StagedSnapshot staged, stage(source, expected));
  if (store::restore_pending(env_, paths)) {  // It came while we staged.
    remove_tree(env_, paths.root + "/" + staged.directory);
    return fail(ErrorCode::kFailedPrecondition,
                "a snapshot that tar unpacks here has come meanwhile: nothing was changed");
  }
  // The log goes, and with it what security.json does not hold yet: a revocation, say.
  if (const Status held = old->checkpoint_security(); !held) {
    remove_tree(env_, paths.root + "/" + staged.directory);
    return tl::unexpected<Error>(held.error());
  }
  LogEvent(LogLevel::kInfo, "recover_begins").with("staged", staged.directory);
  old->retire();
  Status done = exchange(staged);
  const bool in_force = done || store::swap_pending(env_, paths);
  if (!done) log_failed_restore(done.error());
  if (!in_force) remove_tree(env_, paths.root + "/" + staged.directory);
  VZ_TRY(open_what_is_there());  // Or the new one: what the directory holds now.
  if (!in_force) return tl::unexpected<Error>(std::move(done).error());
  const auto node = current();
  return Recovery{.epoch = node->epoch(), .lsn = node->visible_lsn()};
}

Status NodeOwner::close() {
  jobs_->request_stop();
  Status closed;
  {
    MutexLock change(change_mutex_);
    if (const auto node = current()) closed = node->close();
  }
  jobs_->stop();  // Those that waited for a merge of the node have ended with it.
  return closed;
}

}  // namespace vz::node
