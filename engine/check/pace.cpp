#include "engine/check/pace.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

namespace vz::check {

Pace::Pace(std::uint64_t rate_bytes, Progress progress, std::stop_token stop)
    : rate_bytes_(rate_bytes),
      progress_(std::move(progress)),
      stop_(std::move(stop)),
      next_(Clock::now()) {}

void Pace::add_total(std::uint64_t bytes) {
  MutexLock lock(mutex_);
  total_ += bytes;
}

void Pace::spend(std::uint64_t bytes) {
  Clock::time_point until;
  {
    MutexLock lock(mutex_);
    done_ += bytes;
    if (progress_) progress_(done_, std::max(done_, total_));
    if (rate_bytes_ == 0) return;
    const std::chrono::duration<double> cost(static_cast<double>(bytes) /
                                             static_cast<double>(rate_bytes_));
    // What was not used while nothing was read is not saved up.
    next_ = std::max(next_, Clock::now()) + std::chrono::duration_cast<Clock::duration>(cost);
    until = next_;
  }
  if (!stop_.stop_possible()) return std::this_thread::sleep_until(until);
  std::mutex none;
  std::unique_lock lock(none);
  std::condition_variable_any().wait_until(lock, stop_, until, [] { return false; });
}

}  // namespace vz::check
