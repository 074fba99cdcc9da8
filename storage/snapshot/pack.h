// Writes snapshot archives.
//
// An archive is RESTORE and then the files that its image names, ascending by path. Never CURRENT,
// MANIFEST, FORMAT, LOCK, keys, configuration or logs: so `tar` may unpack it into any data
// directory and writes nothing that decides anything there.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "storage/archive/archive_writer.h"
#include "storage/env/env.h"
#include "storage/snapshot/summary.h"

namespace vz::snapshot {

struct PackReport {
  SnapshotSummary summary;
  std::uint64_t archive_bytes = 0;
  Sha256Digest archive_sha256{};
};

/// Writes the files that `contents` names, below `root`, into `sink`, each read against its size
/// and SHA-256. They must stay until then. The same content gives the same bytes.
/// Errors: kCorruption (a file is missing, or not what the image says); kIoError; the sink's. The
/// sink holds a piece then, which readers refuse.
Result<PackReport> write_archive(Env& env, const std::string& root,
                                 const SnapshotContents& contents, archive::ArchiveFormat format,
                                 archive::ByteSink& sink);

/// Where the checksum of an archive stands: `archive_path`.sha256.
std::string checksum_path(const std::string& archive_path);

enum class Present : std::uint8_t { kRefused, kReplaced };
/// Writes an archive into the sink that it gets.
using WriteArchive = std::function<Result<PackReport>(archive::ByteSink&)>;

/// Makes the file `to` of what `write` writes, and `to`.sha256 beside it, as sha256sum writes it;
/// the checksum first, so that no archive stands there without. Nothing is to be seen of either
/// before `write` has ended well.
/// Errors: kAlreadyExists (`to` is there, and that is kRefused); those of `write`; kIoError,
/// kNoSpace. After one `to` is as it was, or whole; a checksum that is there is that of `to`, or
/// `to` is absent.
Result<PackReport> publish_archive(Env& env, const std::string& to, Present present,
                                   const WriteArchive& write);

}  // namespace vz::snapshot
