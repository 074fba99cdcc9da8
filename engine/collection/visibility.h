// What readers may see: one lsn for the whole node, and the catalog as of it.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "storage/base/ids.h"
#include "storage/base/mutex.h"

namespace vz::collection {

class LiveCollection;

/// Names of everything. Immutable; replaced whole by the writer.
struct Catalog {
  std::map<std::string, std::shared_ptr<LiveCollection>, std::less<>> collections;
  std::map<std::string, CollectionId, std::less<>> aliases;

  [[nodiscard]] std::shared_ptr<LiveCollection> by_id(CollectionId id) const;
  /// By name or alias.
  [[nodiscard]] std::shared_ptr<LiveCollection> find(std::string_view name) const;
};

/// One mutex guards the visible lsn, the visible catalog and every collection's pointer to its
/// parts: a reader must take its parts and its lsn at one moment. With an older lsn than its parts
/// it would miss rows that a seal has dropped; with newer ones, rows of a memtable it does not
/// have. Held for pointer copies only; no other lock is taken under it.
struct Visibility {
  mutable Mutex mutex;
  Lsn lsn VZ_GUARDED_BY(mutex) = 0;
  std::shared_ptr<const Catalog> catalog VZ_GUARDED_BY(mutex) = std::make_shared<Catalog>();
};

/// What readers see now. Any thread.
inline std::shared_ptr<const Catalog> catalog_of(const Visibility& visibility) {
  MutexLock lock(visibility.mutex);
  return visibility.catalog;
}
inline Lsn lsn_of(const Visibility& visibility) {
  MutexLock lock(visibility.mutex);
  return visibility.lsn;
}

}  // namespace vz::collection
