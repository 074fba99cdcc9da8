// What a segment knows of its own damage, and checks that are made once, at the first touch.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>

#include "storage/base/mutex.h"
#include "storage/base/status.h"

namespace vz::segment {

/// Remembers the first damage for accessors that give a plain value. Who takes the segment out of
/// service logs it. Thread-safe.
class Damage {
 public:
  void report(const Error& error) VZ_EXCLUDES(mutex_);
  [[nodiscard]] bool found() const { return found_.load(std::memory_order_acquire); }
  [[nodiscard]] std::optional<Error> first() const VZ_EXCLUDES(mutex_);

 private:
  std::atomic<bool> found_{false};
  mutable Mutex mutex_;
  std::optional<Error> first_ VZ_GUARDED_BY(mutex_);
};

/// A check whose outcome is kept. Two threads may make it at once: both come to the same.
class FirstTouch {
 public:
  /// True if `check`, which returns a Status, passed now or earlier.
  template <typename Check>
  bool passed(Damage& damage, Check check) const {
    const State known = state_.load(std::memory_order_acquire);
    if (known != State::kUnknown) [[likely]]
      return known == State::kSound;
    const Status status = check();
    if (!status) damage.report(status.error());
    state_.store(status ? State::kSound : State::kDamaged, std::memory_order_release);
    return status.has_value();
  }

 private:
  enum class State : std::uint8_t { kUnknown, kSound, kDamaged };
  mutable std::atomic<State> state_{State::kUnknown};
};

}  // namespace vz::segment
