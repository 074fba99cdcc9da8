// Making an empty directory a data directory.
#pragma once

#include "storage/store/store.h"

namespace vz::store {

/// wal/, collections/ and quarantine/, durable; those that are there already too.
Status create_directories(Env& env, const Paths& paths);

/// The directories, an empty image, and last FORMAT: with it the directory is ours and whole,
/// without it nothing is lost. For a process that holds the exclusive lock.
/// Errors: kIoError, kNoSpace: what is there then counts as empty (directory_state.h).
Status create_content(Env& env, const Paths& paths);

}  // namespace vz::store
