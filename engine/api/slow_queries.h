// The reads that took long: one log line each, within a bound, and the newest of them in memory.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "engine/api/query_facts.h"
#include "engine/limits.h"
#include "storage/base/mutex.h"

namespace vz::api {

struct SlowQuery {
  std::int64_t time_us = 0;  ///< when it ended, since 1970
  std::string collection;    ///< as the request names it
  QueryFacts facts;
  std::int64_t took_us = 0;  ///< from the whole request to its answer
  int status = 0;            ///< of the answer
  std::string request_id;
};

/// Thread-safe. A read that is not slow costs one relaxed load.
class SlowQueries {
 public:
  using Clock = std::chrono::steady_clock;
  /// Lines of the log: so many at once, and one more each second. Whatever the threshold, a day's
  /// lines are some 30 MB.
  static constexpr std::uint32_t kLinesAtOnce = 50;
  static constexpr std::chrono::milliseconds kLineEvery{1'000};

  /// From now on; a negative one: none is slow.
  void set_threshold(std::int64_t threshold_ms);
  [[nodiscard]] std::int64_t threshold_ms() const {
    return threshold_ms_.load(std::memory_order_relaxed);
  }
  [[nodiscard]] bool is_slow(std::chrono::nanoseconds took) const {
    const std::int64_t threshold = threshold_ms();
    return threshold >= 0 && took >= std::chrono::milliseconds(threshold);
  }

  /// Counts and keeps a slow one, and writes its line unless there were too many; the next line
  /// then says how many are missing. now: of the bound alone.
  void add(SlowQuery query, Clock::time_point now = Clock::now()) VZ_EXCLUDES(mutex_);

  struct Kept {
    std::uint64_t total = 0;          ///< since the process began
    std::uint64_t lines_missing = 0;  ///< of these, those without a line in the log
    std::vector<SlowQuery> queries;   ///< newest first
  };
  [[nodiscard]] Kept newest(std::size_t count) const VZ_EXCLUDES(mutex_);
  [[nodiscard]] std::uint64_t total() const { return total_.load(std::memory_order_relaxed); }

 private:
  /// Whether a line may be written now.
  bool take_line(Clock::time_point now) VZ_REQUIRES(mutex_);

  std::atomic<std::int64_t> threshold_ms_{-1};
  std::atomic<std::uint64_t> total_{0};

  mutable Mutex mutex_;
  std::deque<SlowQuery> kept_ VZ_GUARDED_BY(mutex_);  ///< oldest first
  std::uint32_t lines_left_ VZ_GUARDED_BY(mutex_) = kLinesAtOnce;
  Clock::time_point refilled_at_ VZ_GUARDED_BY(mutex_) = {};
  std::uint64_t missing_ VZ_GUARDED_BY(mutex_) = 0;  ///< since the last line
  std::uint64_t missing_total_ VZ_GUARDED_BY(mutex_) = 0;
};

}  // namespace vz::api
