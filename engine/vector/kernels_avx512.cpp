// Kernels for AVX-512 F, BW and VNNI, some with more where the machine has it. Compiled for the
// base machine: each function names its instructions.
#include <array>
#include <limits>

#include "engine/vector/kernels.h"

#if defined(__x86_64__)
#include "engine/vector/avx512.h"

namespace vz::vector {
namespace {

VZ_AVX512 float dot(const float* a, const float* b, std::size_t size) {
  __m512 s0 = _mm512_setzero_ps(), s1 = s0, s2 = s0, s3 = s0;
  std::size_t i = 0;
  for (; i + 64 <= size; i += 64) {
    s0 = _mm512_fmadd_ps(_mm512_loadu_ps(a + i), _mm512_loadu_ps(b + i), s0);
    s1 = _mm512_fmadd_ps(_mm512_loadu_ps(a + i + 16), _mm512_loadu_ps(b + i + 16), s1);
    s2 = _mm512_fmadd_ps(_mm512_loadu_ps(a + i + 32), _mm512_loadu_ps(b + i + 32), s2);
    s3 = _mm512_fmadd_ps(_mm512_loadu_ps(a + i + 48), _mm512_loadu_ps(b + i + 48), s3);
  }
  for (; i + 16 <= size; i += 16) {
    s0 = _mm512_fmadd_ps(_mm512_loadu_ps(a + i), _mm512_loadu_ps(b + i), s0);
  }
  if (i < size) {
    const __mmask16 mask = lanes(size - i);
    s1 =
        _mm512_fmadd_ps(_mm512_maskz_loadu_ps(mask, a + i), _mm512_maskz_loadu_ps(mask, b + i), s1);
  }
  return _mm512_reduce_add_ps(_mm512_add_ps(_mm512_add_ps(s0, s1), _mm512_add_ps(s2, s3)));
}

VZ_AVX512 float squared_l2(const float* a, const float* b, std::size_t size) {
  __m512 s0 = _mm512_setzero_ps(), s1 = s0;
  std::size_t i = 0;
  for (; i + 32 <= size; i += 32) {
    const __m512 d0 = _mm512_sub_ps(_mm512_loadu_ps(a + i), _mm512_loadu_ps(b + i));
    const __m512 d1 = _mm512_sub_ps(_mm512_loadu_ps(a + i + 16), _mm512_loadu_ps(b + i + 16));
    s0 = _mm512_fmadd_ps(d0, d0, s0);
    s1 = _mm512_fmadd_ps(d1, d1, s1);
  }
  for (; i < size; i += 16) {
    const __mmask16 mask = size - i >= 16 ? __mmask16{0xFFFF} : lanes(size - i);
    const __m512 d0 =
        _mm512_sub_ps(_mm512_maskz_loadu_ps(mask, a + i), _mm512_maskz_loadu_ps(mask, b + i));
    s0 = _mm512_fmadd_ps(d0, d0, s0);
  }
  return _mm512_reduce_add_ps(_mm512_add_ps(s0, s1));
}

VZ_AVX512 float l1(const float* a, const float* b, std::size_t size) {
  __m512 s0 = _mm512_setzero_ps(), s1 = s0;
  std::size_t i = 0;
  for (; i + 32 <= size; i += 32) {
    const __m512 d0 = _mm512_sub_ps(_mm512_loadu_ps(a + i), _mm512_loadu_ps(b + i));
    const __m512 d1 = _mm512_sub_ps(_mm512_loadu_ps(a + i + 16), _mm512_loadu_ps(b + i + 16));
    s0 = _mm512_add_ps(s0, _mm512_abs_ps(d0));
    s1 = _mm512_add_ps(s1, _mm512_abs_ps(d1));
  }
  for (; i < size; i += 16) {
    const __mmask16 mask = size - i >= 16 ? __mmask16{0xFFFF} : lanes(size - i);
    const __m512 d0 =
        _mm512_sub_ps(_mm512_maskz_loadu_ps(mask, a + i), _mm512_maskz_loadu_ps(mask, b + i));
    s0 = _mm512_add_ps(s0, _mm512_abs_ps(d0));
  }
  return _mm512_reduce_add_ps(_mm512_add_ps(s0, s1));
}

VZ_AVX512 inline __m512i flip_sign(__m512i x) {
  return _mm512_xor_si512(x, _mm512_set1_epi8(static_cast<char>(0x80)));
}

VZ_AVX512 float magnitude(const float* values, std::size_t size) {
  const __m512 infinity = _mm512_set1_ps(std::numeric_limits<float>::infinity());
  __m512 maximum = _mm512_setzero_ps();
  for (std::size_t i = 0; i < size; i += 16) {
    const __mmask16 mask = size - i >= 16 ? __mmask16{0xFFFF} : lanes(size - i);
    const __m512 absolute = _mm512_abs_ps(_mm512_maskz_loadu_ps(mask, values + i));
    const __mmask16 finite = _mm512_cmp_ps_mask(absolute, infinity, _CMP_LT_OQ);
    maximum = _mm512_mask_max_ps(maximum, finite, maximum, absolute);
  }
  return _mm512_reduce_max_ps(maximum);
}

VZ_AVX512 std::int32_t encode(const float* values, std::size_t size, float inverse,
                              std::int8_t* codes) {
  const __m512 scale = _mm512_set1_ps(inverse), half = _mm512_set1_ps(0.5f);
  const __m512 low = _mm512_set1_ps(-127.0f), high = _mm512_set1_ps(127.0f);
  const __m512i sign = _mm512_set1_epi32(static_cast<int>(0x8000'0000u));
  __m512i sum = _mm512_setzero_si512();
  for (std::size_t i = 0; i < size; i += 16) {
    const __mmask16 mask = size - i >= 16 ? __mmask16{0xFFFF} : lanes(size - i);
    const __m512 scaled = _mm512_mul_ps(_mm512_maskz_loadu_ps(mask, values + i), scale);
    // The second operand wins over NaN.
    const __m512 clipped = _mm512_min_ps(_mm512_max_ps(scaled, low), high);
    const __m512i away = _mm512_or_si512(_mm512_castps_si512(half),
                                         _mm512_and_si512(_mm512_castps_si512(clipped), sign));
    const __m512i code = _mm512_cvttps_epi32(_mm512_add_ps(clipped, _mm512_castsi512_ps(away)));
    sum = _mm512_add_epi32(sum, code);
    _mm512_mask_cvtepi32_storeu_epi8(codes + i, mask, code);
  }
  return _mm512_reduce_add_epi32(sum);
}

VZ_AVX512 std::int32_t dot_rows(const std::uint8_t* a, const std::uint8_t* b, std::size_t stride) {
  // a * (b - 128), and what it has too much: 128 * (b - 128).
  const __m512i bias = _mm512_set1_epi8(static_cast<char>(0x80));
  __m512i products = _mm512_setzero_si512(), excess = products;
  for (std::size_t i = 0; i < stride; i += 64) {
    const __m512i values = flip_sign(load(b + i));
    products = _mm512_dpbusd_epi32(products, load(a + i), values);
    excess = _mm512_dpbusd_epi32(excess, bias, values);
  }
  return _mm512_reduce_add_epi32(_mm512_sub_epi32(products, excess));
}

// The sums of _mm512_sad_epu8 stand in 64-bit lanes and fit their low halves.
VZ_AVX512 inline __m512i differences(const std::uint8_t* a, const std::uint8_t* b,
                                     std::size_t stride) {
  __m512i sum = _mm512_setzero_si512();
  for (std::size_t i = 0; i < stride; i += 64) {
    sum = _mm512_add_epi32(sum, _mm512_sad_epu8(load(a + i), load(b + i)));
  }
  return sum;
}

VZ_AVX512 std::int32_t sad_rows(const std::uint8_t* a, const std::uint8_t* b, std::size_t stride) {
  return _mm512_reduce_add_epi32(differences(a, b, stride));
}

VZ_AVX512 inline __m512i products(const std::int8_t* query, const std::uint8_t* row,
                                  std::size_t stride) {
  __m512i s0 = _mm512_setzero_si512(), s1 = s0;
  std::size_t i = 0;
  for (; i + 128 <= stride; i += 128) {
    s0 = _mm512_dpbusd_epi32(s0, load(row + i), load(query + i));
    s1 = _mm512_dpbusd_epi32(s1, load(row + i + 64), load(query + i + 64));
  }
  if (i < stride) s0 = _mm512_dpbusd_epi32(s0, load(row + i), load(query + i));
  return _mm512_add_epi32(s0, s1);
}

VZ_AVX512 void dot_at(const std::int8_t* query, const std::uint8_t* codes, std::size_t stride,
                      const std::uint32_t* slots, std::size_t count, std::int32_t* out) {
  const auto row_of = [&](std::size_t i) { return codes + std::size_t{slots[i]} * stride; };
  std::size_t row = 0;
  for (; row + 4 <= count; row += 4) {
    for (std::size_t ahead = row + 4; ahead < count && ahead < row + 4 + kRowsAhead; ++ahead) {
      prefetch_row(row_of(ahead), stride);
    }
    // One row after another: four streams side by side were measured to be slower.
    const __m128i sums =
        sums_of(products(query, row_of(row), stride), products(query, row_of(row + 1), stride),
                products(query, row_of(row + 2), stride), products(query, row_of(row + 3), stride));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + row), sums);
  }
  for (; row < count; ++row) {
    out[row] = _mm512_reduce_add_epi32(products(query, row_of(row), stride));
  }
}

VZ_AVX512 void sad_at(const std::uint8_t* query, const std::uint8_t* codes, std::size_t stride,
                      const std::uint32_t* slots, std::size_t count, std::int32_t* out) {
  for (std::size_t row = 0; row < count; ++row) {
    if (row + kRowsAhead < count) {
      prefetch_row(codes + std::size_t{slots[row + kRowsAhead]} * stride, stride);
    }
    out[row] = sad_rows(query, codes + std::size_t{slots[row]} * stride, stride);
  }
}

#define VZ_VBMI2 __attribute__((target("avx512f,avx512bw,avx512vl,avx512vbmi2,popcnt")))

/// Words with a bit, and the places of their first bits.
struct WordsWithBits {
  static constexpr std::size_t kMax = 64, kLanes = 8;
  std::uint64_t words[kMax + kLanes];
  std::uint32_t firsts[kMax + kLanes];
  std::size_t size = 0;
};

/// Those of up to kMax words: of a sparse filter half have none, and no branch knows which.
VZ_VBMI2 void keep_words_with_bits(const std::uint64_t* words, std::size_t count,
                                   std::uint32_t first, WordsWithBits& kept) {
  const __m256i steps = _mm256_setr_epi32(0, 64, 128, 192, 256, 320, 384, 448);
  kept.size = 0;
  for (std::size_t i = 0; i < count; i += WordsWithBits::kLanes) {
    const std::size_t rest = count - i;
    const auto there =
        static_cast<__mmask8>(rest >= WordsWithBits::kLanes ? 0xFF : (1u << rest) - 1);
    const __m512i word = _mm512_maskz_loadu_epi64(there, words + i);
    const __mmask8 some = _mm512_test_epi64_mask(word, word);
    const __m256i firsts = _mm256_add_epi32(
        _mm256_set1_epi32(static_cast<int>(first + 64 * static_cast<std::uint32_t>(i))), steps);
    _mm512_storeu_si512(kept.words + kept.size, _mm512_maskz_compress_epi64(some, word));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(kept.firsts + kept.size),
                        _mm256_maskz_compress_epi32(some, firsts));
    kept.size += static_cast<unsigned>(__builtin_popcount(some));
  }
}

/// The places inside a word are the bytes 0 .. 63 compressed by its bits; the first sixteen are
/// written in any case, so that a sparse filter takes no branch.
VZ_VBMI2 std::size_t places_of_bits_vbmi2(const std::uint64_t* words, std::size_t count,
                                          std::uint32_t first, std::uint32_t* out) {
  constexpr std::size_t kLanes = 16;
  alignas(64) static constexpr auto kPlaces = [] {
    std::array<std::uint8_t, 64> places{};
    for (std::size_t i = 0; i < places.size(); ++i) places[i] = static_cast<std::uint8_t>(i);
    return places;
  }();
  const __m512i all = _mm512_load_si512(kPlaces.data());
  std::uint32_t* at = out;
  WordsWithBits kept;
  for (std::size_t done = 0; done < count; done += WordsWithBits::kMax) {
    const std::size_t rest = count - done;
    keep_words_with_bits(words + done, rest < WordsWithBits::kMax ? rest : WordsWithBits::kMax,
                         first + 64 * static_cast<std::uint32_t>(done), kept);
    for (std::size_t i = 0; i < kept.size; ++i) {
      const __m512i places = _mm512_maskz_compress_epi8(kept.words[i], all);
      const __m512i base = _mm512_set1_epi32(static_cast<int>(kept.firsts[i]));
      const auto set = static_cast<std::size_t>(__builtin_popcountll(kept.words[i]));
      const auto write = [&](std::size_t place, __m128i part) VZ_VBMI2 {
        _mm512_storeu_si512(at + place, _mm512_add_epi32(base, _mm512_cvtepu8_epi32(part)));
      };
      write(0, _mm512_castsi512_si128(places));
      if (set > kLanes) {
        write(kLanes, _mm512_extracti32x4_epi32(places, 1));
        if (set > 2 * kLanes) {
          write(2 * kLanes, _mm512_extracti32x4_epi32(places, 2));
          write(3 * kLanes, _mm512_extracti32x4_epi32(places, 3));
        }
      }
      at += set;
    }
  }
  return static_cast<std::size_t>(at - out);
}

VZ_AVX512 std::size_t places_of_bits(const std::uint64_t* words, std::size_t count,
                                     std::uint32_t first, std::uint32_t* out) {
  static const bool compresses = __builtin_cpu_supports("avx512vbmi2") != 0;
  return compresses ? places_of_bits_vbmi2(words, count, first, out)
                    : places_of_bits_bmi(words, count, first, out);
}

VZ_AVX512 std::size_t count_at_least(const float* values, std::size_t count, float least) {
  const __m512 limit = _mm512_set1_ps(least);
  std::size_t sum = 0, i = 0;
  for (; i + 16 <= count; i += 16) {
    sum += static_cast<unsigned>(
        __builtin_popcount(_mm512_cmp_ps_mask(_mm512_loadu_ps(values + i), limit, _CMP_GE_OQ)));
  }
  return sum + count_at_least_portable(values + i, count - i, least);
}

VZ_AVX512 std::size_t keep_at_least(const float* ranks, const std::uint32_t* rows,
                                    std::size_t count, float least, float* kept_ranks,
                                    std::uint32_t* kept_rows) {
  const __m512 limit = _mm512_set1_ps(least);
  std::size_t size = 0;
  for (std::size_t i = 0; i < count; i += 16) {
    const __mmask16 there = count - i >= 16 ? __mmask16{0xFFFF} : lanes(count - i);
    const __m512 rank = _mm512_maskz_loadu_ps(there, ranks + i);
    const __m512i row = _mm512_maskz_loadu_epi32(there, rows + i);
    const __mmask16 kept = _mm512_mask_cmp_ps_mask(there, rank, limit, _CMP_GE_OQ);
    // Compressed in the register: into memory it takes a hundred cycles on Zen 4.
    _mm512_storeu_ps(kept_ranks + size, _mm512_maskz_compress_ps(kept, rank));
    _mm512_storeu_si512(kept_rows + size, _mm512_maskz_compress_epi32(kept, row));
    size += static_cast<unsigned>(__builtin_popcount(kept));
  }
  return size;
}

}  // namespace

const Kernels kAvx512Kernels = {
    .name = "avx512-vnni",
    .dot = dot,
    .squared_l2 = squared_l2,
    .l1 = l1,
    .magnitude = magnitude,
    .encode = encode,
    .dot_rows = dot_rows,
    .sad_rows = sad_rows,
    .dot_at = dot_at,
    .sad_at = sad_at,
    .sketch_at = sketch_at_avx512,
    .places_of_bits = places_of_bits,
    .count_at_least = count_at_least,
    .keep_at_least = keep_at_least,
};

}  // namespace vz::vector
#else
namespace vz::vector {
const Kernels kAvx512Kernels = kScalarKernels;
}
#endif
