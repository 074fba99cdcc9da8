// Reads a snapshot archive: inspect, verify, extract. What is wrong with it is a finding, not an
// error, and reading goes on behind it where it can.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "storage/archive/byte_stream.h"
#include "storage/archive/limits.h"
#include "storage/env/env.h"
#include "storage/snapshot/summary.h"

namespace vz::snapshot {

/// What is wrong with an archive.
struct ArchiveFinding {
  std::string file;  ///< a member's path, or "archive"
  std::string problem;
};

struct ReadReport {
  std::optional<SnapshotSummary> summary;  ///< nothing if RESTORE is not there or damaged
  std::uint64_t files_checked = 0;         ///< whose size and hash are right
  std::uint64_t bytes_checked = 0;
  Sha256Digest archive_sha256{};
  std::vector<ArchiveFinding> findings;

  [[nodiscard]] bool sound() const { return findings.empty(); }
};

/// Gets what read_snapshot() reads. Its errors end the reading.
class SnapshotTarget {
 public:
  virtual ~SnapshotTarget() = default;
  /// Once, before any file, RESTORE being sound.
  virtual Status begin(const SnapshotContents& contents) = 0;
  /// A file that RESTORE names, with the size that it says; its content follows in pieces. Whether
  /// the content is right is known at the end only: ask the report before using anything.
  virtual Status begin_file(const format::RestoreFile& file) = 0;
  virtual Status write(ByteSpan bytes) = 0;
  virtual Status end_file() = 0;
};

/// Every member against RESTORE; those that are missing, and those that nobody knows. With a
/// `target` that gets the files, too.
/// Errors: kNoData (no archive), kIncompatible (RESTORE or its image is newer than this program),
/// kIoError (reading the source); the target's.
Result<ReadReport> read_snapshot(archive::ByteSource& source, const archive::ArchiveLimits& limits,
                                 SnapshotTarget* target);

/// read_snapshot() without a target; changes nothing.
Result<ReadReport> verify(archive::ByteSource& source, const archive::ArchiveLimits& limits = {});

/// The same of a file, and against its .sha256 file if there is one beside it.
/// Errors: as verify(); kNotFound.
Result<ReadReport> verify_file(Env& env, const std::string& path,
                               const archive::ArchiveLimits& limits = {});

/// What RESTORE says; nothing behind it is read. Errors: kCorruption; else as verify().
Result<SnapshotSummary> inspect(archive::ByteSource& source,
                                const archive::ArchiveLimits& limits = {});

/// RESTORE and every file into `to`, a new or empty directory, as tar would, checked and synced.
/// With findings, and after an error, nothing of it stays.
/// Errors: as verify(); kFailedPrecondition (`to` is not empty), kNoSpace (before anything was
/// written, when the disk is too small).
Result<ReadReport> extract(Env& env, archive::ByteSource& source, const std::string& to,
                           const archive::ArchiveLimits& limits = {});

}  // namespace vz::snapshot
