// An HNSW graph as it is built, before it gets its place in a file. Internal to engine/index.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <stop_token>
#include <vector>

#include "engine/index/index_file.h"
#include "engine/index/index_format.h"
#include "engine/vector/codes.h"
#include "storage/base/huge_pages.h"

namespace vz::index {

/// Malkov & Yashunin 2016. The layout of lists is the one of index_format.h.
struct Graph {
  std::uint32_t m = 0;
  std::uint32_t link_stride = 0;
  std::uint32_t entry_slot = 0;
  std::uint32_t entry_upper = kNone;
  std::uint32_t max_level = 0;
  HugeVector<std::uint32_t> links;           ///< slots x link_stride
  std::vector<std::uint32_t> upper_nodes;    ///< ascending slots
  std::vector<std::uint32_t> upper_offsets;  ///< one more than upper_nodes; empty if there are none
  std::vector<std::uint32_t> upper_links;    ///< rows x m, upper nodes

  [[nodiscard]] std::span<std::uint32_t> links_of(std::uint32_t slot) {
    return std::span(links).subspan(std::size_t{slot} * link_stride, link_stride);
  }
  [[nodiscard]] std::span<const std::uint32_t> links_of(std::uint32_t slot) const {
    return std::span(links).subspan(std::size_t{slot} * link_stride, link_stride);
  }
};

/// What a graph is built over: codes, or float32 rows when codes are off.
struct GraphInput {
  vector::Distance distance = vector::Distance::kCosine;
  vector::CodeBlock codes;                 ///< if codes.codes is not null
  std::span<const float* const> vectors;   ///< otherwise: one per slot
  std::span<const std::uint32_t> members;  ///< slots to build over, at least 1
  std::uint32_t dimension = 0;
};

/// Builds the graph; its slot i is input.members[i]. One thread gives the same graph
/// each time.
/// Errors: kCancelled, kInternal (memory ran out).
Result<Graph> build_graph(const GraphInput& input, const HnswParameters& parameters,
                          unsigned threads, const std::stop_token& stop);

using SlotSimilarity = std::function<float(std::uint32_t, std::uint32_t)>;

/// Adds links until, at level 0, every slot can be reached from the entry and the entry from every
/// slot. Why: more than m identical vectors link only to each other, and no walk would find them or
/// leave them. Best effort: at most `repairs_max` islands.
/// Returns how many links it added.
std::size_t connect_islands(Graph& graph, std::uint32_t slot_count,
                            const SlotSimilarity& similarity, std::size_t repairs_max);

/// order[new slot] = old slot, breadth first from the entry at level 0; what cannot be reached
/// comes last.
std::vector<std::uint32_t> breadth_first_order(const Graph& graph, std::uint32_t slot_count);

/// The same graph with its slots renumbered by `order`.
Graph reorder(const Graph& graph, std::span<const std::uint32_t> order);

}  // namespace vz::index
