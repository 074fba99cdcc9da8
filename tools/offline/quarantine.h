// quarantine/: what was taken out of a data directory, and why. Nothing here is ever read by a
// node.
//
//   quarantine/<name>/record.json    what, why, from where, size, SHA-256, what is lost by it
//   quarantine/<name>/<file>         the bytes as they were
//   quarantine/torn-<lsn>.wal        a torn tail that a start or a repair cut off, no record: it
//                                    was never acknowledged
//
// All tools bring things here by keep_in_quarantine(), which writes the record.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/check/finding.h"
#include "storage/base/sha256.h"
#include "storage/store/store.h"

namespace vz::offline {

struct QuarantinedFile {
  std::string name{};        ///< within the entry
  std::string from{};        ///< relative to the data directory
  std::uint64_t offset = 0;  ///< bytes of `from` in front of it
  std::uint64_t size_bytes = 0;
  Sha256Digest sha256{};
  std::uint64_t unreadable_bytes = 0;  ///< that the disk did not deliver; zeros stand for them
  bool moved = false;  ///< not copied: `from` is gone afterwards; only with offset 0
};

struct QuarantineRecord {
  std::string name{};  ///< of its directory
  std::string kind{};  ///< segment, log, manifest, current, format, restore
  std::string why{};
  std::vector<check::FindingId> findings{};
  std::string collection{};
  std::vector<PointId> points_gone{};
  std::uint64_t points_gone_unnamed = 0;
  std::uint64_t points_returned = 0;
  Lsn first_lsn = 0;  ///< of lost records; 0: none
  Lsn last_lsn = 0;
  std::int64_t time_s = 0;  ///< Unix time
  std::string tool{};       ///< name and version of the program that wrote it
  std::vector<QuarantinedFile> files{};
};

/// Copies those of record.files (name, from, offset and moved are given) that are not to be moved,
/// then writes the record, then moves the others one after another in their order; all of it is
/// durable on return. The name gets a number behind it if an older entry has it. An entry of the
/// same kind that holds all of these bytes is gone on with, so that a rerun adds none.
/// returns  the record as it was written.
/// errors   kIoError, kNoSpace: what was copied is overwritten by the next try, which also moves
///          what was not moved yet.
Result<QuarantineRecord> keep_in_quarantine(Env& env, const store::Paths& paths,
                                            QuarantineRecord record);

/// Bytes that keep_in_quarantine() would write, at most. Errors: kIoError.
Result<std::uint64_t> bytes_for_quarantine(Env& env, const store::Paths& paths,
                                           const QuarantineRecord& record);

/// True if an entry of this name has its record.
bool has_quarantine_record(Env& env, const store::Paths& paths, const std::string& name);

struct QuarantineEntry {
  QuarantineRecord record{};  ///< without a record: kind "unknown", or "wal" for a torn tail
  bool has_record = false;
  std::uint64_t bytes = 0;  ///< on the disk, the record included
  std::uint64_t files = 0;
};

/// By name. Works while a node runs. Errors: kNoData (no data directory), kIoError.
Result<std::vector<QuarantineEntry>> list_quarantine(Env& env, const std::string& directory);

struct PurgeOptions {
  std::uint64_t older_than_days = 0;  ///< by the time in the record; 0: everything
  std::int64_t now_s = 0;             ///< Unix time
};
/// Removes entries for good; without a record only if everything goes. Needs the exclusive lock.
/// Returns what is gone. Errors: kLocked, kNoData, kIoError: some entries are gone, each whole or
/// still with its record.
Result<std::vector<QuarantineEntry>> purge_quarantine(Env& env, const std::string& directory,
                                                      const PurgeOptions& options);

/// Copies the files of an entry to a directory, which is made; never into the data directory:
/// a manifest that is in force names something else in the place of each, and a node would remove
/// or refuse them. Checks sizes and SHA-256 on the way. Returns the paths.
/// Errors: kNotFound (no such entry); kInvalidArgument (a target inside of the data directory);
/// kAlreadyExists (a file is there); kCorruption (an entry is not what its record says); kIoError.
Result<std::vector<std::string>> export_quarantined(Env& env, const std::string& directory,
                                                    const std::string& name,
                                                    const std::string& target);

}  // namespace vz::offline
