#include "tools/offline/pace.h"

#include <algorithm>
#include <thread>
#include <utility>

namespace vz::offline {

Pace::Pace(std::uint64_t rate_bytes, Progress progress)
    : rate_bytes_(rate_bytes), progress_(std::move(progress)), next_(Clock::now()) {}

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
  std::this_thread::sleep_until(until);
}

}  // namespace vz::offline
