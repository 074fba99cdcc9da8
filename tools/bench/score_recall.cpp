#include "tools/bench/score_recall.h"

#include <algorithm>
#include <cmath>

namespace vz::bench {
namespace {

// Scores are float32 and may be summed in another order by another kernel.
constexpr double kRelativeError = 1e-6;

}  // namespace

double recall_by_score(std::span<const drive::Scored> found, std::span<const drive::Scored> exact,
                       Order order) {
  if (exact.empty()) return 1.0;
  const double last = exact.back().score;
  const double slack = kRelativeError * std::max(1.0, std::abs(last));
  const auto is_right = [&](const drive::Scored& one) {
    const double ahead = order == Order::kLargerIsNearer ? one.score - last : last - one.score;
    return ahead >= -slack ||
           std::any_of(exact.begin(), exact.end(),
                       [&](const drive::Scored& other) { return other.id == one.id; });
  };
  const auto right = std::count_if(found.begin(), found.end(), is_right);
  return std::min(1.0, static_cast<double>(right) / static_cast<double>(exact.size()));
}

}  // namespace vz::bench
