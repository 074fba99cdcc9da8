// Makes a snapshot archive of a data directory that no node is running on.
//
// The archive is RESTORE and then the files that the image in force names, ascending by path.
// Never CURRENT, MANIFEST, FORMAT, LOCK, keys, configuration or logs: so `tar` may unpack it into
// any data directory and writes nothing that decides anything there.
#pragma once

#include <cstdint>
#include <string>

#include "storage/archive/archive_writer.h"
#include "storage/env/env.h"
#include "tools/offline/snapshot_contents.h"

namespace vz::offline {

struct PackReport {
  SnapshotSummary summary;
  std::uint64_t archive_bytes = 0;
  Sha256Digest archive_sha256{};
};

/// Packs `data_dir` into `sink`, under a shared lock. The same directory gives the same bytes.
/// Changes nothing in the directory.
/// Errors: kLocked (a node is running: names it); kNoData (no data directory);
/// kFailedPrecondition: the log holds records that no segment holds, or a restore was cut short;
/// kCorruption: the image, the log, or a file that is not what the image says; kIncompatible,
/// kIoError, kNoSpace. The sink holds a piece then, which readers refuse.
Result<PackReport> pack(Env& env, const std::string& data_dir, archive::ArchiveFormat format,
                        archive::ByteSink& sink);

/// Packs into the file `to`, and `to`.sha256 beside it, as sha256sum writes it. Both are published
/// whole; older ones under these names are replaced.
/// Errors: as pack(). After one `to` is the old file or the new one, whole; the checksum file is
/// right or absent.
Result<PackReport> pack_to_file(Env& env, const std::string& data_dir,
                                archive::ArchiveFormat format, const std::string& to);

/// Where the checksum of an archive stands: `archive_path`.sha256.
std::string checksum_path(const std::string& archive_path);

}  // namespace vz::offline
