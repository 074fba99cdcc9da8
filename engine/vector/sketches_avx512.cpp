// Ranks of sketches for AVX-512. Compiled for the base machine: each function names its
// instructions.
#include "engine/vector/kernels.h"

#if defined(__x86_64__)
#include "engine/vector/avx512.h"

namespace vz::vector {
namespace {

VZ_AVX512 inline __m512i add_at_bits(__m512i sum, __m512i query, std::uint64_t set) {
  return _mm512_dpbusd_epi32(sum, _mm512_set1_epi8(1), _mm512_maskz_mov_epi8(set, query));
}

VZ_AVX512 std::int32_t sketch_of(const std::int8_t* query, const std::uint64_t* row,
                                 std::size_t words) {
  __m512i sum = _mm512_setzero_si512();
  for (std::size_t word = 0; word < words; ++word) {
    sum = add_at_bits(sum, load(query + word * 64), row[word]);
  }
  return _mm512_reduce_add_epi32(sum);
}

VZ_AVX512 void sketch_at_vnni(const std::int8_t* query, std::int32_t all,
                              const std::uint64_t* sketches, std::size_t words, std::size_t stride,
                              const std::uint32_t* slots, std::size_t count, float* out) {
  const __m128i minus_all = _mm_set1_epi32(-all);
  const auto row_of = [&](std::size_t i) { return sketches + std::size_t{slots[i]} * stride; };
  std::size_t row = 0;
  for (; row + 4 <= count; row += 4) {
    const std::uint64_t *const a = row_of(row), *const b = row_of(row + 1),
                               *const c = row_of(row + 2), *const d = row_of(row + 3);
    __m512i s0 = _mm512_setzero_si512(), s1 = s0, s2 = s0, s3 = s0;
    for (std::size_t word = 0; word < words; ++word) {
      const __m512i values = load(query + word * 64);
      s0 = add_at_bits(s0, values, a[word]);
      s1 = add_at_bits(s1, values, b[word]);
      s2 = add_at_bits(s2, values, c[word]);
      s3 = add_at_bits(s3, values, d[word]);
    }
    const __m128i sums = sums_of(s0, s1, s2, s3);
    const __m128 factors = _mm_setr_ps(sketch_factor(a, words), sketch_factor(b, words),
                                       sketch_factor(c, words), sketch_factor(d, words));
    const __m128i signs = _mm_add_epi32(_mm_add_epi32(sums, sums), minus_all);
    _mm_storeu_ps(out + row, _mm_mul_ps(factors, _mm_cvtepi32_ps(signs)));
  }
  for (; row < count; ++row) {
    out[row] = sketch_rank(row_of(row), words, sketch_of(query, row_of(row), words), all);
  }
}

#define VZ_VPOPCNT __attribute__((target("avx512f,avx512bw,avx512vl,avx512vpopcntdq,popcnt")))

/// The bits of a query of up to 128 values: plane b has bit b of each, four times over.
struct BitPlanes {
  __m512i planes[kSketchQueryBits];
};

VZ_VPOPCNT inline BitPlanes bit_planes(const std::int8_t* query, std::size_t words) {
  BitPlanes out;
  for (int b = 0; b < kSketchQueryBits; ++b) {
    const __m512i bit = _mm512_set1_epi8(static_cast<char>(1 << b));
    const auto low = static_cast<long long>(_mm512_test_epi8_mask(load(query), bit));
    // A row of one word has its factor where a second one would be.
    const auto high =
        words < 2 ? 0LL : static_cast<long long>(_mm512_test_epi8_mask(load(query + 64), bit));
    out.planes[b] = _mm512_broadcast_i32x4(_mm_set_epi64x(high, low));
  }
  return out;
}

/// The two words of each of four rows, every other one of `rows`.
VZ_VPOPCNT inline __m512i four_rows(const std::uint64_t* const* rows) {
  const auto two = [&](std::size_t i) VZ_VPOPCNT {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(rows[i]));
  };
  const __m256i low = _mm256_inserti128_si256(_mm256_castsi128_si256(two(0)), two(2), 1);
  const __m256i high = _mm256_inserti128_si256(_mm256_castsi128_si256(two(4)), two(6), 1);
  return _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
}

/// In each lane the sum of the query's values at the set bits; the highest plane counts down.
VZ_VPOPCNT inline __m512i weighed(__m512i rows, const BitPlanes& query) {
  const auto set = [&](int b) VZ_VPOPCNT {
    return _mm512_popcnt_epi64(_mm512_and_si512(rows, query.planes[b]));
  };
  __m512i sum = _mm512_sub_epi64(_mm512_setzero_si512(), set(kSketchQueryBits - 1));
  for (int b = kSketchQueryBits - 2; b >= 0; --b) {
    sum = _mm512_add_epi64(_mm512_add_epi64(sum, sum), set(b));
  }
  return sum;
}

/// sketch_at() for rows of one or two words, eight at a time: a bit of four rows' values is one
/// count, where a product needs a mask for each word of each row.
VZ_VPOPCNT std::size_t sketch_at_vpopcnt(const std::int8_t* query, std::int32_t all,
                                         const std::uint64_t* sketches, std::size_t words,
                                         std::size_t stride, const std::uint32_t* slots,
                                         std::size_t count, float* out) {
  constexpr std::size_t kRows = 8;
  const BitPlanes planes = bit_planes(query, words);
  const __m256i minus_all = _mm256_set1_epi32(-all);
  std::size_t done = 0;
  for (; done + kRows <= count; done += kRows) {
    const std::uint64_t* rows[kRows];
    for (std::size_t i = 0; i < kRows; ++i)
      rows[i] = sketches + std::size_t{slots[done + i]} * stride;
    const __m512i even = weighed(four_rows(rows), planes),
                  odd = weighed(four_rows(rows + 1), planes);
    const __m256i sums = _mm512_cvtepi64_epi32(
        _mm512_add_epi64(_mm512_unpacklo_epi64(even, odd), _mm512_unpackhi_epi64(even, odd)));
    const auto factor = [&](std::size_t i) { return sketch_factor(rows[i], words); };
    const __m256 factors = _mm256_setr_ps(factor(0), factor(1), factor(2), factor(3), factor(4),
                                          factor(5), factor(6), factor(7));
    const __m256i signs = _mm256_add_epi32(_mm256_add_epi32(sums, sums), minus_all);
    _mm256_storeu_ps(out + done, _mm256_mul_ps(factors, _mm256_cvtepi32_ps(signs)));
  }
  return done;
}

}  // namespace

void sketch_at_avx512(const std::int8_t* query, std::int32_t all, const std::uint64_t* sketches,
                      std::size_t words, std::size_t stride, const std::uint32_t* slots,
                      std::size_t count, float* out) {
  static const bool counts = __builtin_cpu_supports("avx512vpopcntdq") != 0;
  std::size_t done = 0;
  if (counts && words <= 2) {
    done = sketch_at_vpopcnt(query, all, sketches, words, stride, slots, count, out);
  }
  sketch_at_vnni(query, all, sketches, words, stride, slots + done, count - done, out + done);
}

}  // namespace vz::vector
#endif
