// What the AVX-512 kernels share. Internal to engine/vector; x86-64 only.
#pragma once

#include <cstddef>
#include <cstdint>

// g++ 12 takes the undefined upper halves inside its own intrinsics for uninitialised variables.
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>

#define VZ_AVX512 __attribute__((target("avx512f,avx512bw,avx512vnni,popcnt")))

namespace vz::vector {

/// The lowest `size` lanes, size < 16.
VZ_AVX512 inline __mmask16 lanes(std::size_t size) {
  return static_cast<__mmask16>((1u << size) - 1);
}

VZ_AVX512 inline __m512i load(const void* from) {
  return _mm512_loadu_si512(from);
}

/// The sums of the lanes of four registers: half the work of four single reductions.
VZ_AVX512 inline __m128i sums_of(__m512i a, __m512i b, __m512i c, __m512i d) {
  const __m512i ab = _mm512_add_epi32(_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b));
  const __m512i cd = _mm512_add_epi32(_mm512_unpacklo_epi32(c, d), _mm512_unpackhi_epi32(c, d));
  const __m512i all =
      _mm512_add_epi32(_mm512_unpacklo_epi64(ab, cd), _mm512_unpackhi_epi64(ab, cd));
  const __m256i half =
      _mm256_add_epi32(_mm512_castsi512_si256(all), _mm512_extracti64x4_epi64(all, 1));
  return _mm_add_epi32(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
}

/// Kernels::sketch_at.
void sketch_at_avx512(const std::int8_t* query, std::int32_t all, const std::uint64_t* sketches,
                      std::size_t words, std::size_t stride, const std::uint32_t* slots,
                      std::size_t count, float* out);

}  // namespace vz::vector
