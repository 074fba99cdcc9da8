// Equal vectors in a graph. Internal to engine/index.
//
// HNSW links a vector to its nearest, so more than m equal ones link only to each other: a walk
// that meets them fills its pool with ties and cannot leave. So the graph is built over one of each
// group, the first; the others hang below it as a binary tree, and each also has the links of the
// first, which lead out.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/index/graph.h"

namespace vz::index {

/// Slots that compare alike with every query: of equal codes and norm, or equal float32 values.
struct DistinctSlots {
  std::vector<std::uint32_t> firsts;    ///< one of each group, ascending
  std::vector<std::uint32_t> first_of;  ///< by slot
};

/// `input.members` is ignored: all `slot_count` slots are looked at.
DistinctSlots find_distinct(const GraphInput& input, std::uint32_t slot_count);

/// The graph over all slots, from one over `distinct.firsts` (in that order).
Graph hang_duplicates(const Graph& graph, const DistinctSlots& distinct);

}  // namespace vz::index
