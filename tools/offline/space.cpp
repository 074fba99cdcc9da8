#include "tools/offline/space.h"

namespace vz::offline {
namespace {

/// Norm, sum and sketches' heads; each level of a graph has one row in m.
constexpr std::uint64_t kIndexBytesPerRow = 64;
constexpr std::uint64_t kLinkBytes = 4;

}  // namespace

std::uint64_t index_bytes_per_row(const collection::CollectionDefinition& definition) {
  std::uint64_t bytes = 0;
  for (const auto& vector : definition.vectors) {
    if (vector.kind != segment::VectorKind::kDense) continue;
    const auto& hnsw = vector.hnsw.value_or(definition.hnsw);
    const std::uint64_t links = 2 * std::uint64_t{hnsw.m} * kLinkBytes;
    bytes += vector.size + vector.size / 8 + kIndexBytesPerRow + 2 * links;
  }
  return bytes;
}

}  // namespace vz::offline
