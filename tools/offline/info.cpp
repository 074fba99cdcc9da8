#include "tools/offline/info.h"

#include <algorithm>
#include <set>

#include "storage/wal/log_file.h"
#include "tools/offline/data_directory.h"
#include "tools/offline/segments.h"

namespace vz::offline {
namespace {

using manifest::CollectionEntry;
using manifest::Manifest;
using manifest::SegmentEntry;

/// A running node may replace the image between our reading CURRENT and the image.
constexpr int kReadsMax = 5;
constexpr std::uint64_t kLockBytesMax = 4096;

Result<Manifest> load_image(Env& env, const store::Paths& paths) {
  auto image = manifest::load(env, paths.root);
  for (int read = 1; !image && read < kReadsMax; ++read) image = manifest::load(env, paths.root);
  if (!image && image.error().code == ErrorCode::kNotFound)
    return fail(ErrorCode::kCorruption, paths.root + "/CURRENT is missing");
  return image;
}

Result<std::string> lock_holder(Env& env, const store::Paths& paths) {
  const auto lock = lock_shared(env, paths);
  if (lock) return std::string();
  if (lock.error().code != ErrorCode::kLocked) return tl::unexpected<Error>(lock.error());
  const auto owner = read_file(env, paths.lock(), kLockBytesMax);
  if (!owner || owner->empty()) return std::string("another process");
  const std::string_view text = as_text(*owner);
  return std::string(text.substr(0, text.find('\n')));
}

/// Of its files the part that dead rows take, if rows are of equal size.
std::uint64_t dead_bytes_of(const SegmentEntry& segment) {
  if (segment.rows == 0) return 0;
  return static_cast<std::uint64_t>(static_cast<double>(bytes_of(segment)) * segment.dead_rows /
                                    segment.rows);
}

CollectionInfo info_of(const CollectionEntry& entry) {
  CollectionInfo info{.id = entry.id,
                      .name = entry.name,
                      .points = entry.points,
                      .segments = entry.segments.size(),
                      .flushed_lsn = entry.flushed_lsn};
  for (const SegmentEntry& segment : entry.segments) {
    info.dead_rows += segment.dead_rows;
    info.bytes += bytes_of(segment);
  }
  return info;
}

/// What lies on the disk below collections/. A directory that is gone meanwhile holds nothing.
void measure_data(Env& env, const store::Paths& paths, const Manifest& image, DataInfo& info) {
  const std::set<std::string> named = store::files_of(paths, image);
  const auto directories = env.list(paths.collections());
  if (!directories) return;
  for (const auto& directory : *directories) {
    if (directory.type != FileType::kDirectory) continue;
    const std::string path = paths.collections() + "/" + directory.name;
    const auto files = env.list(path);
    if (!files) continue;
    for (const auto& file : *files) {
      info.data_bytes += file.size_bytes;
      if (!named.contains(path + "/" + file.name)) info.garbage_bytes += file.size_bytes;
    }
  }
}

void measure_log(Env& env, const store::Paths& paths, DataInfo& info) {
  const auto named = wal::list_log_files(env, paths.wal());
  if (named && !named->empty()) info.epoch = std::max(info.epoch, named->back().epoch);
  const auto files = env.list(paths.wal());
  if (!files) return;
  for (const auto& file : *files) {
    if (file.type != FileType::kRegular) continue;
    ++info.log_files;
    info.log_bytes += file.size_bytes;
  }
}

}  // namespace

double DataInfo::garbage_share() const {
  if (data_bytes == 0) return 0;
  return std::min(1.0, static_cast<double>(garbage_bytes) / static_cast<double>(data_bytes));
}

Result<DataInfo> read_info(Env& env, const std::string& directory) {
  const store::Paths paths = paths_of(directory);
  VZ_TRY(require_data(env, paths));

  DataInfo info;
  VZ_TRY_ASSIGN(info.identity, store::read_identity(env, paths));
  VZ_TRY_ASSIGN(info.lock_holder, lock_holder(env, paths));
  VZ_TRY_ASSIGN(const Manifest image, load_image(env, paths));
  info.manifest = image.number;
  if (!image.epochs.empty()) info.epoch = image.epochs.back().epoch;
  info.catalog_lsn = image.catalog_lsn;
  info.log_lsn = image.log_lsn;
  info.clean_lsn = image.clean_lsn;
  for (const CollectionEntry& entry : image.collections) {
    info.collections.push_back(info_of(entry));
    info.points += entry.points;
    for (const SegmentEntry& segment : entry.segments) info.garbage_bytes += dead_bytes_of(segment);
  }
  measure_data(env, paths, image, info);
  measure_log(env, paths, info);
  VZ_TRY_ASSIGN(const DiskSpace space, env.disk_space(paths.root));
  info.free_bytes = space.free_bytes;
  info.disk_bytes = space.total_bytes;
  VZ_TRY_ASSIGN(info.restore, look_for_restore(env, paths));
  return info;
}

}  // namespace vz::offline
