// Lets drops of collections wait while a snapshot is cut.
#pragma once

#include <utility>
#include <vector>

#include "engine/log/writer.h"
#include "storage/base/mutex.h"

namespace vz::node {

/// Thread-safe. At most as many wait as there are requests under way.
class DropHold {
 public:
  /// True if the drop waits now, to be submitted by release(): then both arguments are taken.
  bool keeps(log::WriteRequest& request, log::WriteCallback& done) VZ_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    if (!held_) return false;
    waiting_.emplace_back(std::move(request), std::move(done));
    return true;
  }
  void hold() VZ_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    held_ = true;
  }
  /// Submits what waits, in the order in which it came. Nothing without hold().
  void release(log::Writer& writer) VZ_EXCLUDES(mutex_) {
    std::vector<std::pair<log::WriteRequest, log::WriteCallback>> waiting;
    {
      MutexLock lock(mutex_);
      held_ = false;
      waiting.swap(waiting_);
    }
    for (auto& [request, done] : waiting) writer.submit(std::move(request), std::move(done));
  }

 private:
  Mutex mutex_;
  bool held_ VZ_GUARDED_BY(mutex_) = false;
  std::vector<std::pair<log::WriteRequest, log::WriteCallback>> waiting_ VZ_GUARDED_BY(mutex_);
};

}  // namespace vz::node
