// Resident memory of another process, by what it is made of.
#pragma once

#include <cstdint>

#include <sys/types.h>

#include "storage/base/status.h"

namespace vz::bench {

struct ProcessMemory {
  std::uint64_t rss_bytes = 0;        ///< VmRSS
  std::uint64_t anonymous_bytes = 0;  ///< RssAnon: heap and stacks
  std::uint64_t file_bytes = 0;       ///< RssFile: mapped files, the program among them
  std::uint64_t segment_bytes = 0;    ///< of these: .seg files, the page cache of float32 vectors
};

/// From /proc. Errors: kIoError.
Result<ProcessMemory> read_memory(pid_t pid);

}  // namespace vz::bench
