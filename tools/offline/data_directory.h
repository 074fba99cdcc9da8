// How the offline tools come to a data directory: its paths, its lock, and no restore half done.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "storage/env/env.h"
#include "storage/manifest/manifest.h"
#include "storage/store/store.h"

namespace vz::offline {

/// Without slashes at its end: findings give paths relative to it.
store::Paths paths_of(std::string directory);

/// Passes for a directory, whatever is in it. Errors: kNoData (absent, or no directory).
Status require_directory(Env& env, const store::Paths& paths);

/// Passes for a directory that a node has used. Errors: kNoData (absent, empty, or not ours),
/// kIoError.
Status require_data(Env& env, const store::Paths& paths);

/// The error of a directory in which nothing was ever written: empty, or a snapshot waits in it.
tl::unexpected<Error> no_data_yet(Env& env, const store::Paths& paths);

/// Keeps nodes out while it lives, writes nothing. Null if there is no LOCK: then no node was ever
/// here, or the directory is a copy. Errors: kLocked (names the holder), kIoError.
Result<std::unique_ptr<FileLock>> lock_shared(Env& env, const store::Paths& paths);

/// Errors: kFailedPrecondition: a restore was cut short, and the directory holds neither the old
/// content nor the new one whole (storage/store/swap.h). To be called under a lock.
Status require_no_swap(Env& env, const store::Paths& paths);

/// Errors: kFailedPrecondition: the directory holds RESTORE, so a snapshot was unpacked here and no
/// node has taken it up: its files are in no image yet, and nothing may be removed or published.
Status require_no_restore(Env& env, const store::Paths& paths);

/// A data directory that is read and not changed, kept from nodes while this lives.
struct DataDirectory {
  store::Paths paths{};
  store::Identity identity{};
  std::unique_ptr<FileLock> lock{};  ///< null: there is no LOCK
  manifest::Manifest image{};        ///< in force
};

/// Writes nothing.
/// Errors: those of require_data(), lock_shared() and require_no_swap(); kCorruption (FORMAT,
/// CURRENT or the image: run check()); kIncompatible, kIoError.
Result<DataDirectory> open_for_reading(Env& env, const std::string& directory);

/// A data directory opened for changes that are planned from its image: as store::Store::open, but
/// it never makes one. Errors: those of require_data(), require_no_restore() and
/// store::Store::open.
Result<std::unique_ptr<store::Store>> open_for_writing(Env& env, const std::string& directory);

/// True if `wanted` is the collection's name or an alias of it, or empty.
bool is_wanted(const manifest::Manifest& image, const manifest::CollectionEntry& entry,
               std::string_view wanted);

/// The collections that are wanted, by id. Pointers are into `image`. Errors: kNotFound: `wanted`
/// names none.
Result<std::vector<const manifest::CollectionEntry*>> wanted_collections(
    const store::Paths& paths, const manifest::Manifest& image, std::string_view wanted);

}  // namespace vz::offline
