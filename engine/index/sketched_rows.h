// The sketches of a column while its index is built. Internal to engine/index.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/vector/codes.h"
#include "storage/base/huge_pages.h"

namespace vz::index {

/// Sketches of n vectors against their mean, in the order they were given.
struct SketchedRows {
  HugeVector<std::uint64_t> words;
  vector::SketchBlock block;  ///< borrows the above
};

/// `vectors` point to `dimension` values each. Uses up to `threads` threads.
SketchedRows sketch_rows(std::span<const float* const> vectors, std::uint32_t dimension,
                         unsigned threads);

/// The share of the rows, best by sketches first, that holds 99 % of the ten nearest rows: over 64
/// sampled rows as queries, among at most `rows_max` rows. 1 if there are too few rows to tell.
double shortlist_share(const SketchedRows& rows, std::span<const float* const> vectors,
                       std::uint32_t dimension, vector::Distance distance, std::size_t rows_max,
                       unsigned threads);

/// Above this, sketches say too little to be kept.
inline constexpr double kShortlistShareMax = 0.05;

}  // namespace vz::index
