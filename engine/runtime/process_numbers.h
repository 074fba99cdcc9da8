// What the kernel says of this process, and how much memory it may have.
#pragma once

#include <cstdint>
#include <string>

namespace vz::runtime {

/// As of one moment; a number that cannot be read is 0.
struct ProcessNumbers {
  double cpu_seconds = 0;         ///< user and system, all threads
  double start_time_seconds = 0;  ///< since 1970
  std::uint64_t resident_bytes = 0;
  std::uint64_t virtual_bytes = 0;
  std::uint64_t threads = 0;
  std::uint64_t open_files = 0;
  std::uint64_t open_files_max = 0;
};

/// Reads /proc. About 50 us, more with many open files.
ProcessNumbers process_numbers();

/// Resident memory that no file stands behind: what the kernel can take back from nobody else.
/// Pages of mapped segments are not in it. One short read; 0 if it cannot be read.
std::uint64_t process_memory_bytes();

/// What this process may use: the least of the limits of its control group (version 2 or 1) and of
/// those above it, and the machine's memory. root: a prefix of the paths that are read, for tests.
std::uint64_t memory_limit_bytes(const std::string& root = "");

}  // namespace vz::runtime
