// How fast a check reads, and how far it is.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>

#include "storage/base/mutex.h"

namespace vz::offline {

/// Thread-safe.
class Pace {
 public:
  using Progress = std::function<void(std::uint64_t done, std::uint64_t total)>;

  /// rate_bytes: a second; 0: no limit. `progress` may be empty; one call at a time.
  Pace(std::uint64_t rate_bytes, Progress progress);

  void add_total(std::uint64_t bytes) VZ_EXCLUDES(mutex_);
  /// Says that `bytes` were read; sleeps as long as the rate asks for.
  void spend(std::uint64_t bytes) VZ_EXCLUDES(mutex_);

 private:
  using Clock = std::chrono::steady_clock;

  const std::uint64_t rate_bytes_;
  const Progress progress_;
  Mutex mutex_;
  std::uint64_t done_ VZ_GUARDED_BY(mutex_) = 0;
  std::uint64_t total_ VZ_GUARDED_BY(mutex_) = 0;
  Clock::time_point next_ VZ_GUARDED_BY(mutex_);  ///< when the next read may begin
};

}  // namespace vz::offline
