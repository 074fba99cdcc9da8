// Room on the disk for what a tool is about to write.
#pragma once

#include <cstdint>

#include "engine/collection/definition.h"

namespace vz::offline {

/// Of the image and CURRENT, and of the directories that grow: what even the smallest change takes.
inline constexpr std::uint64_t kPublishBytes = 1u << 20;

/// Bytes of .index for each row, at most: codes, sketches and graph of every dense vector.
std::uint64_t index_bytes_per_row(const collection::CollectionDefinition& definition);

}  // namespace vz::offline
