// Latencies in log-linear buckets: 16 equal ones for each power of two, so an error below 1/16.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace vz::runtime {

inline constexpr std::uint64_t kHistogramNsMax = 100'000'000'000;  // 100 s; longer counts as this.
inline constexpr std::size_t kHistogramSubBits = 4;
inline constexpr std::size_t kHistogramSub = std::size_t{1} << kHistogramSubBits;

/// Bucket of a duration: below 16 ns its own; above, the power of two and the next four bits.
constexpr std::size_t histogram_bucket(std::uint64_t ns) {
  if (ns < kHistogramSub) return static_cast<std::size_t>(ns);
  const auto power = static_cast<std::size_t>(std::bit_width(ns)) - 1;
  const std::size_t shift = power - kHistogramSubBits;
  return (shift + 1) * kHistogramSub + static_cast<std::size_t>(ns >> shift) - kHistogramSub;
}

/// The least duration of a bucket.
constexpr std::uint64_t histogram_bucket_start_ns(std::size_t bucket) {
  if (bucket < kHistogramSub) return bucket;
  const std::size_t shift = bucket / kHistogramSub - 1;
  return (kHistogramSub + bucket % kHistogramSub) << shift;
}

inline constexpr std::size_t kHistogramBuckets = histogram_bucket(kHistogramNsMax) + 1;

/// Thread-safe and lock-free; about 5 kB.
class Histogram {
 public:
  /// The histogram at one moment.
  struct Snapshot {
    std::uint64_t count = 0;
    std::uint64_t sum_ns = 0;
    double mean_ns = 0.0;  ///< 0 if nothing was recorded
    std::array<std::uint64_t, kHistogramBuckets> buckets{};

    /// The duration that a share `q` (0 to 1, clamped) of all stays within, interpolated inside
    /// its bucket; 0 if nothing was recorded.
    [[nodiscard]] double quantile_ns(double q) const {
      if (count == 0) return 0.0;
      const double rank = std::clamp(q, 0.0, 1.0) * static_cast<double>(count);
      double before = 0.0;
      std::size_t last = 0;
      for (std::size_t i = 0; i < kHistogramBuckets; ++i) {
        if (buckets[i] == 0) continue;
        last = i;
        const auto here = static_cast<double>(buckets[i]);
        if (before + here >= rank) return within(i, (rank - before) / here);
        before += here;
      }
      return within(last, 1.0);
    }

    /// How many lasted at most `ns`: whole buckets, and of the one that `ns` lies in the share
    /// below it. What is within the longest duration is all.
    [[nodiscard]] std::uint64_t count_within(std::uint64_t ns) const {
      if (ns >= kHistogramNsMax) return count;
      const std::size_t last = bucket_of(ns);
      std::uint64_t below = 0;
      for (std::size_t i = 0; i < last; ++i) below += buckets[i];
      const std::uint64_t start = lower_bound(last);
      const std::uint64_t width = lower_bound(last + 1) - start;
      return below + buckets[last] * (ns - start + 1) / width;
    }
    /// Adds what another histogram has seen.
    void add(const Snapshot& other) {
      for (std::size_t i = 0; i < kHistogramBuckets; ++i) buckets[i] += other.buckets[i];
      count += other.count;
      sum_ns += other.sum_ns;
      mean_ns = count > 0 ? static_cast<double>(sum_ns) / static_cast<double>(count) : 0.0;
    }

   private:
    static double within(std::size_t bucket, double share) {
      const auto start = static_cast<double>(lower_bound(bucket));
      const auto end = static_cast<double>(lower_bound(bucket + 1));
      return std::min(start + (end - start) * share, static_cast<double>(kHistogramNsMax));
    }
  };

  void record(std::uint64_t ns) {
    ns = std::min(ns, kHistogramNsMax);
    buckets_[bucket_of(ns)].fetch_add(1, std::memory_order_relaxed);
    sum_ns_.fetch_add(ns, std::memory_order_relaxed);
  }
  /// A negative duration counts as 0.
  void record(std::chrono::nanoseconds duration) {
    record(static_cast<std::uint64_t>(std::max<std::int64_t>(duration.count(), 0)));
  }

  /// The count is that of the buckets; a record() under way may be in the count and not yet in the
  /// sum.
  [[nodiscard]] Snapshot snapshot() const {
    Snapshot out;
    for (std::size_t i = 0; i < kHistogramBuckets; ++i) {
      out.buckets[i] = buckets_[i].load(std::memory_order_relaxed);
      out.count += out.buckets[i];
    }
    out.sum_ns = sum_ns_.load(std::memory_order_relaxed);
    if (out.count > 0)
      out.mean_ns = static_cast<double>(out.sum_ns) / static_cast<double>(out.count);
    return out;
  }

  static constexpr std::size_t bucket_of(std::uint64_t ns) { return histogram_bucket(ns); }
  static constexpr std::uint64_t lower_bound(std::size_t bucket) {
    return histogram_bucket_start_ns(bucket);
  }

 private:
  std::array<std::atomic<std::uint64_t>, kHistogramBuckets> buckets_{};
  std::atomic<std::uint64_t> sum_ns_{0};
};

}  // namespace vz::runtime
