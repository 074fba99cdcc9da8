// The best of many ranked rows, and a few more. Internal to engine/index.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include "engine/index/search_scratch.h"
#include "engine/vector/kernels.h"

namespace vz::index {

/// Keeps the `size` best ranks of what is offered, and a few more.
class Shortlist {
 public:
  Shortlist(SearchScratch& scratch, std::size_t size)
      : ranks_(scratch.ranks), rows_(scratch.ranked_rows), size_(size) {
    const std::size_t room = room_ + SearchScratch::kBatchMax + vector::kKeptSlack;
    if (ranks_.size() < room) {
      ranks_.resize(room);
      rows_.resize(room);
    }
  }

  /// A rank that is not a number is no row's: it has no vector.
  void offer(std::span<const float> ranks, std::span<const std::uint32_t> rows) {
    kept_ += kernels_.keep_at_least(ranks.data(), rows.data(), ranks.size(), least_,
                                    ranks_.data() + kept_, rows_.data() + kept_);
    if (kept_ >= room_) cut();
  }
  /// The rows kept, ascending.
  std::span<const std::uint32_t> finish() {
    if (kept_ > size_ + spare()) cut();
    return {rows_.data(), kept_};
  }

 private:
  /// How many too many are fine.
  [[nodiscard]] std::size_t spare() const { return size_ / 8; }

  /// Halves the range of ranks until what lies above is few enough: each step is one pass without
  /// branches, where a selection by swaps mispredicts every other comparison.
  void cut() {
    auto [low, high] = range();
    for (;;) {
      const float middle = low / 2 + high / 2;
      if (!(low < middle && middle < high)) break;  // All between are equal.
      const std::size_t above = kernels_.count_at_least(ranks_.data(), kept_, middle);
      (above >= size_ ? low : high) = middle;
      if (above >= size_ && above <= size_ + spare()) break;
    }
    least_ = low;
    kept_ = kernels_.keep_at_least(ranks_.data(), rows_.data(), kept_, low, ranks_.data(),
                                   rows_.data());
    if (kept_ >= room_) keep_few_equals(low);
  }

  /// Thousands of rows share the least rank: those of a better one, and as many of it as fit.
  void keep_few_equals(float low) {
    const std::size_t better = static_cast<std::size_t>(
        std::count_if(ranks_.begin(), ranks_.begin() + static_cast<std::ptrdiff_t>(kept_),
                      [low](float rank) { return rank > low; }));
    std::size_t equals = better < size_ ? size_ - better : 0, kept = 0;
    for (std::size_t i = 0; i < kept_; ++i) {
      if (ranks_[i] == low) {
        if (equals == 0) continue;
        --equals;
      }
      ranks_[kept] = ranks_[i];
      rows_[kept++] = rows_[i];
    }
    kept_ = kept;
  }

  /// The least and the greatest of the ranks kept: those of each lane first, which the compiler
  /// turns into two instructions for all.
  [[nodiscard]] std::pair<float, float> range() const {
    constexpr std::size_t kLanes = 16;
    std::array<float, kLanes> low, high;
    low.fill(std::numeric_limits<float>::max());
    high.fill(std::numeric_limits<float>::lowest());
    std::size_t i = 0;
    for (; i + kLanes <= kept_; i += kLanes) {
      for (std::size_t lane = 0; lane < kLanes; ++lane) {
        const float rank = ranks_[i + lane];
        low[lane] = rank < low[lane] ? rank : low[lane];
        high[lane] = rank > high[lane] ? rank : high[lane];
      }
    }
    for (; i < kept_; ++i) {
      low[0] = std::min(low[0], ranks_[i]);
      high[0] = std::max(high[0], ranks_[i]);
    }
    return {*std::min_element(low.begin(), low.end()), *std::max_element(high.begin(), high.end())};
  }

  const vector::Kernels& kernels_ = vector::kernels();
  std::vector<float>& ranks_;
  std::vector<std::uint32_t>& rows_;
  std::size_t size_;
  std::size_t room_ = std::max<std::size_t>(4 * size_, 4'096);
  std::size_t kept_ = 0;
  float least_ = std::numeric_limits<float>::lowest();
};

}  // namespace vz::index
