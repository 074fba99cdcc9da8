// Owns the node that serves. A snapshot that tar unpacks under it makes another node of the same
// directory, which takes its place: calls that run finish on the old one.
#pragma once

#include <memory>

#include "engine/node/jobs.h"
#include "engine/node/node.h"
#include "engine/node/restore_watch.h"
#include "engine/node/settings.h"
#include "storage/base/mutex.h"

namespace vz::node {

/// current(), restore_status(), jobs() and settings() are thread-safe; the rest belongs to one
/// thread at a time.
class NodeOwner {
 public:
  /// `env` must outlive it. restore_quiet: see RestoreWatch. settings: where none was set at run
  /// time; they say how payloads are compressed, whatever `options` says.
  NodeOwner(Env& env, NodeOptions options, std::chrono::milliseconds restore_quiet,
            const Settings& settings = {});

  /// Errors: those of Node::open, LiveSettings::open and Jobs::open.
  Status open();

  /// Null before open(). Whoever holds it may go on with it after another has taken its place: it
  /// then refuses writes with kUnavailable, and reads see the old content.
  [[nodiscard]] std::shared_ptr<Node> current() const VZ_EXCLUDES(mutex_);
  [[nodiscard]] RestoreStatus restore_status() const VZ_EXCLUDES(mutex_);
  /// How far the node is that opens now, or was last. Any thread.
  [[nodiscard]] const log::LoadProgress& progress() const { return progress_; }

  /// They outlive each node of the directory.
  [[nodiscard]] Jobs& jobs() const { return *jobs_; }
  [[nodiscard]] LiveSettings& settings() const { return *settings_; }

  /// Looks once for a snapshot of tar's, and puts it in force when it is there whole: from then on
  /// writes are refused, until the node of the new content is open; searches go on. If it cannot be
  /// put in force the old content is opened again. Blocks while files are read; an error of
  /// `on_bytes_read` ends that, to be begun again by the next call. After a failed log nothing is
  /// done: nothing more may be written then.
  /// Errors: those of Node::open, neither content could be opened: reads go on.
  Status poll_restore(RestoreWatch::Time now, const store::OnBytesRead& on_bytes_read)
      VZ_EXCLUDES(mutex_);

  /// Ends the jobs; then Node::close() of the current one; nothing if there is none.
  Status close();

 private:
  Status put_in_force(const store::VerifiedRestore& restore) VZ_EXCLUDES(mutex_);
  Result<std::unique_ptr<Node>> open_again(const store::OpenOptions& how);
  void serve(std::unique_ptr<Node> next) VZ_EXCLUDES(mutex_);
  void show(const RestoreStatus& status) VZ_EXCLUDES(mutex_);

  Env& env_;
  log::LoadProgress progress_;
  /// Shared with the nodes, of which a call may keep one beyond this.
  const std::shared_ptr<LiveSettings> settings_;
  const NodeOptions options_;
  RestoreWatch watch_;

  mutable Mutex mutex_;
  std::shared_ptr<Node> node_ VZ_GUARDED_BY(mutex_);
  RestoreStatus restore_status_ VZ_GUARDED_BY(mutex_);
  const std::unique_ptr<Jobs> jobs_;  ///< its threads use all the rest
};

}  // namespace vz::node
