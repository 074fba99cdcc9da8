// The wall clock: for what people set and read, never for order.
#pragma once

#include <chrono>
#include <cstdint>

namespace vz::runtime {

/// Microseconds since 1970-01-01T00:00:00Z.
inline std::int64_t unix_time_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace vz::runtime
