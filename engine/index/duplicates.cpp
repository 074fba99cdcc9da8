#include "engine/index/duplicates.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace vz::index {
namespace {

constexpr std::size_t kChildren = 2;

ByteSpan bytes_of(const GraphInput& input, std::uint32_t slot) {
  if (input.codes.codes != nullptr) {
    return std::as_bytes(
        std::span(input.codes.codes + slot * input.codes.stride, input.codes.stride));
  }
  return std::as_bytes(std::span(input.vectors[slot], input.dimension));
}

/// FNV-1a over words of 8 bytes; the last one is filled with zeros.
std::uint64_t hash_of(ByteSpan bytes) {
  std::uint64_t hash = 0xcbf2'9ce4'8422'2325;
  for (std::size_t at = 0; at < bytes.size(); at += sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + at, std::min(sizeof word, bytes.size() - at));
    hash = (hash ^ word) * 0x100'0000'01b3;
    hash ^= hash >> 32;
  }
  return hash;
}

bool equal(const GraphInput& input, std::uint32_t a, std::uint32_t b) {
  const ByteSpan left = bytes_of(input, a), right = bytes_of(input, b);
  return std::memcmp(left.data(), right.data(), left.size()) == 0 &&
         (input.codes.codes == nullptr || input.codes.norms[a] == input.codes.norms[b]);
}

/// Puts `children` into the list, in place of its last links if it is full.
void link_children(std::span<std::uint32_t> links, std::span<const std::uint32_t> children) {
  std::size_t used = 0;
  while (used < links.size() && links[used] != kNone) ++used;
  const std::size_t at = std::min(used, links.size() - children.size());
  std::copy(children.begin(), children.end(), links.begin() + static_cast<std::ptrdiff_t>(at));
}

}  // namespace

DistinctSlots find_distinct(const GraphInput& input, std::uint32_t slot_count) {
  std::vector<std::pair<std::uint64_t, std::uint32_t>> hashes;
  hashes.reserve(slot_count);
  for (std::uint32_t slot = 0; slot < slot_count; ++slot) {
    hashes.emplace_back(hash_of(bytes_of(input, slot)), slot);
  }
  std::sort(hashes.begin(), hashes.end());
  DistinctSlots distinct;
  distinct.first_of.resize(slot_count);
  std::uint32_t first = kNone;
  for (std::size_t i = 0; i < hashes.size(); ++i) {
    const auto [hash, slot] = hashes[i];
    // A collision of unequal vectors only splits a group.
    const bool same = i > 0 && hashes[i - 1].first == hash && equal(input, first, slot);
    if (!same) first = slot;
    distinct.first_of[slot] = first;
  }
  for (std::uint32_t slot = 0; slot < slot_count; ++slot) {
    if (distinct.first_of[slot] == slot) distinct.firsts.push_back(slot);
  }
  return distinct;
}

Graph hang_duplicates(const Graph& graph, const DistinctSlots& distinct) {
  const auto slot_count = static_cast<std::uint32_t>(distinct.first_of.size());
  const auto& firsts = distinct.firsts;
  if (firsts.size() == slot_count) return graph;

  Graph out = graph;
  out.entry_slot = firsts[graph.entry_slot];
  out.links.assign(std::size_t{slot_count} * graph.link_stride, kNone);
  for (std::uint32_t& node : out.upper_nodes) node = firsts[node];
  for (std::uint32_t index = 0; index < firsts.size(); ++index) {
    const auto to = out.links_of(firsts[index]);
    std::transform(graph.links_of(index).begin(), graph.links_of(index).end(), to.begin(),
                   [&](std::uint32_t link) { return link == kNone ? kNone : firsts[link]; });
  }

  std::vector<std::vector<std::uint32_t>> groups(slot_count);
  for (std::uint32_t slot = 0; slot < slot_count; ++slot) {
    groups[distinct.first_of[slot]].push_back(slot);
  }
  for (const std::uint32_t first : firsts) {
    const auto& group = groups[first];  // Ascending, so `first` is its head.
    for (std::size_t i = 1; i < group.size(); ++i) {
      const auto from = out.links_of(first);
      const auto to = out.links_of(group[i]);
      std::copy(from.begin(), from.end() - 1, to.begin() + 1);
      to[0] = first;
    }
    for (std::size_t i = 0; i * kChildren + 1 < group.size(); ++i) {
      const std::size_t begin = i * kChildren + 1;
      const std::size_t count = std::min(kChildren, group.size() - begin);
      link_children(out.links_of(group[i]), std::span(group).subspan(begin, count));
    }
  }
  return out;
}

}  // namespace vz::index
