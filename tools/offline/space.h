// Room on the disk for what a tool is about to write.
#pragma once

#include <cstdint>
#include <string>

#include "engine/collection/definition.h"
#include "storage/env/env.h"
#include "storage/store/store.h"

namespace vz::offline {

/// Bytes of .index for each row, at most: codes, sketches and graph of every dense vector.
std::uint64_t index_bytes_per_row(const collection::CollectionDefinition& definition);

/// Also by letting the node's ballast go, which the next start makes anew: for whoever holds the
/// exclusive lock. doing: "compacting collection 'words'". Errors: kNoSpace, with both numbers and
/// what to do; kIoError.
Status require_space(Env& env, const store::Paths& paths, std::uint64_t needed_bytes,
                     const std::string& doing);

}  // namespace vz::offline
