#include "storage/snapshot/summary.h"

#include "storage/archive/member_name.h"

namespace vz::snapshot {

std::string prefix_of(store::SnapshotScope scope) {
  return scope == store::SnapshotScope::kCollection ? std::string(archive::kCollectionPrefix) : "";
}

SnapshotSummary summarize(const SnapshotContents& contents) {
  const manifest::Manifest& manifest = contents.manifest;
  SnapshotSummary out{.scope = contents.scope,
                      .created_us = manifest.time_us,
                      .lsn = store::last_lsn(manifest),
                      .epoch = store::last_epoch(manifest),
                      .files = contents.files.size(),
                      .aliases = manifest.aliases.size(),
                      .collections = {}};
  for (const auto& entry : manifest.collections) {
    CollectionSummary& collection = out.collections.emplace_back();
    collection.id = entry.id;
    collection.name = entry.name;
    collection.points = entry.points;
    collection.segments = entry.segments.size();
    collection.flushed_lsn = entry.flushed_lsn;
    collection.digest = entry.digest;
    const std::string beneath = "collections/" + std::to_string(entry.id) + "/";
    for (const auto& file : contents.files)
      if (file.path.starts_with(beneath)) collection.bytes += file.size_bytes;
    out.points += collection.points;
    out.bytes += collection.bytes;
  }
  return out;
}

}  // namespace vz::snapshot
