// Level 2 of the log: headers, framing, order, and the verdict on where it ends.
#pragma once

#include <cstdint>

#include "storage/format/wal_record.h"
#include "tools/offline/check_run.h"
#include "tools/offline/layout.h"

namespace vz::offline {

struct LogFacts {
  std::uint64_t records = 0;  ///< that a start would read
  Lsn last_lsn = 0;           ///< 0: no record
};

/// Sum of the sizes of the log files, and how many there are; zero if they cannot be listed.
struct LogSize {
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
};
LogSize size_of_log(Env& env, const store::Paths& paths);

/// Whether the payload is one that the record's kind allows. Errors: kCorruption.
Status decode_payload(const format::WalRecord& record);

/// Judges the log by the rules of storage/FORMAT.md; from level 3 on every record is decoded too.
LogFacts check_log(const Run& run, const Layout& layout);

}  // namespace vz::offline
