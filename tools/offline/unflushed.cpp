#include "tools/offline/unflushed.h"

#include <algorithm>

#include "engine/security/security_json.h"
#include "storage/wal/log.h"

namespace vz::offline {

bool is_unflushed(const format::WalRecord& record, const manifest::Manifest& image) {
  // security.json holds what was acknowledged of it, whatever image is in force.
  if (security::is_security(record.kind)) return false;
  if (record.kind != format::WalRecordKind::kPoints) return record.lsn > image.catalog_lsn;
  const auto entry = std::find_if(image.collections.begin(), image.collections.end(),
                                  [&](const auto& one) { return one.id == record.collection; });
  if (entry == image.collections.end()) return record.lsn > image.catalog_lsn;
  return record.lsn > entry->flushed_lsn;
}

Result<UnflushedRecords> count_unflushed(Env& env, const store::Paths& paths,
                                         const manifest::Manifest& image) {
  UnflushedRecords out;
  VZ_TRY(wal::replay(env, paths.wal(), image.log_lsn, manifest::durable_lsn(image),
                     [&](const format::WalRecord& record) -> Status {
                       if (!is_unflushed(record, image)) return {};
                       ++out.records;
                       out.last_lsn = record.lsn;
                       if (record.kind == format::WalRecordKind::kPoints)
                         ++out.points[record.collection];
                       return {};
                     }));
  return out;
}

}  // namespace vz::offline
