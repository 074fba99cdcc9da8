// How the offline tools come to a data directory: its paths, its lock, and no restore half done.
#pragma once

#include <memory>
#include <string>

#include "storage/env/env.h"
#include "storage/store/store.h"

namespace vz::offline {

/// Without slashes at its end: findings give paths relative to it.
store::Paths paths_of(std::string directory);

/// Keeps nodes out while it lives, writes nothing. Null if there is no LOCK: then no node was ever
/// here, or the directory is a copy. Errors: kLocked (names the holder), kIoError.
Result<std::unique_ptr<FileLock>> lock_shared(Env& env, const store::Paths& paths);

/// Errors: kFailedPrecondition: a restore was cut short, and the directory holds neither the old
/// content nor the new one whole (storage/store/swap.h). To be called under a lock.
Status require_no_swap(Env& env, const store::Paths& paths);

}  // namespace vz::offline
