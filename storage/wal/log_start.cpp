#include "storage/wal/log_start.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "storage/wal/log_scan.h"

namespace vz::wal {
namespace {

/// Bytes of the file that hold records, by the headers alone: replay has judged the content.
struct RecordsExtent {
  std::uint64_t last_group = format::kWalFileHeaderSize;
  std::uint64_t end = format::kWalFileHeaderSize;
};

RecordsExtent find_extent(const LogFileReader& file) {
  namespace at = format::wal_record_offset;
  const ByteSpan bytes = file.bytes();
  RecordsExtent extent;
  Lsn expected = file.header().first_lsn;
  while (extent.end + format::kWalRecordHeaderSize <= bytes.size()) {
    const std::byte* record = bytes.data() + extent.end;
    const auto size =
        format::wal_record_size(load_number<std::uint32_t>(record + at::kPayloadSize));
    if (load_number<Lsn>(record + at::kLsn) != expected || size > bytes.size() - extent.end) break;
    if (load_number<Lsn>(record + at::kGroupLsn) == expected) extent.last_group = extent.end;
    extent.end += size;
    ++expected;
  }
  return extent;
}

Result<RecordsExtent> extent_of(Env& env, const LogFileName& name) {
  const auto file = LogFileReader::open(env, name);
  if (file) {
    const RecordsExtent extent = find_extent(*file);
    VZ_TRY(file->readable());
    return extent;
  }
  if (file.error().code != ErrorCode::kCorruption) return tl::make_unexpected(file.error());
  // Replay judged the files it needs; a damaged one that nobody needs is only counted, as full.
  const std::uint64_t end = std::max<std::uint64_t>(name.size_bytes, format::kWalFileHeaderSize);
  return RecordsExtent{end, end};
}

Status refuse_records(Env& env, const LogFileName& name, Lsn next_lsn) {
  VZ_TRY_ASSIGN(LogFileReader file, LogFileReader::open(env, name));
  VZ_TRY_ASSIGN(const auto record, file.next());
  const Beyond beyond =
      scan_beyond(file.bytes(), {file.offset(), file.next_lsn(), name.epoch}, file.seed());
  VZ_TRY(file.readable());
  if (!record && !beyond.proof) return {};
  return fail(
      ErrorCode::kFailedPrecondition,
      fmt::format("{}: expected no log at or behind record {}, where a new file is to begin, "
                  "found one that holds records",
                  name.path, next_lsn));
}

Status remove_leftovers(Env& env, const std::string& directory, std::uint64_t spare_size) {
  VZ_TRY_ASSIGN(const auto entries, env.list(directory));
  for (const auto& entry : entries) {
    const bool is_temporary = entry.name.ends_with(".wal.tmp");
    const bool is_spare = entry.name.starts_with("spare-") && entry.name.ends_with(".wal");
    bool is_usable = false;
    for (std::size_t i = 0; i < kSparesMax; ++i)
      is_usable = is_usable || (entry.name == spare_name(i) && entry.size_bytes == spare_size);
    if (entry.type != FileType::kRegular || !(is_temporary || (is_spare && !is_usable))) continue;
    VZ_TRY(env.remove(directory + "/" + entry.name));
  }
  return {};
}

/// Writes the last group again and syncs the file.
Status make_durable(Env& env, const std::string& path, const RecordsExtent& extent) {
  VZ_TRY_ASSIGN(const auto file, env.open(path, OpenMode::kReadWrite));
  if (extent.end > extent.last_group) {
    Bytes group(extent.end - extent.last_group);
    VZ_TRY(file->read_at(extent.last_group, group));
    VZ_TRY(file->write_at(extent.last_group, group));
  }
  return file->sync();
}

}  // namespace

std::string spare_name(std::size_t index) {
  return fmt::format("spare-{}.wal", index + 1);
}

Result<std::vector<ClosedFile>> settle_log(Env& env, const std::string& directory, Epoch epoch,
                                           Lsn next_lsn, std::uint64_t spare_size) {
  VZ_TRY_ASSIGN(const auto names, list_log_files(env, directory));
  std::vector<ClosedFile> closed;
  std::vector<RecordsExtent> extents;
  std::vector<std::string> leftovers;
  for (const auto& name : names) {
    if (name.first_lsn >= next_lsn || name.epoch > epoch) {
      VZ_TRY(refuse_records(env, name, next_lsn));
      leftovers.push_back(name.path);
      continue;
    }
    closed.push_back({name.path, name.first_lsn, 0, name.size_bytes});
    extents.push_back({});
    VZ_TRY_ASSIGN(extents.back(), extent_of(env, name));
    closed.back().record_bytes = extents.back().end - format::kWalFileHeaderSize;
  }
  for (std::size_t i = 0; i < closed.size(); ++i) {
    // Earlier files were synced before the last one began; syncing them again costs next to
    // nothing.
    const bool is_last = i + 1 == closed.size();
    VZ_TRY(make_durable(env, closed[i].path, is_last ? extents[i] : RecordsExtent{}));
  }
  // The new file replaces one of its own name: were that removed first, a crash could leave a log
  // without any file, which after a clean shutdown looks like loss.
  const std::string replaced = directory + "/" + log_file_name(epoch, next_lsn);
  for (const auto& path : leftovers)
    if (path != replaced) VZ_TRY(env.remove(path));
  VZ_TRY(remove_leftovers(env, directory, spare_size));
  VZ_TRY(env.sync_directory(directory));  // Also of names that a killed process made.
  return closed;
}

}  // namespace vz::wal
