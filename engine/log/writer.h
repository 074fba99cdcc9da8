// The one writer of a node: takes writes from a queue, folds each into the state, makes the group
// durable, then visible, then answers.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "engine/log/resolve.h"
#include "engine/log/state.h"
#include "engine/log/write_request.h"
#include "engine/log/writer_numbers.h"
#include "storage/base/mutex.h"
#include "storage/wal/log.h"

namespace vz::log {

struct WriterOptions {
  std::uint64_t seal_bytes = 32u << 20;
  std::uint32_t seal_rows = 32'768;
  /// Frozen memtables beyond this make the writer wait for the sealer; 0: never.
  std::uint32_t frozen_max = 16;
  /// Called on the writer thread after a memtable was frozen.
  std::function<void()> on_frozen = [] {};
  /// The log finds no room on the disk, on the writer thread. True if some was made.
  std::function<bool()> on_no_space = [] { return false; };
  /// Where it counts; the log's owner may count there too.
  std::shared_ptr<WriterNumbers> numbers = std::make_shared<WriterNumbers>();
};

class Writer {
 public:
  /// `state` is what recovery left; `log` starts after it. Starts the thread.
  Writer(NodeState state, std::unique_ptr<wal::LogWriter> log, std::int64_t last_time_us,
         WriterOptions options);
  ~Writer();  ///< stop()
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  /// Any thread. `done` is called on the writer thread, or at once when the write is refused
  /// unseen: kUnavailable (queue full, stopping, log failed), kTooLarge. kNoSpace: the log has no
  /// room on the disk; nothing was applied.
  void submit(WriteRequest request, WriteCallback done);

  /// Runs `task` on the writer thread between two groups, when everything applied is durable and
  /// visible (or the log has failed), and waits for it. For the changes that background work makes.
  void run_between_groups(const std::function<void(NodeState&)>& task);

  /// Refuses new writes, finishes those that wait, ends the thread. Afterwards
  /// run_between_groups runs on the caller's thread.
  void stop();

  [[nodiscard]] bool poisoned() const { return poisoned_.load(std::memory_order_acquire); }
  /// Why; "" if it is not.
  [[nodiscard]] std::string poison_reason() const;
  [[nodiscard]] std::size_t queue_size() const;
  [[nodiscard]] const WriterNumbers& numbers() const { return *options_.numbers; }
  [[nodiscard]] std::uint64_t log_bytes() const { return log_->kept_bytes(); }
  /// Has the log go on in a new file, and waits for it. Errors: kNoSpace (it goes on in the old
  /// one), kUnavailable (the log has failed).
  Status begin_next_log_file();
  Status remove_log_below(Lsn lsn) { return log_->remove_below(lsn); }
  /// Time of the newest record; never decreases. Writer thread, or after stop().
  [[nodiscard]] std::int64_t last_time_us() const { return last_time_us_; }
  /// Lsn that the next record will have; inside a task of run_between_groups.
  [[nodiscard]] Lsn next_lsn() const { return log_->next_lsn(); }

 private:
  struct Waiting {
    WriteRequest request;
    WriteCallback done;
    std::uint64_t bytes = 0;
  };
  /// The same callback, which also counts the write if it upserts points.
  [[nodiscard]] WriteCallback counted(const WriteRequest& request, WriteCallback done) const;
  struct Answer {
    WriteCallback done;
    Result<WriteOutcome> outcome;
  };
  struct Task {
    const std::function<void(NodeState&)>* run = nullptr;
    bool done = false;
  };

  void loop();
  bool wait_for_work(std::deque<Waiting>& group) VZ_EXCLUDES(mutex_);
  void run_tasks() VZ_EXCLUDES(mutex_);
  /// More frozen memtables than the sealer keeps up with: memory is bounded by waiting for it.
  [[nodiscard]] bool stalled() const;
  void process(std::deque<Waiting> group);
  Status make_room(const std::deque<Waiting>& group);
  void refuse_growth(std::deque<Waiting>& group, const Error& error);
  Status commit();
  void poison(const Error& error) VZ_EXCLUDES(mutex_);
  Result<WriteOutcome> handle(const WriteRequest& request);
  Result<WriteOutcome> handle_points(const PointsWrite& write);
  Result<WriteOutcome> handle_catalog(const WriteRequest& request);
  Result<WriteOutcome> handle_security(const SecurityWrite& write);
  Result<WriteOutcome> log_and_apply(const CatalogRecord& resolved, std::int64_t time_us);
  void freeze_if_full(collection::LiveCollection& collection, Lsn lsn);
  void publish_visible();
  std::int64_t now_us();

  const WriterOptions options_;

  // Writer thread only (anyone, after stop()).
  NodeState state_;
  std::unique_ptr<wal::LogWriter> log_;
  std::int64_t last_time_us_;

  std::atomic<bool> poisoned_{false};

  mutable Mutex mutex_;
  ConditionVariable wake_;   ///< the writer waits on it
  ConditionVariable ended_;  ///< run_between_groups waits on it
  std::deque<Waiting> queue_ VZ_GUARDED_BY(mutex_);
  std::deque<Waiting> urgent_ VZ_GUARDED_BY(mutex_);  ///< before the queue, full or stalled
  std::uint64_t queue_bytes_ VZ_GUARDED_BY(mutex_) = 0;
  std::deque<Task*> tasks_ VZ_GUARDED_BY(mutex_);
  bool stopping_ VZ_GUARDED_BY(mutex_) = false;
  bool stopped_ VZ_GUARDED_BY(mutex_) = false;
  std::string poison_reason_ VZ_GUARDED_BY(mutex_);

  std::thread thread_;
};

}  // namespace vz::log
