// Cutting a torn tail, after a copy of it was kept.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "storage/wal/log.h"
#include "storage/wal/log_file.h"

namespace vz::wal {
namespace {

/// The log files that begin behind the cut. Errors: kFailedPrecondition if one holds a record: then
/// `tail` does not describe this log.
Result<std::vector<LogFileName>> files_behind(Env& env, const TornTail& tail) {
  VZ_TRY_ASSIGN(auto files, list_log_files(env, parent_directory(tail.path)));
  std::erase_if(files, [&](const LogFileName& file) {
    return file.path == tail.path || file.first_lsn < tail.lsn;
  });
  for (const auto& file : files) {
    VZ_TRY_ASSIGN(LogFileReader reader, LogFileReader::open(env, file));
    VZ_TRY_ASSIGN(const auto record, reader.next());
    VZ_TRY(reader.readable());
    if (record) {
      return fail(ErrorCode::kFailedPrecondition,
                  fmt::format("{}: expected no record behind the torn tail at record {}, found {}",
                              file.path, tail.lsn, record->lsn));
    }
  }
  return files;
}

}  // namespace

std::string torn_tail_path(const std::string& directory, const TornTail& tail) {
  return fmt::format("{}/torn-{}.wal", directory, tail.lsn);
}

Status cut_torn_tail(Env& env, const TornTail& tail, const std::string& keep_path) {
  VZ_ASSERT(tail.offset >= format::kWalFileHeaderSize);
  VZ_TRY_ASSIGN(const auto behind, files_behind(env, tail));
  {
    VZ_TRY_ASSIGN(const auto file, env.open(tail.path, OpenMode::kReadWrite));
    VZ_TRY_ASSIGN(const std::uint64_t size, file->size());
    if (size > tail.offset) {  // Else an earlier run has cut it, and kept it before.
      Bytes bytes(std::min(tail.size, size - tail.offset));
      VZ_TRY(file->read_at(tail.offset, bytes));
      VZ_TRY(publish_file(env, keep_path, bytes));
      VZ_TRY(file->truncate(tail.offset));
      VZ_TRY(file->sync());
    }
  }
  for (const auto& file : behind) VZ_TRY(env.remove(file.path));
  return behind.empty() ? Status{} : env.sync_directory(parent_directory(tail.path));
}

}  // namespace vz::wal
