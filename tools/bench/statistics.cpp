#include "tools/bench/statistics.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "storage/base/status.h"

namespace vz::bench {
namespace {

constexpr double kMicrosPerMs = 1e3;

}  // namespace

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values.empty() ? 0 : values[values.size() / 2];
}

double percentile(std::vector<double>& values, double share) {
  VZ_ASSERT(!values.empty());
  const auto rank = static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + rank, values.end());
  return values[static_cast<std::size_t>(rank)];
}

Latency latency_of(std::vector<double>& micros) {
  if (micros.empty()) return {};
  return {.p50_ms = percentile(micros, 0.50) / kMicrosPerMs,
          .p90_ms = percentile(micros, 0.90) / kMicrosPerMs,
          .p99_ms = percentile(micros, 0.99) / kMicrosPerMs,
          .max_ms = percentile(micros, 1.00) / kMicrosPerMs};
}

std::vector<Bucket> histogram_of(const std::vector<double>& micros) {
  std::vector<std::size_t> counts;  // by the power of two of their microseconds
  for (const double value : micros) {
    const auto power = static_cast<std::size_t>(value < 1 ? 0 : std::ilogb(value));
    if (counts.size() <= power) counts.resize(power + 1);
    ++counts[power];
  }
  std::vector<Bucket> buckets;
  for (std::size_t power = 0; power < counts.size(); ++power) {
    if (buckets.empty() && counts[power] == 0) continue;
    buckets.push_back({.below_ms = std::exp2(static_cast<double>(power + 1)) / kMicrosPerMs,
                       .count = counts[power]});
  }
  return buckets;
}

}  // namespace vz::bench
