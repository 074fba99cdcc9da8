// Distances between float32 vectors. Kernels (scalar, AVX2, AVX-512) are chosen at run time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace vz::vector {

enum class Distance : std::uint8_t { kCosine = 1, kDot = 2, kEuclid = 3, kManhattan = 4 };

/// "Cosine", "Dot", "Euclid", "Manhattan".
std::string_view distance_name(Distance distance);
std::optional<Distance> parse_distance(std::string_view name);

/// How alike two vectors are; larger is nearer for every distance: the dot product for Cosine (of
/// vectors that are normalised already) and Dot, minus the squared L2 distance, minus the L1
/// distance. `a` and `b` have `dimension` values.
float similarity(Distance distance, const float* a, const float* b, std::size_t dimension);

/// The score that clients see: dot, dot, L2 distance, L1 distance.
float score_of(Distance distance, float similarity);
/// The similarity that a client's score_threshold stands for.
float similarity_of(Distance distance, float score);
/// True if a larger score is nearer.
bool larger_is_better(Distance distance);

/// Scales `values` to length 1 with a float64 sum. |norm^2 - 1| < 1e-6 is left alone, and so is the
/// zero vector.
void normalize(std::span<float> values);

/// True if every value is finite.
bool all_finite(std::span<const float> values);

}  // namespace vz::vector
