// Summaries of repeated measurements.
#pragma once

#include <cstddef>
#include <vector>

namespace vz::bench {

/// 0 of no values.
double median(std::vector<double> values);
/// Value at rank share x (size - 1); `values`, which may not be empty, are reordered.
double percentile(std::vector<double>& values, double share);

/// All 0 of no measurements.
struct Latency {
  double p50_ms = 0;
  double p90_ms = 0;
  double p99_ms = 0;
  double max_ms = 0;
};

/// `micros` are reordered.
Latency latency_of(std::vector<double>& micros);

/// How many measurements took less than `below_ms`, and no less than the bucket before.
struct Bucket {
  double below_ms = 0;
  std::size_t count = 0;
};

/// Buckets that double, from the one with the least to the one with the greatest of `micros`; empty
/// ones between them are there. What takes less than a microsecond is in the first bucket.
std::vector<Bucket> histogram_of(const std::vector<double>& micros);

}  // namespace vz::bench
