#include "storage/store/seen_here.h"

#include <algorithm>

#include "storage/format/wal_record.h"
#include "storage/store/snapshot_contents.h"
#include "storage/wal/log.h"
#include "storage/wal/log_file.h"

namespace vz::store {
namespace {

template <typename T>
void raise(T& value, T to) {
  value = std::max(value, to);
}

void add_image(const manifest::Manifest& image, SeenHere& seen) {
  raise(seen.lsn, last_lsn(image));
  raise(seen.next_seq, image.next_seq);
  raise(seen.next_file_number, image.next_file_number);
  raise(seen.time_us, image.time_us);
  raise(seen.epoch, last_epoch(image));
  if (!image.collections.empty() || !image.epochs.empty() || !image.aliases.empty())
    seen.holds_data = true;
}

/// True if the image in force could be read.
Result<bool> add_images(Env& env, const Paths& paths, SeenHere& seen) {
  VZ_TRY_ASSIGN(const auto entries, env.list(paths.root));
  for (const auto& entry : entries) {
    const auto number = manifest::parse_file_name(entry.name);
    if (!number) continue;
    raise(seen.manifest_number, *number);
    const auto image = manifest::load_image(env, paths.root, *number);
    if (image) add_image(*image, seen);
    if (!image && is_hindrance(image.error())) return tl::unexpected<Error>(image.error());
  }
  const auto in_force = manifest::load(env, paths.root);
  if (!in_force && is_hindrance(in_force.error())) return tl::unexpected<Error>(in_force.error());
  return in_force.has_value();
}

Status add_log(Env& env, const Paths& paths, SeenHere& seen) {
  const auto files = wal::list_log_files(env, paths.wal());
  if (!files && is_hindrance(files.error())) return tl::unexpected<Error>(files.error());
  if (!files) {
    seen.holds_data = true;
    return {};
  }
  for (const auto& file : *files) {
    seen.holds_data = true;
    raise(seen.epoch, file.epoch);
    if (file.first_lsn > 0) raise(seen.lsn, file.first_lsn - 1);
  }
  if (files->empty()) return {};
  const auto read = wal::replay(env, paths.wal(), files->back().first_lsn, 0,
                                [](const format::WalRecord&) { return Status(); });
  if (read && !read->torn_tail) {
    raise(seen.lsn, read->last_lsn);
    raise(seen.time_us, read->last_time_us);
    return {};
  }
  if (!read && is_hindrance(read.error())) return tl::unexpected<Error>(read.error());
  // Records behind the damage are not counted, but each of them takes its header's room.
  for (const auto& file : *files)
    raise(seen.lsn, file.first_lsn + file.size_bytes / format::kWalRecordHeaderSize);
  return {};
}

bool names(const SnapshotContents* arriving, const std::string& path) {
  if (arriving == nullptr) return false;
  const auto& files = arriving->files;  // Ascending.
  const auto found = std::lower_bound(files.begin(), files.end(), path,
                                      [](const format::RestoreFile& file,
                                         const std::string& wanted) { return file.path < wanted; });
  return found != files.end() && found->path == path;
}

Status add_names(Env& env, const Paths& paths, const SnapshotContents* arriving, SeenHere& seen) {
  if (!env.exists(paths.collections())) return {};
  VZ_TRY_ASSIGN(const auto collections, env.list(paths.collections()));
  for (const auto& collection : collections) {
    if (collection.type != FileType::kDirectory) continue;
    VZ_TRY_ASSIGN(const auto entries, env.list(paths.collections() + "/" + collection.name));
    for (const auto& entry : entries) {
      const auto name = parse_data_file_name(entry.name);
      if (!name) continue;
      if (!names(arriving, "collections/" + collection.name + "/" + entry.name))
        seen.holds_data = true;
      raise(seen.epoch, name->epoch);
      raise(seen.next_seq, name->seq + 1);
      raise(seen.next_file_number, name->number + 1);
    }
  }
  return {};
}

}  // namespace

Result<SeenHere> look_around(Env& env, const Paths& paths, const SnapshotContents* arriving) {
  SeenHere seen;
  VZ_TRY_ASSIGN(const bool readable, add_images(env, paths, seen));
  if (!readable || (arriving == nullptr && env.exists(paths.restore()))) seen.holds_data = true;
  VZ_TRY(add_log(env, paths, seen));
  VZ_TRY(add_names(env, paths, arriving, seen));
  return seen;
}

}  // namespace vz::store
