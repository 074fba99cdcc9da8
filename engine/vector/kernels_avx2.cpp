// Kernels for AVX2 and FMA. Compiled for the base machine: each function names its instructions.
#include "engine/vector/kernels.h"

#if defined(__x86_64__)
#include <algorithm>
#include <cmath>
#include <limits>

#include <immintrin.h>

#define VZ_AVX2 __attribute__((target("avx2,fma,bmi,popcnt")))

namespace vz::vector {
namespace {

VZ_AVX2 inline float sum_of(__m256 x) {
  __m128 four = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
  four = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(four, _mm_shuffle_ps(four, four, 1)));
}

VZ_AVX2 inline std::int32_t sum_of(__m256i x) {
  __m128i four = _mm_add_epi32(_mm256_castsi256_si128(x), _mm256_extracti128_si256(x, 1));
  four = _mm_add_epi32(four, _mm_shuffle_epi32(four, _MM_SHUFFLE(1, 0, 3, 2)));
  four = _mm_add_epi32(four, _mm_shuffle_epi32(four, _MM_SHUFFLE(2, 3, 0, 1)));
  return _mm_cvtsi128_si32(four);
}

VZ_AVX2 float dot(const float* a, const float* b, std::size_t size) {
  __m256 s0 = _mm256_setzero_ps(), s1 = s0, s2 = s0, s3 = s0;
  std::size_t i = 0;
  for (; i + 32 <= size; i += 32) {
    s0 = _mm256_fmadd_ps(_mm256_loadu_ps(a + i), _mm256_loadu_ps(b + i), s0);
    s1 = _mm256_fmadd_ps(_mm256_loadu_ps(a + i + 8), _mm256_loadu_ps(b + i + 8), s1);
    s2 = _mm256_fmadd_ps(_mm256_loadu_ps(a + i + 16), _mm256_loadu_ps(b + i + 16), s2);
    s3 = _mm256_fmadd_ps(_mm256_loadu_ps(a + i + 24), _mm256_loadu_ps(b + i + 24), s3);
  }
  for (; i + 8 <= size; i += 8) {
    s0 = _mm256_fmadd_ps(_mm256_loadu_ps(a + i), _mm256_loadu_ps(b + i), s0);
  }
  float sum = sum_of(_mm256_add_ps(_mm256_add_ps(s0, s1), _mm256_add_ps(s2, s3)));
  for (; i < size; ++i) sum += a[i] * b[i];
  return sum;
}

VZ_AVX2 float squared_l2(const float* a, const float* b, std::size_t size) {
  __m256 s0 = _mm256_setzero_ps(), s1 = s0;
  std::size_t i = 0;
  for (; i + 16 <= size; i += 16) {
    const __m256 d0 = _mm256_sub_ps(_mm256_loadu_ps(a + i), _mm256_loadu_ps(b + i));
    const __m256 d1 = _mm256_sub_ps(_mm256_loadu_ps(a + i + 8), _mm256_loadu_ps(b + i + 8));
    s0 = _mm256_fmadd_ps(d0, d0, s0);
    s1 = _mm256_fmadd_ps(d1, d1, s1);
  }
  for (; i + 8 <= size; i += 8) {
    const __m256 d0 = _mm256_sub_ps(_mm256_loadu_ps(a + i), _mm256_loadu_ps(b + i));
    s0 = _mm256_fmadd_ps(d0, d0, s0);
  }
  float sum = sum_of(_mm256_add_ps(s0, s1));
  for (; i < size; ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return sum;
}

VZ_AVX2 float l1(const float* a, const float* b, std::size_t size) {
  const __m256 sign = _mm256_set1_ps(-0.0f);
  __m256 s0 = _mm256_setzero_ps(), s1 = s0;
  std::size_t i = 0;
  for (; i + 16 <= size; i += 16) {
    const __m256 d0 = _mm256_sub_ps(_mm256_loadu_ps(a + i), _mm256_loadu_ps(b + i));
    const __m256 d1 = _mm256_sub_ps(_mm256_loadu_ps(a + i + 8), _mm256_loadu_ps(b + i + 8));
    s0 = _mm256_add_ps(s0, _mm256_andnot_ps(sign, d0));
    s1 = _mm256_add_ps(s1, _mm256_andnot_ps(sign, d1));
  }
  for (; i + 8 <= size; i += 8) {
    const __m256 d0 = _mm256_sub_ps(_mm256_loadu_ps(a + i), _mm256_loadu_ps(b + i));
    s0 = _mm256_add_ps(s0, _mm256_andnot_ps(sign, d0));
  }
  float sum = sum_of(_mm256_add_ps(s0, s1));
  for (; i < size; ++i) sum += std::fabs(a[i] - b[i]);
  return sum;
}

VZ_AVX2 inline __m256i load(const void* from) {
  return _mm256_loadu_si256(static_cast<const __m256i*>(from));
}
VZ_AVX2 inline __m256i flip_sign(__m256i x) {
  return _mm256_xor_si256(x, _mm256_set1_epi8(static_cast<char>(0x80)));
}

VZ_AVX2 float magnitude(const float* values, std::size_t size) {
  const __m256 sign = _mm256_set1_ps(-0.0f);
  const __m256 infinity = _mm256_set1_ps(std::numeric_limits<float>::infinity());
  __m256 maximum = _mm256_setzero_ps();
  std::size_t i = 0;
  for (; i + 8 <= size; i += 8) {
    const __m256 absolute = _mm256_andnot_ps(sign, _mm256_loadu_ps(values + i));
    const __m256 finite = _mm256_cmp_ps(absolute, infinity, _CMP_LT_OQ);
    maximum = _mm256_max_ps(maximum, _mm256_and_ps(absolute, finite));
  }
  alignas(32) float lanes[8];
  _mm256_store_ps(lanes, maximum);
  float best = kScalarKernels.magnitude(values + i, size - i);
  for (const float lane : lanes) best = std::max(best, lane);
  return best;
}

VZ_AVX2 std::int32_t encode(const float* values, std::size_t size, float inverse,
                            std::int8_t* codes) {
  const __m256 scale = _mm256_set1_ps(inverse), half = _mm256_set1_ps(0.5f);
  const __m256 low = _mm256_set1_ps(-127.0f), high = _mm256_set1_ps(127.0f);
  const __m256 sign = _mm256_set1_ps(-0.0f);
  __m256i sum = _mm256_setzero_si256();
  std::size_t i = 0;
  for (; i + 8 <= size; i += 8) {
    const __m256 scaled = _mm256_mul_ps(_mm256_loadu_ps(values + i), scale);
    // The second operand wins over NaN.
    const __m256 clipped = _mm256_min_ps(_mm256_max_ps(scaled, low), high);
    const __m256 away = _mm256_or_ps(half, _mm256_and_ps(clipped, sign));
    const __m256i code = _mm256_cvttps_epi32(_mm256_add_ps(clipped, away));
    sum = _mm256_add_epi32(sum, code);
    const __m128i words =
        _mm_packs_epi32(_mm256_castsi256_si128(code), _mm256_extracti128_si256(code, 1));
    _mm_storel_epi64(reinterpret_cast<__m128i*>(codes + i), _mm_packs_epi16(words, words));
  }
  return sum_of(sum) + kScalarKernels.encode(values + i, size - i, inverse, codes + i);
}

// Widened to 16 bits first: maddubs alone would saturate at 255 * 127 * 2.
VZ_AVX2 inline __m256i add_products(__m256i sum, __m256i row, __m256i query) {
  const __m256i low = _mm256_madd_epi16(_mm256_cvtepu8_epi16(_mm256_castsi256_si128(row)),
                                        _mm256_cvtepi8_epi16(_mm256_castsi256_si128(query)));
  const __m256i high = _mm256_madd_epi16(_mm256_cvtepu8_epi16(_mm256_extracti128_si256(row, 1)),
                                         _mm256_cvtepi8_epi16(_mm256_extracti128_si256(query, 1)));
  return _mm256_add_epi32(sum, _mm256_add_epi32(low, high));
}

VZ_AVX2 inline __m256i add_signed_products(__m256i sum, __m256i a, __m256i b) {
  const __m256i low = _mm256_madd_epi16(_mm256_cvtepi8_epi16(_mm256_castsi256_si128(a)),
                                        _mm256_cvtepi8_epi16(_mm256_castsi256_si128(b)));
  const __m256i high = _mm256_madd_epi16(_mm256_cvtepi8_epi16(_mm256_extracti128_si256(a, 1)),
                                         _mm256_cvtepi8_epi16(_mm256_extracti128_si256(b, 1)));
  return _mm256_add_epi32(sum, _mm256_add_epi32(low, high));
}

VZ_AVX2 std::int32_t dot_rows(const std::uint8_t* a, const std::uint8_t* b, std::size_t stride) {
  __m256i sum = _mm256_setzero_si256();
  for (std::size_t i = 0; i < stride; i += 32) {
    sum = add_signed_products(sum, flip_sign(load(a + i)), flip_sign(load(b + i)));
  }
  return sum_of(sum);
}

// The sums of _mm256_sad_epu8 stand in 64-bit lanes and fit their low halves.
VZ_AVX2 std::int32_t sad_rows(const std::uint8_t* a, const std::uint8_t* b, std::size_t stride) {
  __m256i sum = _mm256_setzero_si256();
  for (std::size_t i = 0; i < stride; i += 32) {
    sum = _mm256_add_epi32(sum, _mm256_sad_epu8(load(a + i), load(b + i)));
  }
  return sum_of(sum);
}

VZ_AVX2 void dot_at(const std::int8_t* query, const std::uint8_t* codes, std::size_t stride,
                    const std::uint32_t* slots, std::size_t count, std::int32_t* out) {
  for (std::size_t row = 0; row < count; ++row) {
    if (row + kRowsAhead < count) {
      prefetch_row(codes + std::size_t{slots[row + kRowsAhead]} * stride, stride);
    }
    const std::uint8_t* const values = codes + std::size_t{slots[row]} * stride;
    __m256i s0 = _mm256_setzero_si256(), s1 = s0;
    for (std::size_t i = 0; i < stride; i += 64) {
      s0 = add_products(s0, load(values + i), load(query + i));
      s1 = add_products(s1, load(values + i + 32), load(query + i + 32));
    }
    out[row] = sum_of(_mm256_add_epi32(s0, s1));
  }
}

VZ_AVX2 void sad_at(const std::uint8_t* query, const std::uint8_t* codes, std::size_t stride,
                    const std::uint32_t* slots, std::size_t count, std::int32_t* out) {
  for (std::size_t row = 0; row < count; ++row) {
    if (row + kRowsAhead < count) {
      prefetch_row(codes + std::size_t{slots[row + kRowsAhead]} * stride, stride);
    }
    out[row] = sad_rows(query, codes + std::size_t{slots[row]} * stride, stride);
  }
}

/// 0xFF in the bytes whose bits are set.
VZ_AVX2 inline __m256i bytes_of_bits(std::uint32_t bits) {
  const __m256i which =
      _mm256_setr_epi64x(0, 0x0101010101010101, 0x0202020202020202, 0x0303030303030303);
  const __m256i bit = _mm256_set1_epi64x(static_cast<long long>(0x8040'2010'0804'0201u));
  const __m256i spread = _mm256_shuffle_epi8(_mm256_set1_epi32(static_cast<int>(bits)), which);
  return _mm256_cmpeq_epi8(_mm256_and_si256(spread, bit), bit);
}

VZ_AVX2 void sketch_at(const std::int8_t* query, std::int32_t all, const std::uint64_t* sketches,
                       std::size_t words, std::size_t stride, const std::uint32_t* slots,
                       std::size_t count, float* out) {
  for (std::size_t row = 0; row < count; ++row) {
    const std::uint64_t* const set = sketches + std::size_t{slots[row]} * stride;
    __m256i sum = _mm256_setzero_si256();
    std::int32_t excess = 0;
    for (std::size_t word = 0; word < words; ++word) {
      for (unsigned half = 0; half < 2; ++half) {
        const __m256i mask = bytes_of_bits(static_cast<std::uint32_t>(set[word] >> (32 * half)));
        // 128 too much for each byte that counts, none for the others: sums of unsigned bytes.
        const __m256i values = flip_sign(load(query + word * 64 + 32 * half));
        sum = _mm256_add_epi32(
            sum, _mm256_sad_epu8(_mm256_and_si256(values, mask), _mm256_setzero_si256()));
      }
      excess += __builtin_popcountll(set[word]);
    }
    out[row] = sketch_rank(set, words, sum_of(sum) - 128 * excess, all);
  }
}

}  // namespace

/// Nearly without branches that depend on the bits: a sparse filter has few in a word, at places
/// that no predictor knows (as Langdale & Lemire, "Parsing gigabytes of JSON per second", 2019).
VZ_AVX2 std::size_t places_of_bits_bmi(const std::uint64_t* words, std::size_t count,
                                       std::uint32_t first, std::uint32_t* out) {
  std::uint32_t* at = out;
  for (std::size_t i = 0; i < count; ++i, first += 64) {
    std::uint64_t word = words[i];
    const auto set = static_cast<std::size_t>(_mm_popcnt_u64(word));
    std::size_t done = 0;
    const auto write_to = [&](std::size_t end) VZ_AVX2 {
      for (; done < end; ++done) {
        at[done] = first + static_cast<std::uint32_t>(_tzcnt_u64(word));
        word = _blsr_u64(word);
      }
    };
    write_to(2);
    if (set > 2) write_to(8);
    if (set > 8) write_to(set);
    at += set;
  }
  return static_cast<std::size_t>(at - out);
}

const Kernels kAvx2Kernels = {
    .name = "avx2",
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
    .places_of_bits = places_of_bits_bmi,
    .count_at_least = count_at_least_portable,
    .keep_at_least = keep_at_least_portable,
};

}  // namespace vz::vector
#else
namespace vz::vector {
const Kernels kAvx2Kernels = kScalarKernels;
}
#endif
