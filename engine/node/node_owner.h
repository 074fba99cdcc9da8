// Owns the node that serves. A snapshot that tar unpacks under it makes another node of the same
// directory, which takes its place: calls that run finish on the old one. So does one that
// recover() unpacks.
#pragma once

#include <memory>

#include "engine/node/jobs.h"
#include "engine/node/node.h"
#include "engine/node/restore_watch.h"
#include "engine/node/settings.h"
#include "storage/archive/byte_stream.h"
#include "storage/base/mutex.h"
#include "storage/store/restoration.h"

namespace vz::node {

/// What recover() has come to.
struct Recovery {
  Epoch epoch = 0;  ///< the new one
  Lsn lsn = 0;      ///< the last one of the content
};

/// open(), poll_restore() and close() belong to one thread at a time; the rest is thread-safe.
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

  /// What a snapshot of the node holds. Thread-safe; waits while another takes the node's place.
  /// Errors: those of Node::cut; kUnavailable (no node).
  Result<std::shared_ptr<const Cut>> cut() VZ_EXCLUDES(change_mutex_, mutex_);

  /// Puts the snapshot in `source` in force. It is staged, checked and opened first, while the node
  /// serves; then writes are refused until the node of the new content is open; searches go on. The
  /// old content is kept in previous-<time>/. Thread-safe; one at a time.
  /// expected: of the archive; nothing is not compared.
  /// Errors: kInvalidArgument: the archive is damaged, foreign, too new, or another than expected,
  /// says how; kNoSpace, kIoError; kFailedPrecondition: tar unpacks a snapshot here; kUnavailable:
  /// the log has failed. The old content is in force then, unless failure() says otherwise.
  Result<Recovery> recover(archive::ByteSource& source, const std::optional<Sha256Digest>& expected)
      VZ_EXCLUDES(change_mutex_, mutex_);

  /// Makes what the snapshot in `source` holds the collection `name`, beside all others, which go
  /// on as they are: that of a snapshot of one collection, or the one of this name in a snapshot of
  /// a node. It is staged, checked and indexed first, while one that has the name serves.
  /// Thread-safe; one at a time, and none while the node is cut or another takes its place. Errors:
  /// as recover(); those of Maintenance::replace_collection(): nothing has changed.
  Result<Lsn> recover_collection(const std::string& name, archive::ByteSource& source,
                                 const std::optional<Sha256Digest>& expected, std::stop_token stop)
      VZ_EXCLUDES(change_mutex_, mutex_);

  /// After a restore neither content could be opened: reads go on from the old one. Thread-safe.
  [[nodiscard]] Status failure() const VZ_EXCLUDES(mutex_);

  /// Ends the jobs; then Node::close() of the current one; nothing if there is none.
  Status close() VZ_EXCLUDES(change_mutex_, mutex_);

 private:
  Status put_in_force(const store::VerifiedRestore& restore) VZ_EXCLUDES(change_mutex_, mutex_);
  /// The node that serves, if its content may be replaced now.
  Result<std::shared_ptr<Node>> replaceable() VZ_REQUIRES(change_mutex_) VZ_EXCLUDES(mutex_);
  Result<store::StagedSnapshot> stage(archive::ByteSource& source,
                                      const std::optional<Sha256Digest>& expected);
  Status exchange(const store::StagedSnapshot& staged);
  /// Opens what the directory holds, whatever was to be put in force. Its error is failure(), too.
  Status open_what_is_there() VZ_EXCLUDES(mutex_);
  Status open_and_serve(const store::OpenOptions& how) VZ_EXCLUDES(mutex_);
  Result<std::unique_ptr<Node>> open_again(const store::OpenOptions& how);
  void serve(std::unique_ptr<Node> next) VZ_EXCLUDES(mutex_);
  void show(const RestoreStatus& status) VZ_EXCLUDES(mutex_);

  Env& env_;
  log::LoadProgress progress_;
  /// Shared with the nodes, of which a call may keep one beyond this.
  const std::shared_ptr<LiveSettings> settings_;
  const NodeOptions options_;
  RestoreWatch watch_;

  Mutex change_mutex_;  ///< held while the node is cut, or another takes its place

  mutable Mutex mutex_;
  Status failure_ VZ_GUARDED_BY(mutex_);
  std::shared_ptr<Node> node_ VZ_GUARDED_BY(mutex_);
  RestoreStatus restore_status_ VZ_GUARDED_BY(mutex_);
  const std::unique_ptr<Jobs> jobs_;  ///< its threads use all the rest
};

}  // namespace vz::node
