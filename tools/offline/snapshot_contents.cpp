#include "tools/offline/snapshot_contents.h"

namespace vz::offline {
namespace {

std::uint64_t bytes_of(const manifest::SegmentEntry& segment) {
  std::uint64_t bytes = segment.seg.size_bytes;
  for (const auto& file : {segment.dead, segment.index, segment.fields})
    bytes += file ? file->info.size_bytes : 0;
  return bytes;
}

}  // namespace

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
