// Builds the graph with hnswlib: the only file that includes it. Compiled with
// NO_MANUAL_VECTORIZATION: the space below brings the kernels of engine/vector.
#include <algorithm>
#include <atomic>
#include <cstring>
#include <exception>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include <hnswlib/hnswlib.h>

#include "engine/index/graph.h"
#include "engine/limits.h"
#include "engine/vector/kernels.h"

namespace vz::index {
namespace {

constexpr std::size_t kSeed = 100;
constexpr std::uint32_t kLinksMin = 2;  ///< 1 / log(m) must be finite
constexpr float kFarthest = 3e38f;      ///< instead of NaN, which has no order

float ordered(float distance) {
  return distance < kFarthest ? distance : kFarthest;
}

/// What a distance function of hnswlib needs beside its two items.
struct SpaceParameters {
  const vector::Kernels* kernels = nullptr;
  vector::Distance distance = vector::Distance::kCosine;
  std::size_t stride = 0;     ///< of codes
  std::size_t dimension = 0;  ///< of floats
  float squared_scale = 1;
};

/// An item of a coded space: `stride` codes, then this.
struct ItemTail {
  std::int32_t sum;
  float norm;
};

ItemTail tail_of(const std::int8_t* item, std::size_t stride) {
  ItemTail tail;
  std::memcpy(&tail, item + stride, sizeof tail);
  return tail;
}

/// Takes the sum of `a`: hnswlib passes the vector that it inserts, or one it has just used, as
/// `a`, so that the tail of `b` need not be fetched.
std::int64_t dot_of_items(const SpaceParameters& space, const std::int8_t* a,
                          const std::int8_t* b) {
  return std::int64_t{space.kernels->dot_rows(b, a, space.stride)} -
         std::int64_t{128} * tail_of(a, space.stride).sum;
}

float coded_dot(const void* a, const void* b, const void* parameters) {
  const auto& space = *static_cast<const SpaceParameters*>(parameters);
  return -static_cast<float>(
      dot_of_items(space, static_cast<const std::int8_t*>(a), static_cast<const std::int8_t*>(b)));
}

float coded_euclid(const void* a, const void* b, const void* parameters) {
  const auto& space = *static_cast<const SpaceParameters*>(parameters);
  const auto* row_a = static_cast<const std::int8_t*>(a);
  const auto* row_b = static_cast<const std::int8_t*>(b);
  const auto dot = static_cast<float>(dot_of_items(space, row_a, row_b));
  return ordered(tail_of(row_a, space.stride).norm + tail_of(row_b, space.stride).norm -
                 2 * dot * space.squared_scale);
}

float coded_manhattan(const void* a, const void* b, const void* parameters) {
  const auto& space = *static_cast<const SpaceParameters*>(parameters);
  return static_cast<float>(space.kernels->sad_rows(
      static_cast<const std::int8_t*>(a), static_cast<const std::int8_t*>(b), space.stride));
}

float float_distance(const void* a, const void* b, const void* parameters) {
  const auto& space = *static_cast<const SpaceParameters*>(parameters);
  return ordered(-vector::similarity(space.distance, static_cast<const float*>(a),
                                     static_cast<const float*>(b), space.dimension));
}

class Space final : public hnswlib::SpaceInterface<float> {
 public:
  explicit Space(const GraphInput& input) : coded_(input.codes.codes != nullptr) {
    parameters_ = {.kernels = &vector::kernels(),
                   .distance = input.distance,
                   .stride = input.codes.stride,
                   .dimension = input.dimension,
                   .squared_scale = input.codes.scale * input.codes.scale};
  }
  size_t get_data_size() override {
    return coded_ ? parameters_.stride + sizeof(ItemTail) : parameters_.dimension * sizeof(float);
  }
  hnswlib::DISTFUNC<float> get_dist_func() override {
    if (!coded_) return float_distance;
    switch (parameters_.distance) {
      case vector::Distance::kEuclid:
        return coded_euclid;
      case vector::Distance::kManhattan:
        return coded_manhattan;
      case vector::Distance::kCosine:
      case vector::Distance::kDot:
        break;
    }
    return coded_dot;
  }
  void* get_dist_func_param() override { return &parameters_; }

 private:
  bool coded_;
  SpaceParameters parameters_;
};

using Hnsw = hnswlib::HierarchicalNSW<float>;

/// Adds slots to the graph from several threads; stops at the first error.
class Inserter {
 public:
  Inserter(Hnsw& hnsw, const GraphInput& input, const std::stop_token& stop)
      : hnsw_(hnsw), input_(input), stop_(stop) {}

  Status run(unsigned threads) {
    insert_some(1);  // Alone: the entry point must be there when the others begin.
    std::vector<std::jthread> helpers;
    try {
      for (unsigned i = 1; i < threads; ++i) helpers.emplace_back([this] { insert_some(kAll); });
    } catch (const std::exception&) {
      // No more threads to be had: those that run do the work.
    }
    insert_some(kAll);
    helpers.clear();
    if (error_) return fail(ErrorCode::kInternal, "building the graph: " + *error_);
    if (stop_.stop_requested()) return fail(ErrorCode::kCancelled, "the graph build was stopped");
    return {};
  }

 private:
  static constexpr std::uint32_t kAll = kNone;

  void insert_some(std::uint32_t end) {
    end = std::min(end, static_cast<std::uint32_t>(input_.members.size()));
    std::vector<std::byte> item(input_.codes.stride + sizeof(ItemTail));
    while (!failed_.load(std::memory_order_relaxed) && !stop_.stop_requested()) {
      std::uint32_t slot = next_.load(std::memory_order_relaxed);
      do {
        if (slot >= end) return;
      } while (!next_.compare_exchange_weak(slot, slot + 1, std::memory_order_relaxed));
      try {
        hnsw_.addPoint(item_of(input_.members[slot], item), slot);
      } catch (const std::exception& error) {
        const std::lock_guard lock(mutex_);
        if (!error_) error_ = error.what();
        failed_.store(true, std::memory_order_relaxed);
      }
    }
  }

  const void* item_of(std::uint32_t slot, std::vector<std::byte>& item) const {
    if (input_.codes.codes == nullptr) return input_.vectors[slot];
    const ItemTail tail = {input_.codes.sums[slot], input_.codes.norms[slot]};
    std::memcpy(item.data(), input_.codes.codes + slot * input_.codes.stride, input_.codes.stride);
    std::memcpy(item.data() + input_.codes.stride, &tail, sizeof tail);
    return item.data();
  }

  Hnsw& hnsw_;
  const GraphInput& input_;
  const std::stop_token& stop_;
  std::atomic<std::uint32_t> next_{0};
  std::atomic<bool> failed_{false};
  std::mutex mutex_;
  std::optional<std::string> error_;  // Guarded by mutex_ until the threads have ended.
};

/// Copies hnswlib's list `from` (u16 count in the first word, then ids) through `renumber`.
template <typename Renumber>
void copy_list(const hnswlib::linklistsizeint* from, unsigned count, std::span<std::uint32_t> to,
               const Renumber& renumber) {
  for (unsigned i = 0; i < count && i < to.size(); ++i) to[i] = renumber(from[1 + i]);
}

void copy_upper_levels(const Hnsw& hnsw, const std::vector<std::uint32_t>& internal_of,
                       Graph& graph) {
  const auto slot_count = static_cast<std::uint32_t>(internal_of.size());
  std::vector<std::uint32_t> upper_of(slot_count, kNone);  // By internal id.
  graph.upper_offsets.push_back(0);
  for (std::uint32_t slot = 0; slot < slot_count; ++slot) {
    const std::uint32_t internal = internal_of[slot];
    const int level = hnsw.element_levels_[internal];
    if (level <= 0) continue;
    upper_of[internal] = static_cast<std::uint32_t>(graph.upper_nodes.size());
    graph.upper_nodes.push_back(slot);
    graph.upper_offsets.push_back(graph.upper_offsets.back() + static_cast<std::uint32_t>(level));
  }
  if (graph.upper_nodes.empty()) {
    graph.upper_offsets.clear();
    return;
  }
  graph.upper_links.assign(std::size_t{graph.upper_offsets.back()} * graph.m, kNone);
  for (std::size_t node = 0; node < graph.upper_nodes.size(); ++node) {
    const std::uint32_t internal = internal_of[graph.upper_nodes[node]];
    for (std::uint32_t row = graph.upper_offsets[node]; row < graph.upper_offsets[node + 1];
         ++row) {
      const int level = static_cast<int>(row - graph.upper_offsets[node]) + 1;
      auto* list = hnsw.get_linklist(internal, level);
      copy_list(list, hnsw.getListCount(list),
                std::span(graph.upper_links).subspan(std::size_t{row} * graph.m, graph.m),
                [&](hnswlib::tableint id) { return upper_of[id]; });
    }
  }
  graph.entry_upper = upper_of[hnsw.enterpoint_node_];
}

Graph convert(const Hnsw& hnsw, std::uint32_t slot_count) {
  std::vector<std::uint32_t> slot_of(slot_count), internal_of(slot_count);
  for (std::uint32_t id = 0; id < slot_count; ++id) {
    slot_of[id] = static_cast<std::uint32_t>(hnsw.getExternalLabel(id));
    internal_of[slot_of[id]] = id;
  }
  Graph graph;
  graph.m = static_cast<std::uint32_t>(hnsw.maxM_);
  graph.link_stride = static_cast<std::uint32_t>(hnsw.maxM0_);
  graph.entry_slot = slot_of[hnsw.enterpoint_node_];
  graph.max_level = static_cast<std::uint32_t>(std::max(0, hnsw.maxlevel_));
  graph.links.assign(std::size_t{slot_count} * graph.link_stride, kNone);
  for (std::uint32_t slot = 0; slot < slot_count; ++slot) {
    auto* list = hnsw.get_linklist0(internal_of[slot]);
    copy_list(list, hnsw.getListCount(list), graph.links_of(slot),
              [&](hnswlib::tableint id) { return slot_of[id]; });
  }
  copy_upper_levels(hnsw, internal_of, graph);
  return graph;
}

}  // namespace

Result<Graph> build_graph(const GraphInput& input, const HnswParameters& parameters,
                          unsigned threads, const std::stop_token& stop) {
  VZ_ASSERT(!input.members.empty());
  const std::uint32_t m = std::clamp(parameters.m, kLinksMin, limits::kHnswMMax);
  const std::uint32_t ef = std::clamp(parameters.ef_construct, m, limits::kEfConstructMax);
  try {
    Space space(input);
    Hnsw hnsw(&space, input.members.size(), m, ef, kSeed);
    VZ_TRY(Inserter(hnsw, input, stop).run(std::max(1u, threads)));
    return convert(hnsw, static_cast<std::uint32_t>(input.members.size()));
  } catch (const std::exception& error) {
    return fail(ErrorCode::kInternal, std::string("building the graph: ") + error.what());
  }
}

}  // namespace vz::index
