#include "tools/offline/hash.h"

#include <algorithm>

#include "tools/offline/data_directory.h"
#include "tools/offline/unflushed.h"

namespace vz::offline {

bool HashReport::sound() const {
  return std::all_of(collections.begin(), collections.end(),
                     [](const CollectionHash& one) { return one.found == one.recorded; });
}

Result<HashReport> hash(Env& env, const std::string& directory, const HashOptions& options) {
  VZ_TRY_ASSIGN(const DataDirectory data, open_for_reading(env, directory));
  VZ_TRY_ASSIGN(const auto wanted, wanted_collections(data.paths, data.image, options.collection));
  VZ_TRY_ASSIGN(const UnflushedRecords unflushed, count_unflushed(env, data.paths, data.image));
  check::Pace pace(0, options.progress);
  for (const auto* entry : wanted)
    for (const auto& segment : entry->segments) pace.add_total(segment.seg.size_bytes);

  HashReport report{.manifest = data.image.number, .unflushed_records = unflushed.records};
  for (const auto* entry : wanted) {
    CollectionHash one{.id = entry->id,
                       .name = entry->name,
                       .recorded = {.points = entry->points, .digest = entry->digest},
                       .as_of = entry->flushed_lsn};
    if (const auto points = unflushed.points.find(entry->id); points != unflushed.points.end())
      one.unflushed_records = points->second;
    VZ_TRY_ASSIGN(const CollectionParts parts, open_parts(env, data.paths, *entry));
    VZ_TRY_ASSIGN(one.found, total_of(parts.segments, entry->flushed_lsn, pace));
    report.collections.push_back(std::move(one));
  }
  return report;
}

}  // namespace vz::offline
