// The log of a directory: what a start would make of it.
#pragma once

#include <cstdint>

#include "engine/check/log_check.h"
#include "tools/offline/check_run.h"
#include "tools/offline/layout.h"

namespace vz::offline {

struct LogFacts {
  std::uint64_t records = 0;  ///< that a start would read
  Lsn last_lsn = 0;           ///< 0: no record
};

/// Judges the log by the rules of storage/FORMAT.md; from level 3 on every record is decoded too.
LogFacts check_log(const Run& run, const Layout& layout);

}  // namespace vz::offline
