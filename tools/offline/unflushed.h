// Which records of the log no segment holds: what only a start of the node makes part of them.
#pragma once

#include <cstdint>
#include <map>

#include "storage/format/wal_record.h"
#include "storage/manifest/manifest.h"
#include "storage/store/store.h"

namespace vz::offline {

struct UnflushedRecords {
  std::uint64_t records = 0;  ///< all of them
  Lsn last_lsn = 0;           ///< of the newest; 0 if there is none
  /// Of points, by collection; also of collections that the image does not know yet.
  std::map<CollectionId, std::uint64_t> points{};
};

/// True if a start would have to take the record from the log.
bool is_unflushed(const format::WalRecord& record, const manifest::Manifest& image);

/// Counts by the headers of the records. Errors: those of wal::replay.
Result<UnflushedRecords> count_unflushed(Env& env, const store::Paths& paths,
                                         const manifest::Manifest& image);

}  // namespace vz::offline
