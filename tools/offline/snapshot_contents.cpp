#include "tools/offline/snapshot_contents.h"

#include <algorithm>

#include "storage/store/store.h"

namespace vz::offline {
namespace {

/// Calls `visit(path, info)` for each file of a segment.
template <typename Visit>
void for_each_file(CollectionId id, const manifest::SegmentEntry& segment, const Visit& visit) {
  const store::Paths paths{};
  const auto relative = [](const std::string& path) { return path.substr(1); };  // No root: "/c..."
  visit(relative(paths.seg(id, segment.epoch, segment.seq)), segment.seg);
  if (segment.dead)
    visit(relative(paths.dead(id, segment.epoch, segment.seq, segment.dead->number)),
          segment.dead->info);
  if (segment.index)
    visit(relative(paths.index(id, segment.epoch, segment.seq, segment.index->number)),
          segment.index->info);
  if (segment.fields)
    visit(relative(paths.fields(id, segment.epoch, segment.seq, segment.fields->number)),
          segment.fields->info);
}

}  // namespace

Lsn last_lsn(const manifest::Manifest& manifest) {
  Lsn last = std::max(
      {manifest.catalog_lsn, manifest.clean_lsn, manifest.log_lsn > 0 ? manifest.log_lsn - 1 : 0});
  for (const auto& collection : manifest.collections) last = std::max(last, collection.flushed_lsn);
  for (const auto& epoch : manifest.epochs)
    if (epoch.first_lsn > 0) last = std::max(last, epoch.first_lsn - 1);
  return last;
}

Epoch last_epoch(const manifest::Manifest& manifest) {
  Epoch last = 1;
  for (const auto& entry : manifest.epochs) last = std::max(last, entry.epoch);
  for (const auto& collection : manifest.collections)
    for (const auto& segment : collection.segments) last = std::max(last, segment.epoch);
  return last;
}

std::vector<format::RestoreFile> files_named_by(const manifest::Manifest& manifest) {
  std::vector<format::RestoreFile> files;
  for (const auto& collection : manifest.collections) {
    for (const auto& segment : collection.segments) {
      for_each_file(collection.id, segment, [&](std::string path, const segment::FileInfo& info) {
        files.push_back({std::move(path), info.size_bytes, info.sha256});
      });
    }
  }
  std::sort(files.begin(), files.end(),
            [](const auto& a, const auto& b) { return a.path < b.path; });
  return files;
}

Result<SnapshotContents> make_contents(manifest::Manifest manifest) {
  SnapshotContents contents;
  contents.files = files_named_by(manifest);
  VZ_TRY_ASSIGN(contents.restore_bytes,
                format::encode(format::Restore{manifest::encode(manifest), contents.files}));
  contents.manifest = std::move(manifest);
  return contents;
}

Result<SnapshotContents> decode_contents(Bytes restore_bytes) {
  VZ_TRY_ASSIGN(format::Restore restore, format::decode_restore(restore_bytes));
  SnapshotContents contents;
  auto manifest = manifest::decode(restore.manifest);
  if (!manifest) return while_doing(std::move(manifest).error(), "RESTORE");
  contents.manifest = std::move(*manifest);
  if (files_named_by(contents.manifest) != restore.files) {
    return fail(ErrorCode::kCorruption, "RESTORE: its list of files is not that of its image");
  }
  contents.files = std::move(restore.files);
  contents.restore_bytes = std::move(restore_bytes);
  return contents;
}

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
    for (const auto& segment : entry.segments) {
      for_each_file(entry.id, segment, [&](const std::string&, const segment::FileInfo& info) {
        collection.bytes += info.size_bytes;
      });
    }
    out.points += collection.points;
    out.bytes += collection.bytes;
  }
  return out;
}

}  // namespace vz::offline
