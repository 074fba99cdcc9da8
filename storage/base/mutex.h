// Mutex whose lock discipline the compiler can read, and the published version of a value.
// clang checks the annotations with -Wthread-safety; g++ ignores them.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <utility>

#if defined(__clang__)
#define VZ_ANNOTATE(x) __attribute__((x))
#else
#define VZ_ANNOTATE(x)
#endif
#define VZ_GUARDED_BY(mutex) VZ_ANNOTATE(guarded_by(mutex))
#define VZ_REQUIRES(...) VZ_ANNOTATE(requires_capability(__VA_ARGS__))
#define VZ_EXCLUDES(...) VZ_ANNOTATE(locks_excluded(__VA_ARGS__))
#define VZ_NO_THREAD_SAFETY_ANALYSIS VZ_ANNOTATE(no_thread_safety_analysis)

namespace vz {

class VZ_ANNOTATE(capability("mutex")) Mutex {
 public:
  void lock() VZ_ANNOTATE(acquire_capability()) { mutex_.lock(); }
  void unlock() VZ_ANNOTATE(release_capability()) { mutex_.unlock(); }

 private:
  std::mutex mutex_;
};

class VZ_ANNOTATE(scoped_lockable) MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) VZ_ANNOTATE(acquire_capability(mutex)) : mutex_(mutex) {
    mutex_.lock();
  }
  ~MutexLock() VZ_ANNOTATE(release_capability()) { mutex_.unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

/// Waits on a Mutex that the caller holds. A wait may return early: test the condition in a loop.
class ConditionVariable {
 public:
  void wait(Mutex& mutex) VZ_REQUIRES(mutex) { condition_.wait(mutex); }
  template <typename Duration>
  std::cv_status wait_for(Mutex& mutex, Duration duration) VZ_REQUIRES(mutex) {
    return condition_.wait_for(mutex, duration);
  }
  void notify_one() { condition_.notify_one(); }
  void notify_all() { condition_.notify_all(); }

 private:
  std::condition_variable_any condition_;
};

/// The current version of an immutable value: readers take a reference-counted copy and keep it as
/// long as they like; the one writer replaces it whole. The lock is held for a pointer copy only.
///
/// Why not std::atomic<std::shared_ptr>: in libstdc++ 12 its load() releases its internal lock with
/// relaxed ordering, which ThreadSanitizer reports as a race (google/sanitizers#1558).
template <typename T>
class Published {
 public:
  explicit Published(std::shared_ptr<const T> first) : current_(std::move(first)) {}

  [[nodiscard]] std::shared_ptr<const T> load() const VZ_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    return current_;
  }
  void store(std::shared_ptr<const T> next) VZ_EXCLUDES(mutex_) {
    {
      MutexLock lock(mutex_);
      current_.swap(next);
    }
    // `next` now holds the old version; its destructor, perhaps a long one, runs outside the lock.
  }

 private:
  mutable Mutex mutex_;
  std::shared_ptr<const T> current_ VZ_GUARDED_BY(mutex_);
};

}  // namespace vz
