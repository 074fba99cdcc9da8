// One member of a graph under construction against others. Internal to engine/index.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/index/column_view.h"
#include "engine/index/graph.h"
#include "engine/vector/codes.h"

namespace vz::index {

/// By codes, or by float32 where codes are off. Nodes are places in input.members. One per thread.
class MemberComparison {
 public:
  explicit MemberComparison(const GraphInput& input) : input_(input) {}

  /// Makes `node` the one that is compared.
  void assign(std::uint32_t node) {
    query_slot_ = input_.members[node];
    if (coded()) query_.assign_row(input_.distance, input_.codes, query_slot_);
  }
  void operator()(std::span<const std::uint32_t> nodes, std::span<float> out) {
    slots_.resize(nodes.size());
    for (std::size_t i = 0; i < nodes.size(); ++i) slots_[i] = input_.members[nodes[i]];
    if (coded()) {
      query_.similarities_at(input_.codes, slots_, out);
    } else {
      for (std::size_t i = 0; i < slots_.size(); ++i) out[i] = of_slots(query_slot_, slots_[i]);
    }
    for (float& similarity : out) similarity = ordered(similarity);
  }
  [[nodiscard]] float between(std::uint32_t a, std::uint32_t b) const {
    return ordered(of_slots(input_.members[a], input_.members[b]));
  }
  [[nodiscard]] std::size_t rows_to_prefetch() const {
    return coded() ? std::max<std::size_t>(4, kBytesUnderWay / input_.codes.stride) : 4;
  }
  void prefetch(std::uint32_t node) const {
    const std::uint32_t slot = input_.members[node];
    const void* row =
        coded()
            ? static_cast<const void*>(input_.codes.codes + std::size_t{slot} * input_.codes.stride)
            : static_cast<const void*>(input_.vectors[slot]);
    __builtin_prefetch(row);
    __builtin_prefetch(static_cast<const char*>(row) + 64);
  }

 private:
  [[nodiscard]] bool coded() const { return input_.codes.codes != nullptr; }
  [[nodiscard]] float of_slots(std::uint32_t a, std::uint32_t b) const {
    return coded() ? vector::similarity_of_rows(input_.distance, input_.codes, a, b)
                   : vector::similarity(input_.distance, input_.vectors[a], input_.vectors[b],
                                        input_.dimension);
  }

  const GraphInput& input_;
  std::uint32_t query_slot_ = 0;
  vector::CodedQuery query_;
  std::vector<std::uint32_t> slots_;
};

}  // namespace vz::index
