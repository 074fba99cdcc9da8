// Symmetric int8 codes of vectors: one scale per block, clipped; with each row's norm.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/vector/distance.h"
#include "storage/base/huge_pages.h"

namespace vz::vector {

/// Rows of codes, borrowed. A row's codes start at codes + row * stride, as code + 128; bytes
/// beyond the dimension are 128, stride is a multiple of 64. Why biased: VNNI multiplies unsigned
/// by signed bytes. With the rows unsigned, the correction is one number of the query; with the
/// query unsigned, it was a number of each row, and a cache miss.
struct CodeBlock {
  const std::uint8_t* codes = nullptr;
  const float* norms = nullptr;  ///< squared L2 length of each float32 row; only Euclid reads it
  std::size_t stride = 0;
  std::uint32_t rows = 0;
  std::uint32_t dimension = 0;
  float scale = 1.0f;  ///< value ~ code * scale
};

std::size_t code_stride(std::uint32_t dimension);

/// Scale for codes of these rows: their 0.9995 quantile of |x| / 127 (from a bounded sample).
/// `row(i)` style access is not needed: `values` is rows x dimension, row-major.
float train_scale(std::span<const float> values);

/// Writes code_stride(dimension) bytes to `codes`. Returns the squared length of `values`.
float encode_row(std::span<const float> values, float scale, std::uint8_t* codes);

/// One bit for each dimension of a row: is its value above the centre? RaBitQ (Gao & Long, SIGMOD
/// 2024), without the rotation. An eighth of the codes to read; good enough to say which rows are
/// worth comparing by codes. For Cosine and Dot.
struct SketchBlock {
  /// Row i: `words` words of bits from i * stride, then one whose lower half is a float: what the
  /// sum over the bits is worth.
  const std::uint64_t* rows = nullptr;
  std::size_t words = 0;
  std::size_t stride = 0;  ///< words from row to row

  void prefetch(std::uint32_t row) const {
    constexpr std::size_t kLineWords = 8;
    const std::uint64_t* const at = rows + std::size_t{row} * stride;
    for (std::size_t word = 0; word < stride; word += kLineWords) __builtin_prefetch(at + word);
  }
};
/// The last word of a row that has none: its rank is not a number.
inline constexpr std::uint64_t kNoSketch = 0x7FC0'0000;

/// Of the bits of a row: one for 64 dimensions.
std::size_t sketch_words(std::uint32_t dimension);

/// Words from row to row: a half or whole cache lines, so that a row lies in as few as it can.
std::size_t sketch_stride(std::uint32_t dimension);

/// Writes sketch_words(dimension) + 1 words, of a row that differs from the centre by `difference`.
void encode_sketch(std::span<const float> difference, std::uint64_t* row);

/// What a byte of a row stands for.
inline float value_of(std::uint8_t code, float scale) {
  return static_cast<float>(int{code} - 128) * scale;
}

/// Approximate similarity of two rows of a block.
float similarity_of_rows(Distance distance, const CodeBlock& block, std::uint32_t a,
                         std::uint32_t b);

/// A query prepared for one scale: compares with the rows of any CodeBlock of that scale and
/// dimension. Cheap to make (about one pass over the query). Borrowing nothing.
class CodedQuery {
 public:
  /// Compares with nothing until assign() was called.
  CodedQuery() = default;
  /// `query` has `dimension` values, normalised already for Cosine.
  CodedQuery(Distance distance, std::span<const float> query, float scale);
  /// Prepares another query in place of this one; allocates only for a larger dimension.
  void assign(Distance distance, std::span<const float> query, float scale);
  /// Makes a row of `block` the query, as if its codes were exact.
  void assign_row(Distance distance, const CodeBlock& block, std::uint32_t row);
  /// Approximate similarity (as vector::similarity) with `row` of `block`.
  [[nodiscard]] float similarity(const CodeBlock& block, std::uint32_t row) const;
  /// The same for rows [first, first + out.size()).
  void similarities(const CodeBlock& block, std::uint32_t first, std::span<float> out) const;
  /// The same for the rows `slots`, in their order; out.size() == slots.size().
  void similarities_at(const CodeBlock& block, std::span<const std::uint32_t> slots,
                       std::span<float> out) const;
  [[nodiscard]] Distance distance() const { return distance_; }
  /// code_stride(dimension) of them, of the query's own range. Not for Manhattan.
  [[nodiscard]] std::span<const std::int8_t> codes() const { return codes_; }

 private:
  /// The similarity that an integer sum of a kernel stands for.
  [[nodiscard]] float from_sum(const CodeBlock& block, std::uint32_t row, std::int32_t sum) const;

  Distance distance_ = Distance::kCosine;
  float scale_ = 1.0f;  ///< of the block
  float query_scale_ = 1.0f;
  float norm_ = 0;                   ///< squared L2 length of the query
  std::int64_t correction_ = 0;      ///< 128 * the sum of its codes
  HugeVector<std::int8_t> codes_;    ///< for products
  HugeVector<std::uint8_t> biased_;  ///< for differences (Manhattan)
};

/// A query prepared for sketches: its codes, rounded to kSketchQueryBits. What a row's sketch
/// leaves out is far more than what this does. Borrowing nothing.
class SketchQuery {
 public:
  /// Ranks nothing until assign() was called.
  SketchQuery() = default;
  /// Takes the place of another query; allocates only for a larger dimension. Not for Manhattan.
  void assign(const CodedQuery& query);
  /// Ranks the rows `slots` of a block of the query's dimension; comparable within one query and
  /// block only. out.size() == slots.size(). The caller has fetched the rows.
  void ranks_at(const SketchBlock& block, std::span<const std::uint32_t> slots,
                std::span<float> out) const;

 private:
  HugeVector<std::int8_t> codes_;
  std::int32_t all_ = 0;  ///< their sum
};

}  // namespace vz::vector
