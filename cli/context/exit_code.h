// The one table of exit statuses, and the one place where an ErrorCode becomes one.
#pragma once

#include <cstdint>
#include <string>

#include "storage/base/status.h"

namespace vz::cli {

enum class ExitCode : std::uint8_t {
  kOk = 0,
  kFailed = 1,
  kUsage = 2,     ///< usage or bad configuration
  kPartial = 3,   ///< partial, degraded
  kFindings = 4,  ///< ran well, found it bad
  kNotFound = 5,
  kConflict = 6,  ///< conflict, precondition; an address that is in use
  kDeclined = 7,
  kDenied = 8,
  kIncompatible = 9,  ///< format or version
  kNoData = 10,       ///< a directory that is not ours
  kLocked = 11,       ///< the owner is printed
  kNoSpace = 12,
  kUnreachable = 13,
  kTimeout = 14,  ///< the job's id is printed
  kUnsafe = 15,   ///< would lose data
  kExhausted = 16,  ///< no file descriptor or memory left
  kBug = 70,
  kSignalBase = 128,  ///< 128+N: ended by signal N
};

ExitCode exit_code_of(ErrorCode code);

/// The table as every command's help shows it.
std::string exit_code_help();

}  // namespace vz::cli
