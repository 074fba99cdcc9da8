// Where the log can be followed to, and what is lost behind that place.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "storage/store/store.h"
#include "storage/wal/log.h"

namespace vz::offline {

/// A log that a start would refuse, cut so that it accepts it.
struct LogCut {
  std::string message{};               ///< expected and found at the first damage
  std::string path{};                  ///< the file to be cut; empty: none
  std::uint64_t offset = 0;            ///< bytes of `path` that stay
  std::vector<std::string> removed{};  ///< whole files, in order
  Lsn first_lost = 0;                  ///< the first record that cannot be followed to
  Lsn last_lost = 0;                   ///< the last one seen behind it
  std::uint64_t records = 0;           ///< of them that no segment has
  bool count_is_known = true;  ///< false: files are gone or cannot be read; `records` is the least
};

struct LogVerdict {
  std::optional<LogCut> cut{};
  std::optional<wal::TornTail> torn_tail{};
  Lsn last_kept = 0;  ///< the last record in front of the damage; 0: none
};

/// Judges the log that a start with this image would read. Also damaged: a record whose payload
/// does not decode. Never writes.
/// Errors: kIncompatible, kIoError, kPermissionDenied; kCorruption: a name in wal/ that is no file.
Result<LogVerdict> judge_log(Env& env, const store::Paths& paths, const manifest::Manifest& image);

/// Calls the visitor for every record from `from_lsn` on that stands in front of the damage.
/// Errors: those of the visitor; else as judge_log.
Status each_kept_record(Env& env, const store::Paths& paths, Lsn from_lsn,
                        const LogVerdict& verdict, const wal::RecordVisitor& visitor);

}  // namespace vz::offline
