// The node's write-ahead log: a directory of `<epoch>-<first_lsn>.wal` files.
// Rules of groups, torn tails and reuse: storage/FORMAT.md; bytes: storage/format/wal_record.h.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "storage/env/env.h"
#include "storage/format/wal_record.h"

namespace vz::wal {

struct LogOptions {
  std::uint64_t file_size_bytes = 64u
                                  << 20;  ///< zero-filled ahead; a larger group gets a larger file
  std::function<std::uint64_t()> make_salt{};  ///< empty: from the kernel's random source
  /// Told how long each fdatasync of a group took, on the writer's thread; may be empty.
  std::function<void(std::chrono::nanoseconds)> on_synced{};
};

/// Appends groups of records. Owned by one thread, the writer; remove_below may be called from
/// another one at any time.
class LogWriter {
 public:
  /// Starts a new log file at `next_lsn` in `directory` (which exists), after making every record
  /// before it durable: what replay read need not have been (storage/wal/log_start.h). Files at or
  /// behind `next_lsn` that hold no record are removed; all others keep their content.
  /// `env` must outlive the writer.
  /// Errors: kFailedPrecondition: the log holds records at or behind next_lsn, or has a later
  /// epoch; kIoError, kNoSpace, kCorruption. Nothing started; no record was changed.
  static Result<std::unique_ptr<LogWriter>> start(Env& env, std::string directory, Epoch epoch,
                                                  Lsn next_lsn, LogOptions options);
  ~LogWriter();

  /// Adds a record to the group in memory. lsn, group_lsn and epoch are filled in here.
  /// `payload` is copied; at most kWalPayloadSizeMax bytes. The caller keeps `time_us` from
  /// decreasing. Returns the lsn that it will have. Nothing is written.
  Lsn add(format::WalRecordKind kind, CollectionId collection, std::int64_t time_us,
          ByteSpan payload);
  [[nodiscard]] std::uint64_t group_bytes() const;
  [[nodiscard]] Lsn next_lsn() const;

  /// Makes sure that a group of `bytes` needs no new file, so that a full disk is met before
  /// anything is decided. The group must be empty.
  /// Errors: kNoSpace, while broken() is false: no room, nothing has changed; others as commit().
  Status make_room(std::uint64_t bytes);

  /// Goes on in a new file if the present one holds a record. The group must be empty.
  /// Errors: as make_room().
  Status begin_next_file();

  /// Writes the group with one write and one fdatasync; rotates first when the file is full.
  /// An empty group is a no-op.
  /// Errors: kNoSpace while broken() is false: there is no room for a new file, nothing was
  /// written, and the group is kept: call again. kIoError, kNoSpace else: whether the group is on
  /// disk is unknown; the writer is broken, and every later call returns this error. The owner
  /// poisons the node; recovery decides.
  Status commit();
  /// After an error that stays. Thread-safe.
  [[nodiscard]] bool broken() const;

  /// Removes (or sets aside for reuse) every closed file whose records are all below `lsn`, oldest
  /// first. Thread-safe. Errors: kIoError: the file in question may be there or not, and is retried
  /// at the next start; the writer goes on. After a failed commit: that error, nothing removed.
  Status remove_below(Lsn lsn);
  /// Bytes of records in all files that are still kept. Thread-safe.
  [[nodiscard]] std::uint64_t kept_bytes() const;

 private:
  struct State;
  explicit LogWriter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

struct TornTail {
  std::string path;
  std::uint64_t offset = 0;  ///< of the first byte that is cut
  std::uint64_t size = 0;    ///< up to the last non-zero byte
  Lsn lsn = 0;               ///< the first lsn that is lost (it was never acknowledged)
};

struct ReplaySummary {
  Lsn first_lsn =
      0;             ///< of the kept log's first file, even without a record; 0 if there is no file
  Lsn last_lsn = 0;  ///< 0 if there is no record
  Epoch last_epoch = 0;  ///< of the newest file; 0 if there is none
  std::int64_t last_time_us = 0;
  std::uint64_t records = 0;  ///< handed to the visitor
  std::uint64_t bytes = 0;    ///< of these records in the log
  std::optional<TornTail> torn_tail;
};

/// Called for every valid record with lsn >= from_lsn, in order.
using RecordVisitor = std::function<Status(const format::WalRecord&)>;

/// Reads the log. Never writes; what it reads is certainly durable only when a writer has started.
/// `from_lsn` is the first record that is needed (>= 1): a log that begins after it has a hole.
/// Files that end before it are not read. (Where a restore left an lsn gap, the first record that
/// is needed is the first one of the new epoch.) The manifest knows that record
/// `durable_lsn` was durable (0: none): a log that ends before it is corruption. Errors:
/// kCorruption (path, offset, expected, found): damage with proof, by the group rule, that a record
/// beyond it was durable; a hole between files; the visitor's error; kIoError.
Result<ReplaySummary> replay(Env& env, const std::string& directory, Lsn from_lsn, Lsn durable_lsn,
                             const RecordVisitor& visitor);

/// Damage of the log that survey() met, one for each file that has any.
struct LogDamage {
  std::string path;          ///< the file; the directory, if what is missing has no name
  std::uint64_t offset = 0;  ///< of the first byte that is no valid record
  Lsn lsn = 0;               ///< the first record that is lost or cannot be trusted
  /// False: whatever it cost is in the segments already, by from_lsn.
  bool needed = true;
  std::string message{};  ///< path, offset, expected, found
  ErrorCode code =
      ErrorCode::kCorruption;  ///< kIoError: not even read, so nobody knows what it cost
};

struct LogSurvey {
  ReplaySummary summary{};
  std::vector<LogDamage> damage{};
};

/// Reads every file of the log, also those that replay() need not, and judges each by the rules of
/// replay(); damage does not end it. Never writes. For offline checks.
/// What the visitor refuses is damage of that file. Errors: kIncompatible; as Env::list.
Result<LogSurvey> survey(Env& env, const std::string& directory, Lsn from_lsn, Lsn durable_lsn,
                         const RecordVisitor& visitor);

/// Where a torn tail is kept: "<directory>/torn-<lsn>.wal".
std::string torn_tail_path(const std::string& directory, const TornTail& tail);

/// Copies the tail to `keep_path` (synced; its directory exists), then cuts the file at its offset
/// (synced). Files that begin after the cut are removed. Rerunnable after a crash.
/// Errors: kFailedPrecondition: a file behind the cut holds a record, nothing changed; kIoError,
/// kNoSpace: the tail is in the log or at keep_path, or at both.
Status cut_torn_tail(Env& env, const TornTail& tail, const std::string& keep_path);

}  // namespace vz::wal
