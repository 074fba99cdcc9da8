// Portable kernels: the meaning of the others.
#include <cmath>
#include <cstdlib>

#include "engine/vector/kernels.h"

namespace vz::vector {
namespace {

constexpr int kBias = 128;

float dot(const float* a, const float* b, std::size_t size) {
  float sum = 0;
  for (std::size_t i = 0; i < size; ++i) sum += a[i] * b[i];
  return sum;
}

float squared_l2(const float* a, const float* b, std::size_t size) {
  float sum = 0;
  for (std::size_t i = 0; i < size; ++i) {
    const float difference = a[i] - b[i];
    sum += difference * difference;
  }
  return sum;
}

float l1(const float* a, const float* b, std::size_t size) {
  float sum = 0;
  for (std::size_t i = 0; i < size; ++i) sum += std::fabs(a[i] - b[i]);
  return sum;
}

float magnitude(const float* values, std::size_t size) {
  float maximum = 0;
  for (std::size_t i = 0; i < size; ++i) {
    const float absolute = std::fabs(values[i]);
    if (std::isfinite(absolute)) maximum = std::fmax(maximum, absolute);
  }
  return maximum;
}

std::int32_t encode(const float* values, std::size_t size, float inverse, std::int8_t* codes) {
  constexpr float kMax = 127.0f;
  std::int32_t sum = 0;
  for (std::size_t i = 0; i < size; ++i) {
    const float scaled = values[i] * inverse;
    const float clipped = scaled > -kMax ? (scaled < kMax ? scaled : kMax) : -kMax;
    const int code = static_cast<int>(clipped + (clipped >= 0 ? 0.5f : -0.5f));
    codes[i] = static_cast<std::int8_t>(code);
    sum += code;
  }
  return sum;
}

// No overflow: 255 * 128 * 65,536 (limits::kDimensionMax) is below 2^31.
std::int32_t dot_rows(const std::uint8_t* a, const std::uint8_t* b, std::size_t stride) {
  std::int32_t sum = 0;
  for (std::size_t i = 0; i < stride; ++i) sum += (int{a[i]} - kBias) * (int{b[i]} - kBias);
  return sum;
}

std::int32_t sad_rows(const std::uint8_t* a, const std::uint8_t* b, std::size_t stride) {
  std::int32_t sum = 0;
  for (std::size_t i = 0; i < stride; ++i) sum += std::abs(int{a[i]} - int{b[i]});
  return sum;
}

void dot_at(const std::int8_t* query, const std::uint8_t* codes, std::size_t stride,
            const std::uint32_t* slots, std::size_t count, std::int32_t* out) {
  for (std::size_t row = 0; row < count; ++row) {
    const std::uint8_t* const values = codes + std::size_t{slots[row]} * stride;
    std::int32_t sum = 0;
    for (std::size_t i = 0; i < stride; ++i) sum += int{query[i]} * int{values[i]};
    out[row] = sum;
  }
}

void sad_at(const std::uint8_t* query, const std::uint8_t* codes, std::size_t stride,
            const std::uint32_t* slots, std::size_t count, std::int32_t* out) {
  for (std::size_t row = 0; row < count; ++row) {
    out[row] = sad_rows(query, codes + std::size_t{slots[row]} * stride, stride);
  }
}

void sketch_at(const std::int8_t* query, std::int32_t all, const std::uint64_t* sketches,
               std::size_t words, std::size_t stride, const std::uint32_t* slots, std::size_t count,
               float* out) {
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t* const row = sketches + std::size_t{slots[i]} * stride;
    std::int32_t sum = 0;
    for (std::size_t word = 0; word < words; ++word) {
      for (std::uint64_t set = row[word]; set != 0; set &= set - 1) {
        sum += query[word * 64 + static_cast<unsigned>(__builtin_ctzll(set))];
      }
    }
    out[i] = sketch_rank(row, words, sum, all);
  }
}

std::size_t places_of_bits(const std::uint64_t* words, std::size_t count, std::uint32_t first,
                           std::uint32_t* out) {
  std::size_t size = 0;
  for (std::size_t i = 0; i < count; ++i, first += 64) {
    for (std::uint64_t word = words[i]; word != 0; word &= word - 1) {
      out[size++] = first + static_cast<std::uint32_t>(__builtin_ctzll(word));
    }
  }
  return size;
}

}  // namespace

std::size_t count_at_least_portable(const float* values, std::size_t count, float least) {
  std::size_t sum = 0;
  for (std::size_t i = 0; i < count; ++i) sum += values[i] >= least ? 1 : 0;
  return sum;
}

std::size_t keep_at_least_portable(const float* ranks, const std::uint32_t* rows, std::size_t count,
                                   float least, float* kept_ranks, std::uint32_t* kept_rows) {
  std::size_t size = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const float rank = ranks[i];
    kept_rows[size] = rows[i];
    kept_ranks[size] = rank;
    size += rank >= least ? 1 : 0;
  }
  return size;
}

const Kernels kScalarKernels = {
    .name = "scalar",
    .dot = dot,
    .squared_l2 = squared_l2,
    .l1 = l1,
    .magnitude = magnitude,
    .encode = encode,
    .dot_rows = dot_rows,
    .sad_rows = sad_rows,
    .dot_at = dot_at,
    .sad_at = sad_at,
    .sketch_at = sketch_at,
    .places_of_bits = places_of_bits,
    .count_at_least = count_at_least_portable,
    .keep_at_least = keep_at_least_portable,
};

}  // namespace vz::vector
