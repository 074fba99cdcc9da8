// Space that a node holds back, so that it can still work when the disk is full.
#pragma once

#include <cstdint>
#include <string>

#include "storage/store/store.h"

namespace vz::store {

/// Below so much free space a node takes no write that grows the data: 5 % of the disk, at least
/// 64 MiB and at most 1 GiB.
std::uint64_t default_reserve_bytes(std::uint64_t disk_bytes);

/// Size of the file BALLAST beside such a reserve: a quarter of it, 4 to 64 MiB.
std::uint64_t ballast_bytes(std::uint64_t reserve_bytes);

/// "<root>/BALLAST".
std::string ballast_path(const Paths& paths);

/// Makes it: zeros that take `size_bytes` of the disk. Nothing if it is there. Not synced: it
/// may be gone after a power cut. Errors: kNoSpace, kIoError: there is none.
Status make_ballast(Env& env, const Paths& paths, std::uint64_t size_bytes);

/// Gives its space back. True if there was one and it is gone. For whoever has to write on a full
/// disk and holds the directory's lock.
bool release_ballast(Env& env, const Paths& paths);

/// Its size; 0 if there is none.
std::uint64_t present_ballast_bytes(Env& env, const Paths& paths);

}  // namespace vz::store
