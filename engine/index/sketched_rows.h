// The sketches of a column while its index is built. Internal to engine/index.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/index/shortlist_shares.h"
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

/// The shares of the rows, best by sketches first, that hold kHeldByShortlist of the ten nearest
/// rows: over sampled rows as queries, among kShortlistRows rows. 1 if there are too few to tell.
///
/// Of fewer rows the ten nearest are not harder to tell from the others by number, and of more rows
/// not by share (their nearest are nearer). So a shortlist of this share, and of no fewer rows than
/// here, is long enough for any.
ShortlistShares shortlist_shares(const SketchedRows& rows, std::span<const float* const> vectors,
                                 std::uint32_t dimension, vector::Distance distance,
                                 unsigned threads);

inline constexpr std::size_t kShortlistRows = 2'048;
/// Above this, sketches say too little to be kept.
inline constexpr double kShortlistShareMax = 0.05;

}  // namespace vz::index
