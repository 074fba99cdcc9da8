// How much room the application of a repair's plan takes.
#include <algorithm>

#include "engine/collection/definition.h"
#include "tools/offline/repair_plan.h"
#include "tools/offline/space.h"

namespace vz::offline {
namespace {

constexpr std::uint64_t kDeadBytesPerRow = 4;
/// Header, tables and trailer of a file.
constexpr std::uint64_t kFileBytes = 1u << 16;

std::uint64_t size_of(Env& env, const std::string& path) {
  const auto file = env.open(path, OpenMode::kRead);
  if (!file) return 0;
  return (*file)->size().value_or(0);
}

/// Of the new files of one segment. Columns hold what payloads hold: a .fields is no larger than
/// the .seg that it is made of.
std::uint64_t bytes_of_work(Env& env, const std::string& seg_path, const SegmentWork& work,
                            std::uint64_t index_bytes_per_row) {
  std::uint64_t bytes = 0;
  if (work.remade) {
    const std::uint64_t source = work.source.empty() ? 0 : size_of(env, work.source);
    bytes += 2 * source + work.rows.size() * index_bytes_per_row +
             work.tombstones.size() * sizeof(segment::Tombstone) + 3 * kFileBytes;
  }
  if (work.dead) bytes += work.dead->size() * kDeadBytesPerRow + kFileBytes;
  if (work.index) bytes += work.entry.rows * index_bytes_per_row + kFileBytes;
  if (work.fields) bytes += size_of(env, seg_path) + kFileBytes;
  return bytes;
}

}  // namespace

Result<std::uint64_t> space_for(Env& env, const store::Paths& paths, const RepairPlan& plan) {
  std::uint64_t bytes = kPublishBytes;
  for (const QuarantineRecord& record : plan.quarantine) {
    VZ_TRY_ASSIGN(const std::uint64_t kept, bytes_for_quarantine(env, paths, record));
    bytes += kept;
  }
  if (plan.log.torn_tail) bytes += plan.log.torn_tail->size;
  for (const CollectionRepair& repair : plan.collections) {
    VZ_TRY_ASSIGN(const auto definition,
                  collection::definition_from_json(repair.entry.definition_json));
    const std::uint64_t per_row = index_bytes_per_row(definition);
    for (const SegmentWork& work : repair.segments) {
      const std::string path = paths.seg(repair.entry.id, work.entry.epoch, work.entry.seq);
      bytes += bytes_of_work(env, path, work, per_row);
    }
  }
  return bytes;
}

}  // namespace vz::offline
