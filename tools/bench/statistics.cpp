#include "tools/bench/statistics.h"

#include <algorithm>
#include <cstddef>

#include "storage/base/status.h"

namespace vz::bench {

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

}  // namespace vz::bench
