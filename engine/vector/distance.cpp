#include "engine/vector/distance.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "engine/vector/kernels.h"

namespace vz::vector {
namespace {

constexpr std::array<std::pair<Distance, std::string_view>, 4> kNames = {{
    {Distance::kCosine, "Cosine"},
    {Distance::kDot, "Dot"},
    {Distance::kEuclid, "Euclid"},
    {Distance::kManhattan, "Manhattan"},
}};

/// Vectors this near to length 1 count as normalised, so that normalising twice changes nothing.
constexpr double kUnitTolerance = 1e-6;

}  // namespace

std::string_view distance_name(Distance distance) {
  for (const auto& [value, name] : kNames) {
    if (value == distance) return name;
  }
  return "unknown";
}

std::optional<Distance> parse_distance(std::string_view name) {
  for (const auto& [value, known] : kNames) {
    if (known == name) return value;
  }
  return std::nullopt;
}

float similarity(Distance distance, const float* a, const float* b, std::size_t dimension) {
  switch (distance) {
    case Distance::kCosine:
    case Distance::kDot:
      return kernels().dot(a, b, dimension);
    case Distance::kEuclid:
      return -kernels().squared_l2(a, b, dimension);
    case Distance::kManhattan:
      return -kernels().l1(a, b, dimension);
  }
  return 0;
}

float score_of(Distance distance, float similarity) {
  switch (distance) {
    case Distance::kCosine:
    case Distance::kDot:
      return similarity;
    case Distance::kEuclid:
      return std::sqrt(std::max(0.0f, -similarity));
    case Distance::kManhattan:
      return std::max(0.0f, -similarity);
  }
  return 0;
}

float similarity_of(Distance distance, float score) {
  switch (distance) {
    case Distance::kCosine:
    case Distance::kDot:
      return score;
    case Distance::kEuclid:
      // No distance is below 0: such a threshold must stay above every similarity.
      return score < 0 ? -score : -(score * score);
    case Distance::kManhattan:
      return -score;
  }
  return 0;
}

bool larger_is_better(Distance distance) {
  return distance == Distance::kCosine || distance == Distance::kDot;
}

void normalize(std::span<float> values) {
  double sum = 0;
  for (const float value : values) sum += double{value} * double{value};
  if (sum == 0 || std::fabs(sum - 1) < kUnitTolerance) return;
  const double factor = 1 / std::sqrt(sum);
  for (float& value : values) value = static_cast<float>(double{value} * factor);
}

bool all_finite(std::span<const float> values) {
  return std::all_of(values.begin(), values.end(),
                     [](float value) { return std::isfinite(value); });
}

}  // namespace vz::vector
