// A fixed number of named threads over one bounded queue.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "storage/base/mutex.h"
#include "storage/base/status.h"

namespace vz::runtime {

/// Thread-safe. Work runs in the order of submission, on any of the threads.
class ThreadPool {
 public:
  /// Threads are called "<name>-0", ... (Linux cuts at 15 bytes). `threads` and `queue_max` are at
  /// least 1; queue_max counts work that waits, not work that runs.
  ThreadPool(std::string name, unsigned threads, std::size_t queue_max);
  ~ThreadPool();  ///< stops
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  /// Queues `work`. An exception of `work` is logged and swallowed.
  /// Errors: kUnavailable (queue full, or stopped); `work` was not taken and will not run.
  Status submit(std::function<void()> work) VZ_EXCLUDES(mutex_);

  /// Takes no more, runs what was queued, waits for all of it. Idempotent; not from the pool.
  void stop() VZ_EXCLUDES(stop_mutex_, mutex_);

  [[nodiscard]] std::size_t queued() const VZ_EXCLUDES(mutex_);

 private:
  void run(unsigned number);

  const std::string name_;
  const std::size_t queue_max_;
  mutable Mutex mutex_;
  ConditionVariable wake_;
  std::deque<std::function<void()>> queue_ VZ_GUARDED_BY(mutex_);
  bool stopping_ VZ_GUARDED_BY(mutex_) = false;
  Mutex stop_mutex_;
  std::vector<std::thread> threads_ VZ_GUARDED_BY(stop_mutex_);
};

}  // namespace vz::runtime
