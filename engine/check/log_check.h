// Level 2 of the log: headers, framing, order, and where it ends.
#pragma once

#include <cstdint>
#include <optional>

#include "engine/check/run.h"
#include "storage/format/wal_record.h"
#include "storage/wal/log.h"

namespace vz::check {

/// Sum of the sizes of the log files, and how many there are; zero if they cannot be listed.
struct LogSize {
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
};
LogSize size_of_log(Env& env, const store::Paths& paths);

/// Whether the payload is one that the record's kind allows. Errors: kCorruption.
Status decode_payload(const format::WalRecord& record);

/// Reads the log as wal::survey() does, at the run's pace; from level 3 on every record is decoded
/// too, and what does not decode is a finding. Nothing, and why, if it cannot be read at all. After
/// a stop what it says of damage counts for nothing.
std::optional<wal::LogSurvey> survey_log(const Run& run, Lsn from_lsn, Lsn durable_lsn);

/// Damage of the log as the finding that it is.
void report_log_damage(const Run& run, const wal::LogDamage& damage);

}  // namespace vz::check
