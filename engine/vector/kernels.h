// The kernels under distance.h and codes.h: one table per instruction set, chosen once at run time.
// Internal to engine/vector and engine/index; tests reach every level that the machine has.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace vz::vector {

enum class KernelLevel : std::uint8_t { kScalar, kAvx2, kAvx512 };

/// Rows of codes are unsigned bytes, code + 128; a query is signed bytes for products: the two
/// sides that VNNI takes. So a product needs only one correction, 128 * sum(query), for all rows.
/// Code kernels read `stride` bytes, a multiple of 64; pad bytes of rows are 128, of queries 0, and
/// add nothing. Their integer results are exact and the same at every level.
struct Kernels {
  std::string_view name;

  // float32, any size; any alignment. Sums are ordered differently at each level.
  float (*dot)(const float* a, const float* b, std::size_t size);
  float (*squared_l2)(const float* a, const float* b, std::size_t size);
  float (*l1)(const float* a, const float* b, std::size_t size);

  /// The largest |x| of the finite values; 0 if there is none.
  float (*magnitude)(const float* values, std::size_t size);
  /// codes[i] = values[i] * inverse, rounded half away from zero and clipped to -127 .. 127; NaN
  /// becomes -127. Returns the sum of the codes. The same at every level.
  std::int32_t (*encode)(const float* values, std::size_t size, float inverse, std::int8_t* codes);

  /// Sum of (a - 128) * (b - 128) over two rows of codes.
  std::int32_t (*dot_rows)(const std::uint8_t* a, const std::uint8_t* b, std::size_t stride);
  /// Sum of |a - b|.
  std::int32_t (*sad_rows)(const std::uint8_t* a, const std::uint8_t* b, std::size_t stride);

  /// out[i] = sum of query * row over the row at codes + slots[i] * stride, for i < count. Fetches
  /// rows ahead of their use.
  void (*dot_at)(const std::int8_t* query, const std::uint8_t* codes, std::size_t stride,
                 const std::uint32_t* slots, std::size_t count, std::int32_t* out);
  /// out[i] = sum of |query - row|, likewise; the query is biased as rows are.
  void (*sad_at)(const std::uint8_t* query, const std::uint8_t* codes, std::size_t stride,
                 const std::uint32_t* slots, std::size_t count, std::int32_t* out);
  /// Ranks rows by their sketches: out[i] = sketch_rank() of the row at sketches + slots[i] *
  /// stride and the sum of query[j] over its set bits j; all: the sum of the whole query, whose
  /// values have kSketchQueryBits bits. The same at every level. The caller has fetched the rows,
  /// of at least kSketchStrideMin words.
  void (*sketch_at)(const std::int8_t* query, std::int32_t all, const std::uint64_t* sketches,
                    std::size_t words, std::size_t stride, const std::uint32_t* slots,
                    std::size_t count, float* out);
  /// Writes the places of the set bits of `words`, counted from `first`, ascending; returns how
  /// many. `out` has room for 64 * count + kPlacesSlack.
  std::size_t (*places_of_bits)(const std::uint64_t* words, std::size_t count, std::uint32_t first,
                                std::uint32_t* out);

  /// How many values are at least `least`; NaN is not.
  std::size_t (*count_at_least)(const float* values, std::size_t count, float least);
  /// Copies the pairs whose rank is at least `least`, in their order; returns how many. The copies
  /// have room for `count` + kKeptSlack, and may begin where the sources do.
  std::size_t (*keep_at_least)(const float* ranks, const std::uint32_t* rows, std::size_t count,
                               float least, float* kept_ranks, std::uint32_t* kept_rows);
};
inline constexpr std::size_t kPlacesSlack = 16;
inline constexpr std::size_t kKeptSlack = 16;

/// nullptr if this machine cannot run that level.
const Kernels* kernels_at(KernelLevel level);

/// The best level of this machine.
const Kernels& kernels();

// One per file kernels_<level>.cpp; running them needs the instructions.
extern const Kernels kScalarKernels;
extern const Kernels kAvx2Kernels;
extern const Kernels kAvx512Kernels;

/// Of both AVX levels.
std::size_t places_of_bits_bmi(const std::uint64_t* words, std::size_t count, std::uint32_t first,
                               std::uint32_t* out);

/// Of the levels below AVX-512.
std::size_t count_at_least_portable(const float* values, std::size_t count, float least);
std::size_t keep_at_least_portable(const float* ranks, const std::uint32_t* rows, std::size_t count,
                                   float least, float* kept_ranks, std::uint32_t* kept_rows);

/// Of each value of a query for sketches. Fewer would be quicker still: 4 bits instead of 5 save a
/// sixteenth of the time, and cost four times the error.
inline constexpr int kSketchQueryBits = 5;
inline constexpr std::size_t kSketchStrideMin = 4;

/// Rows that the *_at kernels fetch ahead: enough to cover a miss, few enough for the fill buffers.
inline constexpr std::size_t kRowsAhead = 4;

/// The factor of a sketch stands behind its words (codes.h).
inline float sketch_factor(const std::uint64_t* row, std::size_t words) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(row[words]));
}
/// +1 for each bit that is set and -1 for each that is not, times the factor.
inline float sketch_rank(const std::uint64_t* row, std::size_t words, std::int32_t sum,
                         std::int32_t all) {
  return sketch_factor(row, words) * static_cast<float>(2 * sum - all);
}

/// Asks for the cache lines of a row of codes.
inline void prefetch_row(const std::uint8_t* row, std::size_t stride) {
  for (std::size_t at = 0; at < stride; at += 64) __builtin_prefetch(row + at);
}

}  // namespace vz::vector
