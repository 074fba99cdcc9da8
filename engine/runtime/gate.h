// Stop new work, wait for running work: the whole of a clean shutdown (after Seastar's gate).
#pragma once

#include <cstddef>
#include <optional>
#include <utility>

#include "storage/base/mutex.h"

namespace vz::runtime {

/// Thread-safe. Must outlive its guards.
class Gate {
 public:
  /// Holds the gate open for one piece of work; movable, released once.
  class Guard {
   public:
    Guard(Guard&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)) {}
    Guard& operator=(Guard&& other) noexcept {
      std::swap(gate_, other.gate_);
      return *this;
    }
    ~Guard() {
      if (gate_ != nullptr) gate_->leave();
    }

   private:
    friend class Gate;
    explicit Guard(Gate* gate) : gate_(gate) {}
    Gate* gate_;
  };

  /// nullopt once close() was called.
  [[nodiscard]] std::optional<Guard> enter() VZ_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    if (closed_) return std::nullopt;
    ++inside_;
    return Guard(this);
  }

  /// Lets nobody in any more and waits for every guard. Idempotent. Not while holding a guard.
  void close() VZ_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    closed_ = true;
    while (inside_ > 0) empty_.wait(mutex_);
  }

  [[nodiscard]] std::size_t inside() const VZ_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    return inside_;
  }

 private:
  void leave() VZ_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    // Under the lock: once close() returns, the gate may be destroyed.
    if (--inside_ == 0) empty_.notify_all();
  }

  mutable Mutex mutex_;
  ConditionVariable empty_;
  std::size_t inside_ VZ_GUARDED_BY(mutex_) = 0;
  bool closed_ VZ_GUARDED_BY(mutex_) = false;
};

}  // namespace vz::runtime
