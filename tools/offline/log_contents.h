// What is in the log of a data directory: its files, and its records as JSON.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/env/env.h"
#include "storage/format/wal_record.h"
#include "storage/wal/log.h"

namespace vz::offline {

/// "create_collection", "points"
std::string_view log_kind_name(format::WalRecordKind kind);

struct LogFileSummary {
  std::string name{};
  Epoch epoch = 0;
  Lsn first_lsn = 0;  ///< that it begins at
  Lsn last_lsn = 0;   ///< of its last readable record; 0: it has none
  std::uint64_t records = 0;
  std::uint64_t record_bytes = 0;
  std::uint64_t size_bytes = 0;  ///< with its header and the space behind the records
  std::int64_t first_time_us = 0;
  std::int64_t last_time_us = 0;
  bool needed = false;    ///< a start would read it
  std::string problem{};  ///< why it cannot be read to its end; "" if nothing is wrong with it
};

struct RecordCount {
  std::uint64_t records = 0;
  std::uint64_t bytes = 0;  ///< in the log: headers and padding included
};

struct LogSummary {
  std::vector<LogFileSummary> files{};  ///< in order
  RecordCount all{};
  RecordCount unflushed{};  ///< in no segment and no manifest
  std::map<format::WalRecordKind, RecordCount> kinds{};
  std::map<CollectionId, RecordCount> collections{};  ///< 0: the node
  std::map<CollectionId, std::string> names{};        ///< of those that the manifest knows
  Lsn log_lsn = 0;                                    ///< a start reads from here
  Lsn clean_lsn = 0;                                  ///< of the last clean shutdown; 0: none
};

/// Reads every file by its records' headers and checksums. What cannot be read is that file's
/// `problem`; whether it is damage or a torn tail, verify_log() judges. Shared lock, never writes.
/// Errors: those of open_for_reading(); kIoError: wal/ cannot be listed.
Result<LogSummary> read_log(Env& env, const std::string& directory);

struct DumpOptions {
  Lsn from = 1;
  Lsn to = kLsnMax;
  enum class Part : std::uint8_t { kLeftOut, kShown };
  Part vectors = Part::kLeftOut;
  Part payloads = Part::kLeftOut;
};

/// One line of JSON, without a newline at its end: lsn, group_lsn, epoch, time_us, kind,
/// collection, bytes, and what the kind holds. A payload that cannot be decoded is an `error` in
/// it.
std::string record_as_json(const format::WalRecord& record, const DumpOptions& options);

struct DumpSummary {
  std::uint64_t records = 0;
  Lsn first_lsn = 0;  ///< 0: none
  Lsn last_lsn = 0;
  std::optional<wal::TornTail> torn_tail{};
  std::vector<std::string> damage{};  ///< files that were not read to their end, and why
};

/// Hands the records from options.from to options.to to `line`, in order, as record_as_json().
/// Damage ends a file, not the dump. Shared lock, never writes.
/// Errors: those of open_for_reading() and wal::survey().
Result<DumpSummary> dump_log(Env& env, const std::string& directory, const DumpOptions& options,
                             const std::function<void(const std::string&)>& line);

}  // namespace vz::offline
