// How many rows a scan of sketches lets through, by how thorough a search is. Internal to
// engine/index.
#pragma once

#include <array>
#include <cstddef>

namespace vz::index {

/// A search with few places in its pool asks for a quick answer, not for a sure one: a shortlist
/// that holds the ten nearest less surely is half as long.
inline constexpr std::array<double, 3> kHeldByShortlist = {0.985, 0.995, 0.998};
/// The least ef of the levels after the first.
inline constexpr std::array<std::size_t, 2> kThoroughEfs = {16, 48};

/// By level: the share of the rows, best by sketches first, that holds so many of the ten nearest.
using ShortlistShares = std::array<float, kHeldByShortlist.size()>;

inline double share_at(const ShortlistShares& shares, std::size_t ef) {
  std::size_t level = 0;
  while (level < kThoroughEfs.size() && ef >= kThoroughEfs[level]) ++level;
  return shares[level];
}

}  // namespace vz::index
