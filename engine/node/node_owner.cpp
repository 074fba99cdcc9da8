#include "engine/node/node_owner.h"

#include <thread>

#include "storage/base/log.h"

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
  LogEvent(LogLevel::kInfo, "restore_begins").with("files", restore.contents().files.size());
  current()->retire();
  auto opened = open_again({.verified = &restore});
  if (opened) {
    watch_.forget();
  } else {
    LogEvent(LogLevel::kError, "restore_failed")
        .with("code", error_code_name(opened.error().code))
        .with("reason", opened.error().message);
    watch_.gave_up(opened.error().message);
    opened = open_again({.restore = store::OpenOptions::Restore::kLeft});
  }
  if (!opened) return tl::unexpected<Error>(std::move(opened).error());
  serve(*std::move(opened));
  return {};
}

Status NodeOwner::close() {
  jobs_->stop();
  const auto node = current();
  return node == nullptr ? Status() : node->close();
}

}  // namespace vz::node
