// Knows when the process is close to the memory that it may use.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>

#include "storage/base/status.h"

namespace vz::runtime {

/// Thread-safe and lock-free. Looks at most every `look_every`, on the thread that asks.
class MemoryGuard {
 public:
  struct Options {
    std::uint64_t limit_bytes = 0;           ///< 0: memory_limit_bytes(), as of construction
    std::function<std::uint64_t()> usage{};  ///< empty: process_memory_bytes()
    std::chrono::milliseconds look_every{100};
  };
  /// Shares of the limit from which on writes, and then searches too, are refused.
  static constexpr double kSoftShare = 0.85;
  static constexpr double kHardShare = 0.95;

  explicit MemoryGuard(Options options);

  /// Errors: kUnavailable, beyond the soft share: what is there must be written down first.
  [[nodiscard]] Status admit_write() const { return admit(kSoftShare, "writes"); }
  /// Errors: kUnavailable, beyond the hard share.
  [[nodiscard]] Status admit_search() const { return admit(kHardShare, "searches"); }

  [[nodiscard]] std::uint64_t limit_bytes() const { return limit_bytes_; }
  /// As of the last look, which may be now.
  [[nodiscard]] std::uint64_t usage_bytes() const;

 private:
  [[nodiscard]] Status admit(double share, const char* what) const;

  const Options options_;
  const std::uint64_t limit_bytes_;
  mutable std::atomic<std::int64_t> next_look_ns_{0};
  mutable std::atomic<std::uint64_t> usage_bytes_{0};
};

}  // namespace vz::runtime
