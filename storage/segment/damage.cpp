#include "storage/segment/damage.h"

namespace vz::segment {

void Damage::report(const Error& error) {
  MutexLock lock(mutex_);
  if (first_) return;
  first_ = error;
  found_.store(true, std::memory_order_release);
}

std::optional<Error> Damage::first() const {
  MutexLock lock(mutex_);
  return first_;
}

}  // namespace vz::segment
