// Every point that can still be read, as JSON lines: for taking it elsewhere.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/env/env.h"
#include "tools/offline/check.h"
#include "tools/offline/repair.h"

namespace vz::offline {

struct SalvageOptions {
  /// Takes one line, without its end. An error ends the salvage.
  std::function<Status(std::string_view line)> write{};
  unsigned threads = 1;  ///< for judging what is damaged; 1 .. kCheckThreadsMax
  /// Points of the log that are held in memory at a time: beyond it the directory is read again.
  std::uint64_t memory_bytes = 96u << 20;
  CheckProgress progress{};
};

struct SalvagedCollection {
  std::string name{};
  std::uint64_t points = 0;       ///< written
  std::uint64_t points_gone = 0;  ///< that do not decode
};

struct SalvageReport {
  std::vector<SalvagedCollection> collections{};
  std::uint64_t points = 0;
  LostRecords records{};  ///< of the log, that cannot be followed to
  std::vector<std::string> notes{};
  /// Nothing is known to be missing.
  [[nodiscard]] bool complete() const;
};

/// Writes a line for each point that a node would serve after a repair:
///   {"collection":"docs","id":7,"vector":[0.5,1],"payload":{},"version":12}
/// and for named vectors "vectors":{"name":[0.5,1]}, where a sparse one is
/// {"indices":[3],"values":[0.5]} and a multi-vector an array of arrays. The last line is an object
/// "summary". Never writes to the directory; holds a shared lock if there is a LOCK.
/// Errors: kLocked (names the holder), kNoData, kIncompatible, kFailedPrecondition (a restore was
/// cut short, or is pending), kIoError, those of options.write.
Result<SalvageReport> salvage(Env& env, const std::string& directory,
                              const SalvageOptions& options);

}  // namespace vz::offline
