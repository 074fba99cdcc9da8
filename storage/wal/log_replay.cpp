// Reading the log: the chain of files, and the verdict on where it ends.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "storage/wal/log.h"
#include "storage/wal/log_file.h"
#include "storage/wal/log_scan.h"

namespace vz::wal {
namespace {

std::uint64_t behind_last_nonzero(ByteSpan bytes, std::uint64_t from) {
  std::uint64_t end = bytes.size();
  while (end > from && bytes[end - 1] == std::byte{0}) --end;
  return end;
}

/// Behind the bytes that an interrupted write may have left at the end of the last file; the end
/// itself if there are none.
std::uint64_t tail_end(const LogFileReader& file, const Beyond& beyond) {
  const ByteSpan bytes = file.bytes();
  const std::uint64_t begin = file.offset();
  if (file.header().beyond == format::BeyondRecords::kZero)
    return behind_last_nonzero(bytes, begin);
  // The bytes of the file's former life are no torn tail. Those of an attempt to write the next
  // record are known by its fields, or by valid records of its group.
  std::uint64_t end = std::max(begin, beyond.same_group_end);
  namespace at = format::wal_record_offset;
  if (bytes.size() - begin >= format::kWalRecordHeaderSize &&
      load_number<Lsn>(bytes.data() + begin + at::kLsn) == file.next_lsn() &&
      load_number<Epoch>(bytes.data() + begin + at::kEpoch) == file.header().epoch) {
    const auto payload_size = load_number<std::uint32_t>(bytes.data() + begin + at::kPayloadSize);
    end = std::max(end, begin + format::wal_record_size(payload_size));
  }
  return std::min<std::uint64_t>(end, bytes.size());
}

Beyond scan(const LogFileReader& file) {
  return scan_beyond(file.bytes(), {file.offset(), file.next_lsn(), file.header().epoch},
                     file.seed());
}

std::optional<TornTail> tail_of(const LogFileReader& file, const Beyond& beyond) {
  const std::uint64_t end = tail_end(file, beyond);
  if (end <= file.offset()) return std::nullopt;
  return TornTail{file.name().path, file.offset(), end - file.offset(), file.next_lsn()};
}

tl::unexpected<Error> lost_record(const LogFileReader& file, const std::string& proof) {
  return fail(ErrorCode::kCorruption,
              fmt::format("{} at {}: expected record {}, found damage; it was durable, because {}",
                          file.name().path, file.offset(), file.next_lsn(), proof));
}

std::string no_file(Lsn durable_lsn) {
  return fmt::format(
      "expected the log to reach record {}, which the manifest knows, found no log file",
      durable_lsn);
}

class Replay {
 public:
  Replay(Env& env, Lsn from_lsn, Lsn durable_lsn, const RecordVisitor& visitor)
      : env_(env), from_lsn_(from_lsn), durable_lsn_(durable_lsn), visitor_(visitor) {}

  Result<ReplaySummary> run(const std::vector<LogFileName>& files) {
    if (files.empty()) {
      if (durable_lsn_ == 0) return summary_;
      return fail(ErrorCode::kCorruption, no_file(durable_lsn_));
    }
    summary_.first_lsn = files.front().first_lsn;
    summary_.last_epoch = files.back().epoch;
    if (files.front().first_lsn > from_lsn_) return missing_before(files.front());
    // The file before from_lsn is read even if it ends there, so that last_lsn is known.
    std::size_t index = files.size() - 1;
    while (index > 0 && files[index].first_lsn >= from_lsn_) --index;
    for (; index < files.size(); ++index) {
      const LogFileName* next = index + 1 < files.size() ? &files[index + 1] : nullptr;
      VZ_TRY(read_file(files[index], next));
    }
    return summary_;
  }

  /// Every file, whatever is wrong with the ones before it.
  Result<LogSurvey> survey(const std::vector<LogFileName>& files) {
    std::vector<LogDamage> damage;
    if (!files.empty()) {
      summary_.first_lsn = files.front().first_lsn;
      summary_.last_epoch = files.back().epoch;
      if (files.front().first_lsn > from_lsn_) {
        damage.push_back({.path = files.front().path,
                          .lsn = from_lsn_,
                          .message = missing_before(files.front()).value().message});
      }
    }
    for (std::size_t index = 0; index < files.size(); ++index) {
      const LogFileName& name = files[index];
      const LogFileName* next = index + 1 < files.size() ? &files[index + 1] : nullptr;
      const bool needed = next == nullptr || next->first_lsn > from_lsn_;
      const Status read = read_file(name, next);
      const bool refused = !read && (read.error().code == ErrorCode::kIncompatible ||
                                     read.error().code == ErrorCode::kPermissionDenied);
      if (refused) {
        return tl::unexpected<Error>(read.error());
      }
      if (!read) {
        damage.push_back({name.path, reached_.offset, reached_.lsn, needed, read.error().message,
                          read.error().code});
      } else if (!needed && next->epoch == name.epoch && next->first_lsn > reached_.lsn) {
        damage.push_back({name.path, reached_.offset, reached_.lsn, needed,
                          fmt::format("{} at {}: expected record {}, found damage", name.path,
                                      reached_.offset, reached_.lsn),
                          ErrorCode::kCorruption});
      }
    }
    return LogSurvey{summary_, std::move(damage)};
  }

 private:
  /// How far the file was read that was read last.
  struct Reached {
    std::uint64_t offset = 0;
    Lsn lsn = 0;  ///< of the record that is expected there
  };

  tl::unexpected<Error> missing_before(const LogFileName& first) const {
    return fail(ErrorCode::kCorruption,
                fmt::format("{}: expected the log to begin at record {} or before, found that it "
                            "begins at {}: older files are missing",
                            first.path, from_lsn_, first.first_lsn));
  }

  Status read_file(const LogFileName& name, const LogFileName* next) {
    reached_ = {0, name.first_lsn};
    VZ_TRY_ASSIGN(LogFileReader file, LogFileReader::open(env_, name));
    const Status visited = visit_records(file);
    reached_ = {file.offset(), file.next_lsn()};
    VZ_TRY(file.readable());  // First: on an unreadable page every other verdict is worthless.
    VZ_TRY(visited);
    const Status ended = next != nullptr ? check_successor(file, *next) : judge_end(file);
    VZ_TRY(file.readable());
    return ended;
  }

  Status visit_records(LogFileReader& file) {
    for (;;) {
      const std::uint64_t begin = file.offset();
      VZ_TRY_ASSIGN(const auto record, file.next());
      if (!record) return {};
      summary_.last_lsn = record->lsn;
      summary_.last_time_us = record->time_us;
      if (record->lsn < from_lsn_) continue;
      VZ_TRY(visitor_(*record));
      ++summary_.records;
      summary_.bytes += file.offset() - begin;
    }
  }

  /// The file was closed: what stands behind its records may be anything, but the next file must
  /// go on where they end. A file is begun only after everything before it was durable.
  Status check_successor(const LogFileReader& file, const LogFileName& next) const {
    if (next.first_lsn < file.next_lsn()) {
      return fail(ErrorCode::kCorruption,
                  fmt::format("{}: expected the file to begin at record {}, where {} ends, found "
                              "that it begins at {}",
                              next.path, file.next_lsn(), file.name().path, next.first_lsn));
    }
    if (next.first_lsn == file.next_lsn()) return {};
    if (next.epoch == file.name().epoch) {
      // What is missing may be flushed already: a node that lost its log's end began behind it.
      if (next.first_lsn <= from_lsn_) return {};
      return lost_record(file, fmt::format("{} begins at {}", next.path, next.first_lsn));
    }
    return refuse_proof(file, scan(file));  // A gap is legal here, damage is not.
  }

  Status judge_end(const LogFileReader& file) {
    if (file.next_lsn() <= durable_lsn_) {
      return lost_record(file, fmt::format("the manifest knows of record {}", durable_lsn_));
    }
    const Beyond beyond = scan(file);
    VZ_TRY(refuse_proof(file, beyond));
    summary_.torn_tail = tail_of(file, beyond);
    return {};
  }

  static Status refuse_proof(const LogFileReader& file, const Beyond& beyond) {
    if (!beyond.proof) return {};
    return lost_record(
        file, fmt::format("record {} of the later group {} is valid at {}", beyond.proof->lsn,
                          beyond.proof->group_lsn, beyond.proof->offset));
  }

  Env& env_;
  const Lsn from_lsn_;
  const Lsn durable_lsn_;
  const RecordVisitor& visitor_;
  ReplaySummary summary_;
  Reached reached_;
};

}  // namespace

std::optional<TornTail> torn_tail_of(const LogFileReader& file) {
  return tail_of(file, scan(file));
}

Result<ReplaySummary> replay(Env& env, const std::string& directory, Lsn from_lsn, Lsn durable_lsn,
                             const RecordVisitor& visitor) {
  auto files = list_log_files(env, directory);
  if (!files) return while_doing(std::move(files.error()), "reading the log in " + directory);
  auto summary = Replay(env, from_lsn, durable_lsn, visitor).run(*files);
  if (!summary) return while_doing(std::move(summary.error()), "reading the log in " + directory);
  return summary;
}

Result<LogSurvey> survey(Env& env, const std::string& directory, Lsn from_lsn, Lsn durable_lsn,
                         const RecordVisitor& visitor) {
  auto files = list_log_files(env, directory);
  if (!files && files.error().code == ErrorCode::kCorruption) {
    return LogSurvey{.damage = {{.path = directory, .message = files.error().message}}};
  }
  if (!files) return while_doing(std::move(files.error()), "reading the log in " + directory);
  if (files->empty() && durable_lsn != 0) {
    return LogSurvey{.damage = {{.path = directory, .message = no_file(durable_lsn)}}};
  }
  return Replay(env, from_lsn, durable_lsn, visitor).survey(*files);
}

}  // namespace vz::wal
