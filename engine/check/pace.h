// How fast a check reads, and how far it is.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <stop_token>

#include "storage/base/mutex.h"

namespace vz::check {

/// Thread-safe.
class Pace {
 public:
  using Progress = std::function<void(std::uint64_t done, std::uint64_t total)>;

  /// rate_bytes: a second; 0: no limit. `progress` may be empty; one call at a time.
  Pace(std::uint64_t rate_bytes, Progress progress, std::stop_token stop = {});

  void add_total(std::uint64_t bytes) VZ_EXCLUDES(mutex_);
  /// Says that `bytes` were read; sleeps as long as the rate asks for, or until the stop.
  void spend(std::uint64_t bytes) VZ_EXCLUDES(mutex_);
  /// True: what is not read yet is not to be read. What was found until then counts.
  [[nodiscard]] bool stopped() const { return stop_.stop_requested(); }

 private:
  using Clock = std::chrono::steady_clock;

  const std::uint64_t rate_bytes_;
  const Progress progress_;
  const std::stop_token stop_;
  Mutex mutex_;
  std::uint64_t done_ VZ_GUARDED_BY(mutex_) = 0;
  std::uint64_t total_ VZ_GUARDED_BY(mutex_) = 0;
  Clock::time_point next_ VZ_GUARDED_BY(mutex_);  ///< when the next read may begin
};

}  // namespace vz::check
