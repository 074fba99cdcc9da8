// Symmetric int8 codes of vectors: one scale per block, clipped; with each row's code sum and norm.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/vector/distance.h"

namespace vz::vector {

/// Rows of codes, borrowed. A row's codes start at codes + row * stride; bytes beyond the dimension
/// are zero, stride is a multiple of 64.
struct CodeBlock {
  const std::int8_t* codes = nullptr;
  const std::int32_t* sums =
      nullptr;                   ///< sum of each row's codes (for the unsigned x signed trick)
  const float* norms = nullptr;  ///< squared L2 length of each float32 row
  std::size_t stride = 0;
  std::uint32_t rows = 0;
  std::uint32_t dimension = 0;
  float scale = 1.0f;  ///< value ~ code * scale
};

std::size_t code_stride(std::uint32_t dimension);

/// Scale for codes of these rows: their 0.9995 quantile of |x| / 127 (from a bounded sample).
/// `row(i)` style access is not needed: `values` is rows x dimension, row-major.
float train_scale(std::span<const float> values);

/// Writes code_stride(dimension) bytes to `codes`; returns nothing else than sum and squared norm.
struct EncodedRow {
  std::int32_t sum = 0;
  float norm = 0;
};
EncodedRow encode_row(std::span<const float> values, float scale, std::int8_t* codes);

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
  /// Approximate similarity (as vector::similarity) with `row` of `block`.
  [[nodiscard]] float similarity(const CodeBlock& block, std::uint32_t row) const;
  /// The same for rows [first, first + out.size()).
  void similarities(const CodeBlock& block, std::uint32_t first, std::span<float> out) const;
  /// The same for the rows `slots`, in their order; out.size() == slots.size().
  void similarities_at(const CodeBlock& block, std::span<const std::uint32_t> slots,
                       std::span<float> out) const;
  [[nodiscard]] Distance distance() const { return distance_; }

 private:
  /// The similarity that an integer sum of a kernel stands for.
  [[nodiscard]] float from_sum(const CodeBlock& block, std::uint32_t row, std::int32_t sum) const;

  Distance distance_ = Distance::kCosine;
  float scale_ = 1.0f;  ///< of the block
  float query_scale_ = 1.0f;
  float norm_ = 0;  ///< squared L2 length of the query
  std::vector<std::uint8_t> codes_;
};

}  // namespace vz::vector
