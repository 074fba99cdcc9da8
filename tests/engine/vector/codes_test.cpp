// int8 codes: what they lose is bounded, and what they hold is laid out as codes.h says.
#include "engine/vector/codes.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include <catch2/catch.hpp>

using namespace vz::vector;

namespace {

constexpr unsigned kSeed = 7'101;
constexpr Distance kAll[] = {Distance::kCosine, Distance::kDot, Distance::kEuclid,
                             Distance::kManhattan};

struct Coded {
  std::vector<std::uint8_t> codes;
  std::vector<float> norms;
  CodeBlock block;
};

Coded encode_all(const std::vector<float>& values, std::uint32_t dimension, float scale) {
  Coded coded;
  const std::size_t stride = code_stride(dimension);
  const std::size_t rows = values.size() / dimension;
  coded.codes.assign(rows * stride, 99);  // Pad bytes must be written.
  for (std::size_t row = 0; row < rows; ++row) {
    coded.norms.push_back(encode_row(std::span(values).subspan(row * dimension, dimension), scale,
                                     coded.codes.data() + row * stride));
  }
  coded.block = {.codes = coded.codes.data(),
                 .norms = coded.norms.data(),
                 .stride = stride,
                 .rows = static_cast<std::uint32_t>(rows),
                 .dimension = dimension,
                 .scale = scale};
  return coded;
}

std::vector<float> normal_values(std::size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(count);
  for (float& value : values) value = normal(random);
  return values;
}

}  // namespace

TEST_CASE("codes: a row is rounded to the nearest code, clipped, biased and padded",
          "[engine][vector]") {
  const std::vector<float> values = {0.0f, 0.26f, -0.26f, 0.24f, 1000.0f, -1000.0f, 1.5f};
  std::vector<std::uint8_t> codes(64, 99);

  const float norm = encode_row(values, 0.5f, codes.data());

  const std::vector<int> expected = {0, 1, -1, 0, 127, -127, 3};
  for (std::size_t i = 0; i < expected.size(); ++i) CHECK(int{codes[i]} == expected[i] + 128);
  CHECK(std::count(codes.begin() + 7, codes.end(), 128) == 57);
  CHECK(norm == Approx(2'000'002.44f));
}

TEST_CASE("codes: stride is the next multiple of 64", "[engine][vector]") {
  CHECK(code_stride(1) == 64);
  CHECK(code_stride(64) == 64);
  CHECK(code_stride(65) == 128);
  CHECK(code_stride(100) == 128);
  CHECK(code_stride(768) == 768);
}

TEST_CASE("codes: the scale is the 0.9995 quantile, and usable for any values",
          "[engine][vector]") {
  const auto values = normal_values(200'000, kSeed);
  CHECK(train_scale(values) * 127 == Approx(3.48).epsilon(0.05));  // of |N(0, 1)|

  std::vector<float> outlier = values;
  outlier[1234] = 1e9f;
  CHECK(train_scale(outlier) * 127 < 4);

  CHECK(train_scale({}) == 1.0f);
  CHECK(train_scale(std::vector<float>(500, 0.0f)) == 1.0f);
  std::vector<float> lonely(100'000, 0.0f);
  lonely[77] = 2.54f;
  CHECK(train_scale(lonely) == Approx(0.02f));
  for (const float strange :
       {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN(),
        std::numeric_limits<float>::denorm_min(), std::numeric_limits<float>::max()}) {
    const float scale = train_scale(std::vector<float>(100, strange));
    CAPTURE(strange);
    CHECK(std::isfinite(scale));
    CHECK(scale > 0);
    CHECK(std::isfinite(1 / scale));
  }
}

TEST_CASE("codes: approximate similarities stay near the float32 ones for every distance",
          "[engine][vector]") {
  for (const std::uint32_t dimension : {1u, 3u, 63u, 64u, 65u, 100u, 384u, 768u}) {
    constexpr std::uint32_t kRows = 70;  // More than one batch of the kernels.
    const auto values = normal_values(std::size_t{kRows} * dimension, kSeed + dimension);
    const auto query = normal_values(dimension, kSeed * 2 + dimension);
    const auto coded = encode_all(values, dimension, train_scale(values));
    for (const auto distance : kAll) {
      const CodedQuery coded_query(distance, query, coded.block.scale);
      std::vector<float> found(kRows);
      coded_query.similarities(coded.block, 0, found);
      // The error of one product or difference is at most about two half steps of a code.
      const double step = coded.block.scale;
      const double tolerance = distance == Distance::kManhattan
                                   ? dimension * 2 * step + 1
                                   : 12 * step * std::sqrt(1.0 * dimension) + 0.2;
      for (std::uint32_t row = 0; row < kRows; ++row) {
        const float exact =
            similarity(distance, query.data(), values.data() + row * dimension, dimension);
        CAPTURE(kSeed, dimension, distance_name(distance), row);
        CHECK(found[row] == Approx(exact).margin(tolerance));
        CHECK(coded_query.similarity(coded.block, row) == found[row]);
      }
    }
  }
}

TEST_CASE("codes: rows picked one by one, in any order and number, compare as in order",
          "[engine][vector]") {
  constexpr std::uint32_t kDimension = 100, kRows = 200;
  const auto values = normal_values(kRows * kDimension, kSeed);
  const auto query = normal_values(kDimension, kSeed + 1);
  const auto coded = encode_all(values, kDimension, train_scale(values));
  for (const auto distance : kAll) {
    const CodedQuery coded_query(distance, query, coded.block.scale);
    std::vector<float> in_order(kRows);
    coded_query.similarities(coded.block, 0, in_order);
    std::vector<std::uint32_t> slots;
    for (std::uint32_t i = 0; i < kRows; ++i) slots.push_back(i * 13 % kRows);

    std::vector<float> picked(kRows);
    coded_query.similarities_at(coded.block, slots, picked);

    for (std::uint32_t i = 0; i < kRows; ++i) REQUIRE(picked[i] == in_order[slots[i]]);
  }
}

TEST_CASE("codes: a query object assigned anew compares like a fresh one", "[engine][vector]") {
  const auto values = normal_values(50 * 100, kSeed);
  const auto coded = encode_all(values, 100, train_scale(values));
  const auto first = normal_values(768, 1), second = normal_values(100, 2);
  for (const auto distance : kAll) {
    CodedQuery reused;
    reused.assign(Distance::kEuclid, first, 0.3f);
    reused.assign(distance, second, coded.block.scale);
    const CodedQuery fresh(distance, second, coded.block.scale);
    CHECK(reused.distance() == distance);
    for (std::uint32_t row = 0; row < 50; ++row) {
      REQUIRE(reused.similarity(coded.block, row) == fresh.similarity(coded.block, row));
    }
  }
}

TEST_CASE("codes: a row as the query compares as its own values would", "[engine][vector]") {
  constexpr std::uint32_t kDimension = 100, kRows = 50;
  const auto values = normal_values(kRows * kDimension, kSeed);
  const auto coded = encode_all(values, kDimension, train_scale(values));
  for (const auto distance : kAll) {
    CodedQuery query;
    query.assign_row(distance, coded.block, 7);
    for (std::uint32_t row = 0; row < kRows; ++row) {
      const float exact = similarity(distance, values.data() + 7 * kDimension,
                                     values.data() + row * kDimension, kDimension);
      CAPTURE(kSeed, distance_name(distance), row);
      CHECK(query.similarity(coded.block, row) == Approx(exact).margin(6).epsilon(0.05));
    }
  }
}

TEST_CASE("codes: values that are not finite never leave the range of codes", "[engine][vector]") {
  const float infinity = std::numeric_limits<float>::infinity();
  const std::vector<float> strange = {std::numeric_limits<float>::quiet_NaN(), infinity, -infinity,
                                      std::numeric_limits<float>::max()};
  std::vector<std::uint8_t> codes(64);
  encode_row(strange, 1e-35f, codes.data());
  for (const auto code : codes) CHECK(int{code} >= 1);
  const CodedQuery query(Distance::kEuclid, strange, 1.0f);
  CHECK(query.distance() == Distance::kEuclid);
}

TEST_CASE("codes: sketches rank near rows before far ones", "[engine][vector]") {
  constexpr std::uint32_t kDimension = 256, kRows = 400;
  auto values = normal_values(kRows * kDimension, kSeed);
  const auto query = normal_values(kDimension, kSeed + 1);
  for (std::uint32_t row = 0; row < 10; ++row) {  // Ten rows near the query.
    for (std::uint32_t i = 0; i < kDimension; ++i) {
      float& value = values[row * kDimension + i];
      value = 0.7f * query[i] + 0.7f * value;
    }
  }
  const std::size_t words = sketch_words(kDimension);
  const std::size_t stride = sketch_stride(kDimension);
  REQUIRE(words == 4);
  REQUIRE(stride == 8);
  std::vector<std::uint64_t> rows(kRows * stride, ~std::uint64_t{0});
  for (std::uint32_t row = 0; row < kRows; ++row) {
    encode_sketch(std::span(values).subspan(row * kDimension, kDimension),
                  rows.data() + row * stride);
  }
  std::vector<std::uint32_t> slots(kRows);
  for (std::uint32_t i = 0; i < kRows; ++i) slots[i] = i;

  std::vector<float> ranks(kRows);
  SketchQuery sketched;
  sketched.assign(CodedQuery(Distance::kDot, query, 0.03f));
  sketched.ranks_at({.rows = rows.data(), .words = words, .stride = stride}, slots, ranks);

  const float worst_near = *std::min_element(ranks.begin(), ranks.begin() + 10);
  const float best_far = *std::max_element(ranks.begin() + 10, ranks.end());
  CHECK(worst_near > best_far);

  encode_sketch(std::vector<float>(kDimension, 0.0f), rows.data());
  CHECK(std::all_of(rows.begin(), rows.begin() + 5, [](auto word) { return word == 0; }));
}
