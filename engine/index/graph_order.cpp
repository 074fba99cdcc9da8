// Repairs of a built graph and its order in the file.
#include <algorithm>

#include "engine/index/graph.h"

namespace vz::index {
namespace {

bool has_free_link(const Graph& graph, std::uint32_t slot) {
  return graph.links_of(slot).back() == kNone;
}

void add_link(Graph& graph, std::uint32_t from, std::uint32_t to) {
  for (std::uint32_t& link : graph.links_of(from)) {
    if (link != kNone) continue;
    link = to;
    return;
  }
  graph.links_of(from).back() = to;
}

/// Neighbour lists of every slot, forward or reversed, one after another.
struct Adjacency {
  std::vector<std::uint32_t> offsets;
  std::vector<std::uint32_t> targets;
};

Adjacency reversed(const Graph& graph, std::uint32_t slot_count) {
  Adjacency out;
  out.offsets.assign(std::size_t{slot_count} + 1, 0);
  for (const std::uint32_t link : graph.links) {
    if (link != kNone) ++out.offsets[link + 1];
  }
  for (std::uint32_t i = 0; i < slot_count; ++i) out.offsets[i + 1] += out.offsets[i];
  out.targets.resize(out.offsets.back());
  auto next = out.offsets;
  for (std::uint32_t slot = 0; slot < slot_count; ++slot) {
    for (const std::uint32_t link : graph.links_of(slot)) {
      if (link != kNone) out.targets[next[link]++] = slot;
    }
  }
  return out;
}

/// Marks what can be reached from `start` by `for_each_target(slot, visit)`.
template <typename ForEachTarget>
void mark_reached(std::uint32_t start, std::vector<bool>& reached,
                  const ForEachTarget& for_each_target) {
  std::vector<std::uint32_t> stack = {start};
  reached[start] = true;
  while (!stack.empty()) {
    const std::uint32_t slot = stack.back();
    stack.pop_back();
    for_each_target(slot, [&](std::uint32_t target) {
      if (reached[target]) return;
      reached[target] = true;
      stack.push_back(target);
    });
  }
}

/// The most similar slot to `slot` among those that `usable` accepts, or kNone.
template <typename Usable>
std::uint32_t nearest(std::uint32_t slot, std::uint32_t slot_count,
                      const SlotSimilarity& similarity, const Usable& usable) {
  std::uint32_t best = kNone;
  float best_similarity = 0;
  for (std::uint32_t other = 0; other < slot_count; ++other) {
    if (other == slot || !usable(other)) continue;
    const float found = similarity(slot, other);
    if (best != kNone && !(found > best_similarity)) continue;
    best = other;
    best_similarity = found;
  }
  return best;
}

}  // namespace

std::size_t connect_islands(Graph& graph, std::uint32_t slot_count,
                            const SlotSimilarity& similarity, std::size_t repairs_max) {
  std::size_t added = 0;
  // Ways out first: they may replace a link, which the search for ways in then sees.
  const Adjacency back = reversed(graph, slot_count);
  const auto sources = [&](std::uint32_t slot, const auto& visit) {
    for (std::uint32_t i = back.offsets[slot]; i < back.offsets[slot + 1]; ++i) {
      visit(back.targets[i]);
    }
  };
  std::vector<bool> returns(slot_count, false);
  mark_reached(graph.entry_slot, returns, sources);
  for (std::uint32_t slot = 0; slot < slot_count && added < repairs_max; ++slot) {
    if (returns[slot]) continue;
    const auto usable = [&](std::uint32_t other) { return bool{returns[other]}; };
    add_link(graph, slot, nearest(slot, slot_count, similarity, usable));
    ++added;
    mark_reached(slot, returns, sources);
  }

  const auto targets = [&](std::uint32_t slot, const auto& visit) {
    for (const std::uint32_t link : graph.links_of(slot)) {
      if (link != kNone) visit(link);
    }
  };
  std::vector<bool> reached(slot_count, false);
  mark_reached(graph.entry_slot, reached, targets);
  for (std::uint32_t slot = 0; slot < slot_count && added < repairs_max; ++slot) {
    if (reached[slot]) continue;
    const std::uint32_t from = nearest(slot, slot_count, similarity, [&](std::uint32_t other) {
      return reached[other] && has_free_link(graph, other);
    });
    if (from == kNone) break;
    add_link(graph, from, slot);
    ++added;
    mark_reached(slot, reached, targets);
  }
  return added;
}

std::vector<std::uint32_t> breadth_first_order(const Graph& graph, std::uint32_t slot_count) {
  std::vector<std::uint32_t> order;
  order.reserve(slot_count);
  std::vector<bool> placed(slot_count, false);
  const auto place_from = [&](std::uint32_t start) {
    std::size_t next = order.size();
    order.push_back(start);
    placed[start] = true;
    for (; next < order.size(); ++next) {
      for (const std::uint32_t link : graph.links_of(order[next])) {
        if (link == kNone || placed[link]) continue;
        placed[link] = true;
        order.push_back(link);
      }
    }
  };
  place_from(graph.entry_slot);
  for (std::uint32_t slot = 0; slot < slot_count; ++slot) {
    if (!placed[slot]) place_from(slot);
  }
  return order;
}

Graph reorder(const Graph& graph, std::span<const std::uint32_t> order) {
  const auto slot_count = static_cast<std::uint32_t>(order.size());
  std::vector<std::uint32_t> new_of(slot_count);
  for (std::uint32_t slot = 0; slot < slot_count; ++slot) new_of[order[slot]] = slot;
  Graph out = graph;
  out.entry_slot = new_of[graph.entry_slot];
  for (std::uint32_t slot = 0; slot < slot_count; ++slot) {
    const auto from = graph.links_of(order[slot]);
    const auto to = out.links_of(slot);
    for (std::size_t i = 0; i < from.size(); ++i) {
      to[i] = from[i] == kNone ? kNone : new_of[from[i]];
    }
  }

  // Upper nodes are numbered by ascending slot, so they change places too.
  const auto upper_count = static_cast<std::uint32_t>(graph.upper_nodes.size());
  std::vector<std::uint32_t> upper_order(upper_count), new_upper(upper_count);
  for (std::uint32_t node = 0; node < upper_count; ++node) upper_order[node] = node;
  std::sort(upper_order.begin(), upper_order.end(), [&](std::uint32_t a, std::uint32_t b) {
    return new_of[graph.upper_nodes[a]] < new_of[graph.upper_nodes[b]];
  });
  for (std::uint32_t node = 0; node < upper_count; ++node) new_upper[upper_order[node]] = node;
  std::uint32_t row = 0;
  for (std::uint32_t node = 0; node < upper_count; ++node) {
    const std::uint32_t old = upper_order[node];
    out.upper_nodes[node] = new_of[graph.upper_nodes[old]];
    out.upper_offsets[node] = row;
    for (std::uint32_t from = graph.upper_offsets[old]; from < graph.upper_offsets[old + 1];
         ++from, ++row) {
      for (std::size_t i = 0; i < graph.m; ++i) {
        const std::uint32_t link = graph.upper_links[std::size_t{from} * graph.m + i];
        out.upper_links[std::size_t{row} * graph.m + i] = link == kNone ? kNone : new_upper[link];
      }
    }
  }
  if (upper_count > 0) {
    out.upper_offsets[upper_count] = row;
    out.entry_upper = new_upper[graph.entry_upper];
  }
  return out;
}

}  // namespace vz::index
