// One log file: its name, its making, and reading its records in order.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/env/env.h"
#include "storage/format/wal_file_header.h"
#include "storage/format/wal_record.h"
#include "storage/wal/log.h"

namespace vz::wal {

/// A file of the log's directory, by its name alone.
struct LogFileName {
  std::string path;
  Epoch epoch = 0;
  Lsn first_lsn = 0;
  std::uint64_t size_bytes = 0;
};

/// "0003-00000000000000001200.wal"
std::string log_file_name(Epoch epoch, Lsn first_lsn);

/// Nothing if `name` is not exactly what log_file_name() makes. Path and size are left empty.
std::optional<LogFileName> parse_log_file_name(const std::string& name);

/// The log files of `directory`, by epoch and then first lsn. Other names (spares, *.tmp) are left
/// out. Errors: as Env::list; kCorruption if such a name is not a regular file.
Result<std::vector<LogFileName>> list_log_files(Env& env, const std::string& directory);

/// Reads the records of one file in order. Not thread-safe.
class LogFileReader {
 public:
  /// Maps the file and checks its header, also against its name.
  /// Errors: kCorruption, kIncompatible, kNotFound, kIoError, each with the path.
  static Result<LogFileReader> open(Env& env, const LogFileName& name);

  /// The record at offset(), or nothing if there is no valid one. Borrowed from the file's mapping.
  /// Errors: kCorruption if the record is valid but cannot stand here; kIncompatible.
  Result<std::optional<format::WalRecord>> next();

  [[nodiscard]] const LogFileName& name() const { return name_; }
  [[nodiscard]] const format::WalFileHeader& header() const { return header_; }
  [[nodiscard]] ByteSpan bytes() const { return map_->bytes(); }
  [[nodiscard]] std::uint32_t seed() const { return seed_; }
  /// Of the first byte behind the records that next() gave.
  [[nodiscard]] std::uint64_t offset() const { return offset_; }
  [[nodiscard]] Lsn next_lsn() const { return next_lsn_; }
  /// kIoError if a page could not be read: then nothing that was read counts.
  [[nodiscard]] Status readable() const;

 private:
  LogFileReader(LogFileName name, std::unique_ptr<MappedFile> map, format::WalFileHeader header);

  LogFileName name_;
  std::unique_ptr<MappedFile> map_;
  format::WalFileHeader header_;
  std::uint32_t seed_;
  std::uint64_t offset_ = format::kWalFileHeaderSize;
  Lsn next_lsn_;
  Lsn group_lsn_ = 0;  ///< of the record before offset_; 0 at the start
};

/// What an interrupted write may have left behind the records that next() gave, if this is the last
/// file. Nothing if there is nothing.
std::optional<TornTail> torn_tail_of(const LogFileReader& file);

/// A log file that is durable and has no name of the log yet.
struct PreparedLogFile {
  std::string path;  ///< a spare's, or with ".tmp"
  format::WalFileHeader header;
};

/// Makes the file that `header` describes, of `size` bytes. `spare` is a former log file of at
/// least that size to be used again, or empty.
/// Errors: kIoError, kNoSpace; nothing of the log has changed, and no ".tmp" takes space if it
/// could be removed.
Result<PreparedLogFile> prepare_log_file(Env& env, const std::string& directory,
                                         format::WalFileHeader header, std::uint64_t size,
                                         const std::string& spare);

/// Gives it its name and opens it for writing. The name is durable on return, so a crash leaves no
/// trace under it or a file that holds no record. Replaces a file of that name.
/// Errors: kIoError, kNoSpace; the file may have its name or not.
Result<std::unique_ptr<File>> name_log_file(Env& env, const std::string& directory,
                                            const PreparedLogFile& prepared);

}  // namespace vz::wal
