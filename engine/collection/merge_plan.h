// Which segments to merge next: a pure function of their sizes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace vz::collection {

struct SegmentSummary {
  std::uint32_t rows = 0;
  std::uint32_t dead_rows = 0;  ///< as of the flushed lsn: a merge drops just these
  bool has_graph = false;
  bool settled = true;  ///< false: big enough for a graph and not indexed yet
};

enum class Activity : std::uint8_t {
  kWriting,
  kQuiet,
  kAsked,  ///< somebody wants it as good as it gets, and waits
};

/// Positions of the segments to merge into one, ascending; empty: nothing to do. One position alone
/// means: rewrite it without its dead rows, or, if it is not settled, index it where it is.
///
/// Rules: segments without a graph merge among themselves to at least kMergeRowsMin rows before a
/// graph is built, or as they are once the collection is quiet; graph segments merge by size tiers
/// of factor 4 when there are more than 4; a segment with more than 30 % dead rows is rewritten;
/// once the collection is quiet, graph segments of up to kJoinedRowsMax rows in all become one,
/// unless it would be mostly the largest of them again. When it was asked for, all segments without
/// a graph and all with dead rows become one first, however many or few the rows are.
std::vector<std::size_t> plan_merge(std::span<const SegmentSummary> segments, Activity activity);

inline constexpr std::uint32_t kMergeRowsMin = 50'000;
inline constexpr std::size_t kGraphSegmentsMax = 4;
inline constexpr std::size_t kSmallSegmentsMax = 8;
inline constexpr std::size_t kSmallSegmentsMaxQuiet = 4;
inline constexpr double kDeadShareMax = 0.3;
/// A search costs nearly as much per segment whatever its size: two of 50,000 rows cost 1.9 x one
/// of 100,000. Beyond this the build would keep two cores busy for more than half a minute.
inline constexpr std::uint64_t kJoinedRowsMax = 262'144;

}  // namespace vz::collection
