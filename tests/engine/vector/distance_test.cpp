// Distances, scores and normalisation, on numbers.
#include "engine/vector/distance.h"

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include <catch2/catch.hpp>

using namespace vz::vector;

namespace {
constexpr Distance kAll[] = {Distance::kCosine, Distance::kDot, Distance::kEuclid,
                             Distance::kManhattan};
}

TEST_CASE("distance: names read back, and others are refused", "[engine][vector]") {
  for (const auto distance : kAll) {
    CAPTURE(distance_name(distance));
    CHECK(parse_distance(distance_name(distance)) == distance);
  }
  CHECK_FALSE(parse_distance("cosine").has_value());
  CHECK_FALSE(parse_distance("").has_value());
  CHECK(distance_name(static_cast<Distance>(77)) == "unknown");
}

TEST_CASE("distance: similarity is larger for nearer vectors, and score_of gives the usual number",
          "[engine][vector]") {
  const std::vector<float> origin = {1, 2, 3}, near = {1, 2, 4}, far = {4, 6, 3};

  CHECK(similarity(Distance::kDot, origin.data(), far.data(), 3) == 25);
  CHECK(similarity(Distance::kEuclid, origin.data(), far.data(), 3) == -25);
  CHECK(similarity(Distance::kManhattan, origin.data(), far.data(), 3) == -7);
  for (const auto distance : {Distance::kEuclid, Distance::kManhattan}) {
    CHECK(similarity(distance, origin.data(), near.data(), 3) >
          similarity(distance, origin.data(), far.data(), 3));
  }
  CHECK(score_of(Distance::kDot, 25) == 25);
  CHECK(score_of(Distance::kEuclid, -25) == 5);
  CHECK(score_of(Distance::kManhattan, -7) == 7);
  CHECK_FALSE(std::signbit(score_of(Distance::kEuclid, 0.0f)));
  CHECK_FALSE(std::signbit(score_of(Distance::kManhattan, 0.0f)));
}

TEST_CASE("distance: a threshold as similarity keeps exactly the scores that pass it",
          "[engine][vector]") {
  for (const auto distance : kAll) {
    for (const float threshold : {-1.5f, 0.0f, 0.5f, 3.0f}) {
      for (const float similarity_value : {-9.5f, -9.0f, -2.25f, -0.25f, 0.0f}) {
        const float score = score_of(distance, similarity_value);
        const bool passes = larger_is_better(distance) ? score >= threshold : score <= threshold;
        CAPTURE(distance_name(distance), threshold, similarity_value);
        CHECK((similarity_value >= similarity_of(distance, threshold)) == passes);
      }
    }
  }
}

TEST_CASE("normalize: gives length 1 at any magnitude, and leaves unit and zero vectors alone",
          "[engine][vector]") {
  for (const float magnitude : {1e-30f, 1e-3f, 1.0f, 1e5f, 1e37f}) {
    std::vector<float> values = {3 * magnitude, -4 * magnitude, 0};
    normalize(values);
    CAPTURE(magnitude);
    CHECK(values[0] == Approx(0.6f));
    CHECK(values[1] == Approx(-0.8f));

    const auto once = values;
    normalize(values);
    CHECK(values == once);
  }

  std::vector<float> zeros(5, 0.0f);
  normalize(zeros);
  CHECK(zeros == std::vector<float>(5, 0.0f));

  std::vector<float> nearly = {1.0f + 2e-7f, 0};
  normalize(nearly);
  CHECK(nearly[0] == 1.0f + 2e-7f);
}

TEST_CASE("all_finite: one NaN or infinity anywhere is seen", "[engine][vector]") {
  CHECK(all_finite({}));
  for (std::size_t at = 0; at < 37; ++at) {
    for (const float bad :
         {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
          -std::numeric_limits<float>::infinity()}) {
      std::vector<float> values(37, std::numeric_limits<float>::max());
      REQUIRE(all_finite(values));
      values[at] = bad;
      CAPTURE(at, bad);
      CHECK_FALSE(all_finite(values));
    }
  }
}
