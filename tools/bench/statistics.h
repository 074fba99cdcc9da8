// Summaries of repeated measurements.
#pragma once

#include <vector>

namespace vz::bench {

/// 0 of no values.
double median(std::vector<double> values);
/// Value at rank share x (size - 1); `values`, which may not be empty, are reordered.
double percentile(std::vector<double>& values, double share);

}  // namespace vz::bench
