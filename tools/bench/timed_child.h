// A command run as a child process: how long it took, and how much memory it used at most; and what
// its line needs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "storage/base/status.h"

namespace vz::bench {

struct TimedRun {
  double seconds = 0;
  std::uint64_t memory_bytes = 0;  ///< the largest resident set; of a shell, its largest child's
};

/// Runs `words` (the first is a path or a name in PATH) with its output in `log_file`, which is
/// appended to, and waits for it.
/// Errors: kIoError (it cannot be started), kInternal (it did not end with status 0).
Result<TimedRun> run_timed(const std::vector<std::string>& words, const std::string& log_file);

/// A path in single quotes, for sh.
std::string quoted(const std::string& path);

/// Of all regular files.
std::uint64_t bytes_below(const std::string& directory);

}  // namespace vz::bench
