// One column of an open index as searches read it, and how they compare. Internal to engine/index.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <span>

#include "engine/index/index_format.h"
#include "engine/vector/codes.h"
#include "engine/vector/kernels.h"
#include "storage/segment/segment.h"

namespace vz::index {

/// Borrowed from the mapping; everything in it has been validated. Lists as in index_format.h.
struct ColumnView {
  vector::CodeBlock codes;             ///< codes.codes is null if codes are off
  vector::SketchBlock sketches;        ///< sketches.rows is null if there are none
  ShortlistShares shortlist_shares{};  ///< what a scan of sketches lets through
  vector::Distance distance = vector::Distance::kCosine;
  std::uint32_t dimension = 0;
  std::uint32_t slot_count = 0;
  std::span<const std::uint32_t> rows;   ///< by slot
  std::span<const std::uint32_t> slots;  ///< by row
  // The graph; links is empty if there is none.
  std::uint32_t m = 0;
  std::uint32_t link_stride = 0;
  std::uint32_t entry_slot = 0;
  std::uint32_t entry_upper = kNone;
  std::uint32_t max_level = 0;
  std::span<const std::uint32_t> links;
  std::span<const std::uint32_t> upper_nodes;
  std::span<const std::uint32_t> upper_offsets;
  std::span<const std::uint32_t> upper_links;
};

/// Below every similarity; takes the place of NaN, which has no order.
inline constexpr float kLeastSimilar = std::numeric_limits<float>::lowest();

inline float ordered(float similarity) {
  return similarity > kLeastSimilar ? similarity : kLeastSimilar;
}

inline constexpr std::size_t kBytesUnderWay = 4096;

/// Compares a query with slots by their codes.
class CodeComparison {
 public:
  CodeComparison(const ColumnView& view, const vector::CodedQuery& query)
      : view_(view), query_(query) {}
  void operator()(std::span<const std::uint32_t> slots, std::span<float> out) {
    query_.similarities_at(view_.codes, slots, out);
    for (float& similarity : out) similarity = ordered(similarity);
    evaluations_ += slots.size();
  }
  /// Rows of a batch that are fetched while the list that names them is still being read: as many
  /// cache lines as can be under way. The kernel fetches the others.
  [[nodiscard]] std::size_t rows_to_prefetch() const {
    return std::max<std::size_t>(4, kBytesUnderWay / view_.codes.stride);
  }
  void prefetch(std::uint32_t slot) const {
    vector::prefetch_row(view_.codes.codes + std::size_t{slot} * view_.codes.stride,
                         view_.codes.stride);
  }
  [[nodiscard]] std::uint64_t evaluations() const { return evaluations_; }
  [[nodiscard]] bool failed() const { return false; }

 private:
  const ColumnView& view_;
  const vector::CodedQuery& query_;
  std::uint64_t evaluations_ = 0;
};

/// Compares a query with slots by the float32 rows of the segment.
class FloatComparison {
 public:
  FloatComparison(const ColumnView& view, const segment::Segment& segment, std::size_t column,
                  std::span<const float> query)
      : view_(view), segment_(segment), column_(column), query_(query) {}
  void operator()(std::span<const std::uint32_t> slots, std::span<float> out) {
    for (std::size_t i = 0; i < slots.size(); ++i) {
      const float* values = segment_.dense(column_, view_.rows[slots[i]]);
      failed_ |= values == nullptr;
      out[i] =
          values == nullptr
              ? kLeastSimilar
              : ordered(vector::similarity(view_.distance, query_.data(), values, query_.size()));
    }
    evaluations_ += slots.size();
  }
  [[nodiscard]] static std::size_t rows_to_prefetch() { return 4; }
  void prefetch(std::uint32_t slot) const { segment_.prefetch_dense(column_, view_.rows[slot]); }
  [[nodiscard]] std::uint64_t evaluations() const { return evaluations_; }
  [[nodiscard]] bool failed() const { return failed_; }

 private:
  const ColumnView& view_;
  const segment::Segment& segment_;
  std::size_t column_;
  std::span<const float> query_;
  std::uint64_t evaluations_ = 0;
  bool failed_ = false;
};

}  // namespace vz::index
