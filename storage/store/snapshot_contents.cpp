#include "storage/store/snapshot_contents.h"

#include <algorithm>

#include "storage/store/store.h"

namespace vz::store {

Status require_node(const SnapshotContents& contents) {
  if (contents.scope == SnapshotScope::kNode) return {};
  return fail(ErrorCode::kInvalidArgument,
              "it is a snapshot of one collection: a running node takes it by "
              "`snapshot recover --collection NAME`, which leaves all others as they are");
}

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
  const Paths paths{};
  std::vector<format::RestoreFile> files;
  const auto add = [&](const std::string& path, const segment::FileInfo& info) {
    files.push_back({path.substr(1), info.size_bytes, info.sha256});  // No root: "/collections...".
  };
  for (const auto& collection : manifest.collections) {
    for (const auto& part : collection.segments) {
      const CollectionId id = collection.id;
      add(paths.seg(id, part.epoch, part.seq), part.seg);
      if (part.dead) add(paths.dead(id, part.epoch, part.seq, part.dead->number), part.dead->info);
      if (part.index)
        add(paths.index(id, part.epoch, part.seq, part.index->number), part.index->info);
      if (part.fields)
        add(paths.fields(id, part.epoch, part.seq, part.fields->number), part.fields->info);
    }
  }
  std::sort(files.begin(), files.end(),
            [](const auto& a, const auto& b) { return a.path < b.path; });
  return files;
}

Result<SnapshotContents> make_contents(manifest::Manifest manifest, SnapshotScope scope) {
  SnapshotContents contents;
  contents.scope = scope;
  contents.files = files_named_by(manifest);
  VZ_TRY_ASSIGN(contents.restore_bytes,
                format::encode(format::Restore{manifest::encode(manifest), contents.files}));
  contents.manifest = std::move(manifest);
  return contents;
}

Result<SnapshotContents> contents_of_collection(const SnapshotContents& node,
                                                const std::string& name) {
  manifest::Manifest image = node.manifest;
  std::erase_if(image.collections, [&](const auto& entry) { return entry.name != name; });
  if (image.collections.empty())
    return fail(ErrorCode::kNotFound, "Collection `" + name + "` doesn't exist!");
  image.aliases.clear();
  return make_contents(std::move(image), SnapshotScope::kCollection);
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

}  // namespace vz::store
