// Knows when the disk is as good as full, and holds the ballast that is let go then.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "storage/base/mutex.h"
#include "storage/store/store.h"

namespace vz::node {

/// Thread-safe.
class DiskGuard {
 public:
  struct Options {
    std::optional<std::uint64_t> reserve_bytes;  ///< none: store::default_reserve_bytes()
    /// For how long one look at the disk counts. At a gigabyte a second less than the least reserve
    /// is written in that time.
    std::chrono::milliseconds look_every{50};
  };

  /// `env` must outlive it.
  DiskGuard(Env& env, store::Paths paths, Options options);

  /// Errors: kNoSpace, less is free than the reserve: says how much of each. A disk that cannot be
  /// asked counts as one with space.
  [[nodiscard]] Status admit_growth() VZ_EXCLUDES(mutex_);
  /// As of the last look, which may be now; zeros if the disk cannot be asked.
  [[nodiscard]] DiskSpace space() VZ_EXCLUDES(mutex_);
  [[nodiscard]] std::uint64_t reserve_bytes() VZ_EXCLUDES(mutex_);

  /// Makes the ballast when there is room for it and for the reserve; lets it go when less than its
  /// size is left. To be called now and then, from one thread.
  void tend() VZ_EXCLUDES(mutex_);
  /// The part of tend() that lets go: for a start on a full disk.
  void make_way() VZ_EXCLUDES(mutex_);
  /// Something could not be written: lets the ballast go. True if that freed anything.
  bool release();

 private:
  using Clock = std::chrono::steady_clock;
  void look(Clock::time_point now) VZ_REQUIRES(mutex_);
  [[nodiscard]] std::uint64_t reserve() const VZ_REQUIRES(mutex_);

  Env& env_;
  const store::Paths paths_;
  const Options options_;

  Mutex mutex_;  ///< a leaf; held across a statvfs, which waits for no disk
  DiskSpace space_ VZ_GUARDED_BY(mutex_);
  std::optional<Clock::time_point> looked_ VZ_GUARDED_BY(mutex_);
};

}  // namespace vz::node
