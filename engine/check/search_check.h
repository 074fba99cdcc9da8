// Level 4 of a segment: whether a search finds what is in it.
#pragma once

#include <cstdint>
#include <span>

#include "engine/check/run.h"
#include "engine/index/index_file.h"
#include "storage/segment/segment.h"

namespace vz::check {

/// Points of a vector that are searched for, evenly spread over the segment's live rows.
inline constexpr std::size_t kSearchQueries = 100;
/// What recall@10 of them is at least. An index that is right is well above it (engine/index).
inline constexpr double kSearchRecallMin = 0.95;
/// The share of them that find themselves, or something as near.
inline constexpr double kSearchSelfMin = 0.98;

/// Searches each indexed vector as a node does and compares with a scan of all rows in float32; a
/// graph is walked as well where a node would not for these searches. The finding is about `file`,
/// the index. dead: rows that died, ascending.
/// Memory: some KiB a query; reads all vectors of the segment once.
void check_search(const Run& run, const NamedCollection& collection, NamedFile& file,
                  const segment::Segment& segment, const index::IndexFile& index,
                  std::span<const std::uint32_t> dead);

}  // namespace vz::check
