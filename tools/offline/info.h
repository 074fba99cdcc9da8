// What a data directory holds, at a glance. Works while a node runs in it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "storage/env/env.h"
#include "storage/store/store.h"
#include "tools/offline/waiting_restore.h"

namespace vz::offline {

struct CollectionInfo {
  CollectionId id = 0;
  std::string name{};
  std::uint64_t points = 0;     ///< alive at flushed_lsn
  std::uint64_t dead_rows = 0;  ///< still in the segments
  std::uint64_t segments = 0;
  std::uint64_t bytes = 0;  ///< of all its files that the manifest names
  Lsn flushed_lsn = 0;
};

/// As of the newest manifest; what only the log knows is not in it.
struct DataInfo {
  store::Identity identity{};
  std::uint64_t manifest = 0;  ///< number of the image in force
  Epoch epoch = 0;             ///< of the newest log file; 0: no node has written yet
  Lsn catalog_lsn = 0;         ///< the manifest's last known lsn
  Lsn log_lsn = 0;             ///< a start reads the log from here
  Lsn clean_lsn = 0;           ///< 0: a node is running, or was not shut down
  std::vector<CollectionInfo> collections{};
  std::uint64_t points = 0;
  std::uint64_t data_bytes = 0;  ///< of everything in collections/
  std::uint64_t log_files = 0;
  std::uint64_t log_bytes = 0;  ///< with spare files
  /// Bytes in collections/ that the next merges and starts give back: files that the image in force
  /// does not name, and of each segment the share of its dead rows.
  std::uint64_t garbage_bytes = 0;
  std::uint64_t free_bytes = 0;  ///< of the disk, for this process
  std::uint64_t disk_bytes = 0;  ///< its size
  std::string lock_holder{};     ///< JSON as in LOCK, or what the system says; "" for nobody
  std::optional<WaitingRestore> restore{};  ///< nothing: no RESTORE is there

  /// garbage_bytes of data_bytes, 0 .. 1.
  [[nodiscard]] double garbage_share() const;
};

/// Never writes. Takes the lock for a moment, shared, to see whether somebody has it.
/// Errors: kNoData (absent, empty, not ours), kIncompatible, kCorruption (FORMAT or the manifest:
/// run check()), kIoError, kPermissionDenied.
Result<DataInfo> read_info(Env& env, const std::string& directory);

}  // namespace vz::offline
