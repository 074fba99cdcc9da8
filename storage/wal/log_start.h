// What a writer does with the log it finds before it begins its own file.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "storage/env/env.h"
#include "storage/wal/log_file.h"

namespace vz::wal {

/// A log file that nobody writes any more.
struct ClosedFile {
  std::string path;
  Lsn first_lsn = 0;
  std::uint64_t record_bytes = 0;
  std::uint64_t size_bytes = 0;
};

inline constexpr std::size_t kSparesMax = 2;

/// "spare-1.wal" for index 0.
std::string spare_name(std::size_t index);

/// Makes the log of `directory` ready for a new file that begins at (epoch, next_lsn):
/// removes files behind that place that hold no record (one at it is replaced later), *.wal.tmp,
/// and spares that are not of `spare_size`; makes every record that is there durable.
///
/// Why: replay reads what the kernel has, which after a kill need not be on the medium. Were the
/// new file durable before the records in front of it, a power cut would leave a hole. And a sync
/// that failed in an earlier process may have dropped pages that still read well, so the last group
/// is written again, with the same bytes, before it is synced.
///
/// returns  the files that stay, in order.
/// errors   kFailedPrecondition  a file at or behind that place holds records, or the log has a
///                               later epoch; kIoError, kCorruption. No record was changed.
Result<std::vector<ClosedFile>> settle_log(Env& env, const std::string& directory, Epoch epoch,
                                           Lsn next_lsn, std::uint64_t spare_size);

}  // namespace vz::wal
