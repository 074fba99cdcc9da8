#include "engine/collection/merge_plan.h"

#include <algorithm>

#include "engine/index/index_file.h"

namespace vz::collection {
namespace {

/// Segments without a graph, if it is time to merge them.
std::vector<std::size_t> plan_small(std::span<const SegmentSummary> segments, Activity activity) {
  std::vector<std::size_t> small;
  std::uint64_t rows = 0;
  bool unsettled = false;
  for (std::size_t at = 0; at < segments.size(); ++at) {
    if (segments[at].has_graph) continue;
    small.push_back(at);
    rows += segments[at].rows - segments[at].dead_rows;
    unsettled |= !segments[at].settled;
  }
  if (small.empty() || (small.size() == 1 && !unsettled)) return {};
  const bool quiet = activity == Activity::kQuiet;
  const std::uint32_t rows_min = quiet ? index::kGraphRowsMin : kMergeRowsMin;
  const std::size_t count_max = quiet ? kSmallSegmentsMaxQuiet : kSmallSegmentsMax;
  if (rows >= rows_min || small.size() > count_max || (quiet && unsettled)) return small;
  return {};
}

/// All that is not as good as it gets: without a graph, or with dead rows.
std::vector<std::size_t> plan_asked(std::span<const SegmentSummary> segments) {
  std::vector<std::size_t> stale;
  for (std::size_t at = 0; at < segments.size(); ++at)
    if (!segments[at].has_graph || segments[at].dead_rows > 0) stale.push_back(at);
  if (stale.size() != 1) return stale;
  const SegmentSummary& only = segments[stale.front()];
  return only.settled && only.dead_rows == 0 ? std::vector<std::size_t>() : stale;
}

/// The smallest graph segments of one size tier, when there are too many.
std::vector<std::size_t> plan_tier(std::span<const SegmentSummary> segments) {
  constexpr std::uint64_t kTierFactor = 4;
  std::vector<std::size_t> graphs;
  for (std::size_t at = 0; at < segments.size(); ++at)
    if (segments[at].has_graph) graphs.push_back(at);
  if (graphs.size() <= kGraphSegmentsMax) return {};
  std::stable_sort(graphs.begin(), graphs.end(), [&](std::size_t a, std::size_t b) {
    return segments[a].rows < segments[b].rows;
  });
  std::size_t taken = 2;
  const std::uint64_t tier_max = segments[graphs.front()].rows * kTierFactor;
  while (taken < graphs.size() && segments[graphs[taken]].rows <= tier_max) ++taken;
  graphs.resize(taken);
  std::sort(graphs.begin(), graphs.end());
  return graphs;
}

std::vector<std::size_t> plan_rewrite(std::span<const SegmentSummary> segments) {
  for (std::size_t at = 0; at < segments.size(); ++at)
    if (segments[at].dead_rows > kDeadShareMax * segments[at].rows) return {at};
  return {};
}

/// All graph segments, if they are small together and the largest is not nearly all of it: so a row
/// is built into a graph a few times at most.
std::vector<std::size_t> plan_join(std::span<const SegmentSummary> segments) {
  constexpr std::uint64_t kGrowth = 4;  // The others are at least a quarter of the largest.
  std::vector<std::size_t> graphs;
  std::uint64_t rows = 0, largest = 0;
  for (std::size_t at = 0; at < segments.size(); ++at) {
    if (!segments[at].has_graph) continue;
    graphs.push_back(at);
    rows += segments[at].rows;
    largest = std::max<std::uint64_t>(largest, segments[at].rows);
  }
  const bool worth_it = graphs.size() > 1 && (rows - largest) * kGrowth >= largest;
  return worth_it && rows <= kJoinedRowsMax ? graphs : std::vector<std::size_t>();
}

}  // namespace

std::vector<std::size_t> plan_merge(std::span<const SegmentSummary> segments, Activity activity) {
  const bool asked = activity == Activity::kAsked;
  if (auto plan = asked ? plan_asked(segments) : plan_small(segments, activity); !plan.empty())
    return plan;
  if (auto plan = plan_tier(segments); !plan.empty()) return plan;
  if (auto plan = plan_rewrite(segments); !plan.empty()) return plan;
  return activity == Activity::kWriting ? std::vector<std::size_t>() : plan_join(segments);
}

}  // namespace vz::collection
