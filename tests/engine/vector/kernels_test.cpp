// Every kernel level that this machine has against the scalar ones: exact on codes, within rounding
// on floats.
#include "engine/vector/kernels.h"

#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include <catch2/catch.hpp>

#include "engine/vector/codes.h"

using namespace vz::vector;

namespace {

constexpr unsigned kSeed = 20'240'611;

std::vector<std::size_t> sizes() {
  std::vector<std::size_t> all;
  for (std::size_t size = 1; size <= 70; ++size) all.push_back(size);
  for (const std::size_t size : {100, 127, 384, 768, 1536}) all.push_back(size);
  return all;
}

std::vector<const Kernels*> levels() {
  std::vector<const Kernels*> all;
  for (const auto level : {KernelLevel::kScalar, KernelLevel::kAvx2, KernelLevel::kAvx512}) {
    if (const Kernels* found = kernels_at(level)) all.push_back(found);
  }
  return all;
}

/// Of exact size, so that AddressSanitizer sees one value read too many.
std::vector<float> random_floats(std::mt19937& random, std::size_t size) {
  std::normal_distribution<float> normal;
  std::vector<float> values(size);
  for (float& value : values) value = normal(random);
  values.shrink_to_fit();
  return values;
}

std::vector<std::uint8_t> random_codes(std::mt19937& random, std::size_t size) {
  std::uniform_int_distribution<int> any(0, 255);
  std::vector<std::uint8_t> codes(size);
  for (auto& code : codes) code = static_cast<std::uint8_t>(any(random));
  return codes;
}

}  // namespace

TEST_CASE("kernels: the scalar level is always there, and the best is one of the levels",
          "[engine][vector]") {
  REQUIRE(kernels_at(KernelLevel::kScalar) != nullptr);
  const auto all = levels();
  WARN("kernel level of this machine: " << kernels().name);
  CHECK(all.back()->name == kernels().name);
}

TEST_CASE("kernels: float sums agree with float64 sums at every size and level",
          "[engine][vector]") {
  std::mt19937 random(kSeed);
  for (const std::size_t size : sizes()) {
    const auto a = random_floats(random, size);
    const auto b = random_floats(random, size);
    double dot = 0, squared_l2 = 0, l1 = 0, magnitude = 0;
    for (std::size_t i = 0; i < size; ++i) {
      dot += double{a[i]} * b[i];
      magnitude += std::fabs(double{a[i]} * b[i]);
      squared_l2 += (double{a[i]} - b[i]) * (double{a[i]} - b[i]);
      l1 += std::fabs(double{a[i]} - b[i]);
    }

    for (const Kernels* kernel : levels()) {
      CAPTURE(kSeed, size, kernel->name);
      CHECK(kernel->dot(a.data(), b.data(), size) == Approx(dot).margin(1e-5 * magnitude + 1e-6));
      CHECK(kernel->squared_l2(a.data(), b.data(), size) == Approx(squared_l2).epsilon(1e-5));
      CHECK(kernel->l1(a.data(), b.data(), size) == Approx(l1).epsilon(1e-5));
    }
  }
}

TEST_CASE("kernels: no size and no misalignment reads a value too many or too few",
          "[engine][vector]") {
  // Beyond the range stand NaNs: one of them read would show in the sum.
  for (const std::size_t size : sizes()) {
    for (std::size_t shift = 0; shift < 4; ++shift) {
      std::vector<float> values(size + 40, std::numeric_limits<float>::quiet_NaN());
      std::fill_n(values.begin() + static_cast<std::ptrdiff_t>(shift), size, 1.0f);
      const std::vector<float> zeros(size, 0.0f);
      for (const Kernels* kernel : levels()) {
        CAPTURE(size, shift, kernel->name);
        const float* a = values.data() + shift;
        CHECK(kernel->dot(a, a, size) == static_cast<float>(size));
        CHECK(kernel->squared_l2(a, zeros.data(), size) == static_cast<float>(size));
        CHECK(kernel->l1(a, zeros.data(), size) == static_cast<float>(size));
      }
    }
  }
}

TEST_CASE("kernels: sums over codes are the same integers at every level", "[engine][vector]") {
  std::mt19937 random(kSeed);
  for (const std::size_t stride : {64, 128, 192, 256, 384, 448, 768, 1536}) {
    constexpr std::uint32_t kRows = 23;
    const auto codes = random_codes(random, kRows * stride);
    const auto query = random_codes(random, stride);
    std::vector<std::int8_t> signed_query(stride);
    for (std::size_t i = 0; i < stride; ++i) {
      signed_query[i] = static_cast<std::int8_t>(query[i] - 128);
    }
    std::vector<std::uint32_t> slots;
    for (std::uint32_t i = 0; i < kRows; ++i) slots.push_back((i * 7) % kRows);

    for (const Kernels* kernel : levels()) {
      CAPTURE(kSeed, stride, kernel->name);
      std::vector<std::int32_t> dots(kRows), sads(kRows);
      kernel->dot_at(signed_query.data(), codes.data(), stride, slots.data(), kRows, dots.data());
      kernel->sad_at(query.data(), codes.data(), stride, slots.data(), kRows, sads.data());
      for (std::uint32_t i = 0; i < kRows; ++i) {
        const std::uint8_t* row = codes.data() + slots[i] * stride;
        std::int64_t dot = 0, dot_of_rows = 0, sad = 0;
        for (std::size_t j = 0; j < stride; ++j) {
          dot += signed_query[j] * int{row[j]};
          dot_of_rows += signed_query[j] * (int{row[j]} - 128);
          sad += std::abs(int{query[j]} - int{row[j]});
        }
        REQUIRE(dots[i] == dot);
        REQUIRE(sads[i] == sad);
        REQUIRE(kernel->dot_rows(query.data(), row, stride) == dot_of_rows);
        REQUIRE(kernel->sad_rows(query.data(), row, stride) == sad);
      }
    }
  }
}

TEST_CASE("kernels: the extreme codes of the largest dimension do not overflow",
          "[engine][vector]") {
  constexpr std::size_t kStride = 65'536;
  const std::vector<std::int8_t> query(kStride, 127), least(kStride, -128);
  const std::vector<std::uint8_t> high(kStride, 255), low(kStride, 0);
  const std::uint32_t slot = 0;
  for (const Kernels* kernel : levels()) {
    CAPTURE(kernel->name);
    std::int32_t dot = 0, sad = 0;
    kernel->dot_at(query.data(), high.data(), kStride, &slot, 1, &dot);
    CHECK(dot == 255 * 127 * 65'536ll);
    kernel->dot_at(least.data(), high.data(), kStride, &slot, 1, &dot);
    CHECK(dot == -255ll * 128 * 65'536);
    CHECK(kernel->dot_rows(high.data(), low.data(), kStride) == -127ll * 128 * 65'536);
    CHECK(kernel->dot_rows(low.data(), low.data(), kStride) == 128ll * 128 * 65'536);
    kernel->sad_at(high.data(), low.data(), kStride, &slot, 1, &sad);
    CHECK(sad == 255ll * 65'536);
    CHECK(kernel->sad_rows(high.data(), low.data(), kStride) == 255ll * 65'536);
  }
}

TEST_CASE("kernels: codes and magnitudes are the same at every level, whatever the values",
          "[engine][vector]") {
  std::mt19937 random(kSeed);
  const float infinity = std::numeric_limits<float>::infinity();
  const float strange[] = {std::numeric_limits<float>::quiet_NaN(),
                           infinity,
                           -infinity,
                           0.0f,
                           -0.0f,
                           0.5f,
                           -0.5f,
                           126.5f,
                           -126.5f,
                           3e38f};
  for (const std::size_t size : sizes()) {
    auto values = random_floats(random, size);
    if (size % 3 == 0) values[size / 2] = strange[size % std::size(strange)];
    std::vector<std::int8_t> expected(size);
    const auto sum = kScalarKernels.encode(values.data(), size, 37.5f, expected.data());
    for (const Kernels* kernel : levels()) {
      CAPTURE(kSeed, size, kernel->name);
      std::vector<std::int8_t> codes(size, 99);
      CHECK(kernel->encode(values.data(), size, 37.5f, codes.data()) == sum);
      CHECK(codes == expected);
      CHECK(kernel->magnitude(values.data(), size) ==
            kScalarKernels.magnitude(values.data(), size));
    }
  }
  for (const Kernels* kernel : levels()) {
    std::int8_t codes[10];
    CAPTURE(kernel->name);
    kernel->encode(strange, 10, 1.0f, codes);
    const int expected[] = {-127, 127, -127, 0, 0, 1, -1, 127, -127, 127};
    for (int i = 0; i < 10; ++i) CHECK(int{codes[i]} == expected[i]);
    CHECK(kernel->magnitude(strange, 10) == 3e38f);
    CHECK(kernel->magnitude(strange, 3) == 0.0f);
  }
}

TEST_CASE("kernels: sums over the bits of sketches are the same at every level",
          "[engine][vector]") {
  std::mt19937_64 random(kSeed);
  for (const std::size_t words : {1, 2, 3, 6, 12, 24}) {
    constexpr std::uint32_t kRows = 23;
    const std::size_t stride = std::max(kSketchStrideMin, words + 1 + words % 2);
    std::vector<std::uint64_t> bits(kRows * stride);
    for (auto& word : bits) word = random();
    std::vector<float> factors;
    for (std::uint32_t row = 0; row < kRows; ++row) {
      factors.push_back(0.25f + static_cast<float>(random() % 1'000));
      bits[row * stride + words] = std::bit_cast<std::uint32_t>(factors.back());
    }
    bits[0] = 0;
    bits[stride] = ~std::uint64_t{0};
    std::vector<std::int8_t> query(words * 64);
    constexpr int kRange = 1 << kSketchQueryBits;
    for (auto& value : query) {
      value = static_cast<std::int8_t>(static_cast<int>(random() % kRange) - kRange / 2);
    }
    std::vector<std::uint32_t> slots;
    for (std::uint32_t i = 0; i < kRows; ++i) slots.push_back((i * 7) % kRows);
    for (const Kernels* kernel : levels()) {
      std::vector<float> ranks(kRows);
      kernel->sketch_at(query.data(), 17, bits.data(), words, stride, slots.data(), kRows,
                        ranks.data());
      for (std::uint32_t i = 0; i < kRows; ++i) {
        std::int32_t expected = 0;
        for (std::size_t bit = 0; bit < words * 64; ++bit) {
          if ((bits[slots[i] * stride + bit / 64] >> (bit % 64) & 1) != 0) expected += query[bit];
        }
        CAPTURE(kSeed, words, kernel->name, i);
        REQUIRE(ranks[i] == factors[slots[i]] * static_cast<float>(2 * expected - 17));
      }
    }
  }
}

TEST_CASE("kernels: the ranks of at least so much are counted and kept, at every level",
          "[engine][vector]") {
  std::mt19937_64 random(kSeed);
  for (const std::size_t count : {0, 1, 15, 16, 17, 300}) {
    std::vector<float> ranks(count);
    std::vector<std::uint32_t> rows(count);
    for (std::size_t i = 0; i < count; ++i) {
      ranks[i] = random() % 7 == 0 ? std::nanf("") : static_cast<float>(random() % 9) - 4.0f;
      rows[i] = static_cast<std::uint32_t>(random());
    }
    for (const float least : {std::numeric_limits<float>::lowest(), -1.0f, 0.5f, 9.0f}) {
      std::vector<float> expected_ranks;
      std::vector<std::uint32_t> expected_rows;
      for (std::size_t i = 0; i < count; ++i) {
        if (!(ranks[i] >= least)) continue;
        expected_ranks.push_back(ranks[i]);
        expected_rows.push_back(rows[i]);
      }
      for (const Kernels* kernel : levels()) {
        CAPTURE(kSeed, count, least, kernel->name);
        REQUIRE(kernel->count_at_least(ranks.data(), count, least) == expected_rows.size());

        auto kept_ranks = ranks;
        auto kept_rows = rows;
        kept_ranks.resize(count + kKeptSlack);
        kept_rows.resize(count + kKeptSlack);
        const std::size_t kept = kernel->keep_at_least(kept_ranks.data(), kept_rows.data(), count,
                                                       least, kept_ranks.data(), kept_rows.data());

        kept_ranks.resize(kept);
        kept_rows.resize(kept);
        REQUIRE(kept_ranks == expected_ranks);
        REQUIRE(kept_rows == expected_rows);
      }
    }
  }
}

TEST_CASE("kernels: places of bits, however sparse, at every level", "[engine][vector]") {
  std::mt19937_64 random(kSeed);
  constexpr std::size_t kWords = 50;
  for (const double share : {0.0, 0.01, 0.05, 0.3, 0.9, 1.0}) {
    std::vector<std::uint64_t> words(kWords);
    std::vector<std::uint32_t> expected;
    std::bernoulli_distribution set(share);
    for (std::uint32_t bit = 0; bit < kWords * 64; ++bit) {
      if (!set(random)) continue;
      words[bit / 64] |= std::uint64_t{1} << (bit % 64);
      expected.push_back(640 + bit);
    }
    for (const Kernels* kernel : levels()) {
      std::vector<std::uint32_t> places(kWords * 64 + kPlacesSlack);
      places.resize(kernel->places_of_bits(words.data(), kWords, 640, places.data()));
      CAPTURE(kSeed, share, kernel->name);
      REQUIRE(places == expected);
    }
  }
}
