// The logical digest of what a data directory holds: equal data, equal digest, however it lies in
// segments. So two replicas can be compared, and a directory before and after a compaction.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/check/pace.h"
#include "storage/env/env.h"
#include "tools/offline/parts.h"

namespace vz::offline {

struct HashOptions {
  std::string collection{};          ///< name or alias; empty: all of them
  check::Pace::Progress progress{};  ///< bytes read, of all that will be
};

struct CollectionHash {
  CollectionId id = 0;
  std::string name{};
  RowTotals found{};                    ///< by reading every row
  RowTotals recorded{};                 ///< by the manifest
  Lsn as_of = 0;                        ///< both are as of this lsn: the collection's flushed one
  std::uint64_t unflushed_records = 0;  ///< of its points, in the log behind it
};

struct HashReport {
  std::uint64_t manifest = 0;                 ///< number of the image in force
  std::vector<CollectionHash> collections{};  ///< by id
  /// In the log and in no segment; what they change is in no digest here. A clean shutdown leaves
  /// none.
  std::uint64_t unflushed_records = 0;

  /// False: the rows of a collection are not what the manifest says.
  [[nodiscard]] bool sound() const;
};

/// Reads every live row of `directory` under a shared lock, and writes nothing.
/// Errors: those of open_for_reading(), kNotFound (no such collection); kCorruption (a row, a
/// segment or the log cannot be read: check() tells all of it).
Result<HashReport> hash(Env& env, const std::string& directory, const HashOptions& options);

}  // namespace vz::offline
