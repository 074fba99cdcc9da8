#include "tools/offline/snapshot_contents.h"

#include "tools/offline/segments.h"

namespace vz::offline {
SnapshotSummary summarize(const SnapshotContents& contents) {
  const manifest::Manifest& manifest = contents.manifest;
  SnapshotSummary out{.created_us = manifest.time_us,
                      .lsn = last_lsn(manifest),
                      .epoch = last_epoch(manifest),
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
    for (const auto& segment : entry.segments) collection.bytes += bytes_of(segment);
    out.points += collection.points;
    out.bytes += collection.bytes;
  }
  return out;
}

}  // namespace vz::offline
