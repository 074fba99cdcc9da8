// What a snapshot archive says about itself in RESTORE, for people.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "storage/store/snapshot_contents.h"

namespace vz::snapshot {

using store::SnapshotContents;

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
  store::SnapshotScope scope = store::SnapshotScope::kNode;
  std::int64_t created_us = 0;  ///< time of the newest record in it; 0 if there is none
  Lsn lsn = 0;                  ///< the last one of the history that it holds
  Epoch epoch = 0;
  std::uint64_t points = 0;
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;  ///< of the files
  std::uint64_t aliases = 0;
  std::vector<CollectionSummary> collections;
};

/// Before the names of its members in the archive.
std::string prefix_of(store::SnapshotScope scope);

SnapshotSummary summarize(const SnapshotContents& contents);

}  // namespace vz::snapshot
