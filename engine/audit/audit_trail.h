// What a running node writes into its audit log: events as they come, and refusals told once for
// many.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "engine/audit/audit_log.h"
#include "storage/base/mutex.h"

namespace vz::audit {

/// Thread-safe. Writes on a thread of its own, in the order in which events came; each also gives a
/// line on stdout (event=audit).
///
/// A log that cannot be written does not stop the node, or nobody could free a full disk: the lines
/// on stdout go on, trouble() says why, and the first event that can be written again follows in
/// the log's chain.
class Trail {
 public:
  struct Options {
    Log::Options log = {};
    std::chrono::milliseconds refusals_every{10'000};  ///< the same one is told once in so long
    std::chrono::milliseconds head_every{3'600'000};   ///< the chain's head on stdout
  };
  Trail(Env& env, std::string directory, const Options& options);
  ~Trail();  ///< stop()
  Trail(const Trail&) = delete;
  Trail& operator=(const Trail&) = delete;

  /// Begins to write, once the directory is ours; what came before follows. Errors: those of
  /// Log::open: it is tried again with the next event.
  Status open() VZ_EXCLUDES(log_mutex_, mutex_);

  /// `then` is called once, on the trail's thread, when the event is durable or cannot be made so;
  /// at once when too many wait (limits::kAuditQueueMax), or after stop(). Before open() it is not
  /// waited for either.
  void record(Event event, std::function<void()> then) VZ_EXCLUDES(mutex_);

  /// A caller that was turned away. The same actor and ip are told once in a while, with a count;
  /// this never waits for the disk.
  void count_refusal(Event event) VZ_EXCLUDES(mutex_);

  Result<Verdict> verify() VZ_EXCLUDES(log_mutex_);
  Result<std::vector<std::string>> read(const Query& query) VZ_EXCLUDES(log_mutex_);
  /// Why the log is not written; "" while it is, or is not open yet.
  [[nodiscard]] std::string trouble() const VZ_EXCLUDES(mutex_);
  [[nodiscard]] Head head() const VZ_EXCLUDES(log_mutex_);

  /// Writes what waits, and takes no more. Idempotent.
  void stop() VZ_EXCLUDES(log_mutex_, mutex_);

 private:
  struct Waiting {
    Event event;
    std::function<void()> then;
  };
  void loop() VZ_EXCLUDES(log_mutex_, mutex_);
  void write(const Event& event) VZ_EXCLUDES(log_mutex_, mutex_);
  std::vector<Event> due_refusals(bool all) VZ_REQUIRES(mutex_);
  void print_head() VZ_EXCLUDES(log_mutex_);

  Env& env_;
  const std::string directory_;
  const Options options_;

  mutable Mutex log_mutex_;  ///< held across the disk's writes; taken before mutex_
  std::unique_ptr<Log> log_ VZ_GUARDED_BY(log_mutex_);

  mutable Mutex mutex_;
  ConditionVariable wake_;
  bool opened_ VZ_GUARDED_BY(mutex_) = false;
  bool stopping_ VZ_GUARDED_BY(mutex_) = false;
  std::deque<Waiting> queue_ VZ_GUARDED_BY(mutex_);
  std::map<std::pair<std::string, std::string>, Event> refusals_ VZ_GUARDED_BY(mutex_);
  std::chrono::steady_clock::time_point refusals_since_ VZ_GUARDED_BY(mutex_);
  std::string trouble_ VZ_GUARDED_BY(mutex_);
  std::jthread thread_;
};

}  // namespace vz::audit
