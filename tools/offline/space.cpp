#include "tools/offline/space.h"

#include <fmt/format.h>

#include "storage/store/ballast.h"

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

Status require_space(Env& env, const store::Paths& paths, std::uint64_t needed_bytes,
                     const std::string& doing) {
  VZ_TRY_ASSIGN(DiskSpace space, env.disk_space(paths.root));
  if (space.free_bytes >= needed_bytes) return {};
  if (store::release_ballast(env, paths)) {
    VZ_TRY_ASSIGN(space, env.disk_space(paths.root));
    if (space.free_bytes >= needed_bytes) return {};
  }
  return fail(ErrorCode::kNoSpace,
              fmt::format("{}: {} needs up to {} bytes beside the files that are there, and the "
                          "disk has {}: free some (`data gc` shows what nobody needs), or do it on "
                          "a larger disk (`snapshot pack` and `snapshot restore` move a directory)",
                          paths.root, doing, needed_bytes, space.free_bytes));
}

}  // namespace vz::offline
