// What a snapshot archive says about itself in RESTORE.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "storage/base/status.h"
#include "storage/format/restore_format.h"
#include "storage/manifest/manifest.h"

namespace vz::offline {

struct CollectionSummary {
  CollectionId id = 0;
  std::string name;
  std::uint64_t points = 0;
  std::uint64_t segments = 0;
  std::uint64_t bytes = 0;  ///< of its files
  Lsn flushed_lsn = 0;
  std::uint64_t digest = 0;  ///< sum of row hashes mod 2^64
};

struct SnapshotSummary {
  std::int64_t created_us = 0;  ///< time of the newest record in it; 0 if there is none
  Lsn lsn = 0;                  ///< the last one of the history that it holds
  Epoch epoch = 0;
  std::uint64_t points = 0;
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;  ///< of the files
  std::uint64_t aliases = 0;
  std::vector<CollectionSummary> collections;
};

/// RESTORE, decoded and consistent: the files are those that the image names.
struct SnapshotContents {
  Bytes restore_bytes;
  std::vector<format::RestoreFile> files;  ///< ascending by path
  manifest::Manifest manifest;
};

/// The last lsn that the image knows to have been given out.
Lsn last_lsn(const manifest::Manifest& manifest);

/// The newest epoch that the image knows of. The first one, 1, is in no list.
Epoch last_epoch(const manifest::Manifest& manifest);

/// Every file that the image names, ascending by its path relative to the data directory.
std::vector<format::RestoreFile> files_named_by(const manifest::Manifest& manifest);

/// Errors: kOutOfRange (format::encode).
Result<SnapshotContents> make_contents(manifest::Manifest manifest);

/// Errors: kCorruption, kIncompatible.
Result<SnapshotContents> decode_contents(Bytes restore_bytes);

SnapshotSummary summarize(const SnapshotContents& contents);

}  // namespace vz::offline
