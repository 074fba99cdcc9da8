// Whether to walk the graph or to scan the passing rows. Internal to engine/index.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "engine/index/sketched_rows.h"

namespace vz::index {

/// Nanoseconds on the machine of the measurements; only ratios matter. `fixed` is per row, `byte`
/// per byte of a row.
struct CostConstants {
  double walk_fixed = 25;  ///< a random row and its bookkeeping
  double walk_byte = 0.06;
  double list_fixed = 110;  ///< a filtered walk: a random list, and which of its rows pass
  double pick_fixed = 4;    ///< a scan over some rows, each a cache miss
  double pick_byte = 0.065;
  double stream_fixed = 4;  ///< a scan over all rows, one after another
  double stream_byte = 0.035;
  double sketch_fixed = 4;  ///< a scan over sketches; it is 2, but a walk may come to its end
  double sketch_byte = 0.07;
  /// Rows compared, per doubling of the rows: a walk's way to the query, in places of the pool, and
  /// for each place. Of 100,000 x 768: 300 at 10 places, 1,900 at 160; of 340,000 x 100: 4,000.
  double way_places = 8;
  double evaluations_per_place_log2 = 1.0;
  /// A filtered walk compares so many times as much, as it meets rows twice.
  double filtered_walk = 1.3;
  /// Below this share the lists of lists run out of rows that pass, and the walk turns to rows that
  /// do not: ever more, by the square.
  double starving_share = 0.05;
};
inline constexpr CostConstants kCosts{};

/// What one search looks like to the model.
struct SearchShape {
  std::uint32_t slots = 0;
  std::uint32_t passing = 0;     ///< slots expected to pass the filter; at most `slots`
  std::size_t row_bytes = 0;     ///< read for one comparison
  std::size_t sketch_bytes = 0;  ///< read for one rank; 0 without sketches
  double shortlist_share = 0;    ///< of the passing rows: what sketches let through
  std::size_t list_length = 0;   ///< links of a row, at most
  std::size_t ef = 0;
  std::size_t wanted = 0;

  [[nodiscard]] double share() const {
    return slots == 0 ? 1.0 : std::max(1.0, 1.0 * passing) / slots;
  }
  [[nodiscard]] bool filtered() const { return passing < slots; }
};

/// Passing rows that a filtered walk collects: the pool of an unfiltered walk would hold ef * share
/// of them, and at least what is wanted.
inline std::size_t rows_to_collect(const SearchShape& shape) {
  const auto expected =
      static_cast<std::size_t>(std::ceil(static_cast<double>(shape.ef) * std::sqrt(shape.share())));
  return std::max({shape.wanted, expected, std::size_t{1}});
}

/// Rows that a scan of sketches lets through; 0 if it had better compare them all.
inline std::size_t shortlist_size(const SearchShape& shape) {
  constexpr std::size_t kPassingMin = 4;  ///< for each row of the shortlist
  if (shape.sketch_bytes == 0) return 0;
  const auto measured = static_cast<std::size_t>(
      std::ceil(shape.shortlist_share * std::max<double>(shape.passing, 1.0 * kShortlistRows)));
  const std::size_t size = std::max(2 * shape.wanted, measured);
  return size * kPassingMin <= shape.passing ? size : 0;
}

inline double scan_cost(const SearchShape& shape) {
  if (const std::size_t shortlist = shortlist_size(shape); shortlist > 0) {
    const double rank =
        kCosts.sketch_fixed + kCosts.sketch_byte * static_cast<double>(shape.sketch_bytes);
    return shape.passing * rank +
           static_cast<double>(shortlist) *
               (kCosts.pick_fixed + kCosts.pick_byte * static_cast<double>(shape.row_bytes));
  }
  const auto bytes = static_cast<double>(shape.row_bytes);
  const double picked = shape.passing * (kCosts.pick_fixed + kCosts.pick_byte * bytes);
  // Most rows pass: they follow one another closely enough.
  const double streamed = shape.slots * (kCosts.stream_fixed + kCosts.stream_byte * bytes);
  return shape.filtered() ? picked : streamed;
}

inline double evaluation_cost(const SearchShape& shape) {
  return kCosts.walk_fixed + kCosts.walk_byte * static_cast<double>(shape.row_bytes);
}

inline double walk_cost(const SearchShape& shape) {
  const auto places = static_cast<double>(shape.filtered() ? rows_to_collect(shape)
                                                           : std::max(shape.ef, shape.wanted));
  double evaluations = (kCosts.way_places + places) * kCosts.evaluations_per_place_log2 *
                       std::log2(2.0 + shape.slots);
  double lists = 0;
  if (shape.filtered()) {
    const double starving = std::max(1.0, kCosts.starving_share / shape.share());
    evaluations *= kCosts.filtered_walk * starving * starving;
    lists = (kCosts.way_places + places) * std::min(1.0 * shape.list_length, 1 / shape.share());
  }
  return std::min(1.0 * shape.slots, evaluations) * evaluation_cost(shape) +
         lists * kCosts.list_fixed;
}

}  // namespace vz::index
