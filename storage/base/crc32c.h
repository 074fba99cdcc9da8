// CRC32C (Castagnoli), the checksum of every block and record.
#pragma once

#include <cstdint>

#include "storage/base/bytes.h"

namespace vz {

/// CRC32C of `bytes`, continued from `seed` (0 to begin): crc32c(b, crc32c(a)) == crc32c(ab).
/// Uses the SSE4.2 instruction when the processor has it.
std::uint32_t crc32c(ByteSpan bytes, std::uint32_t seed = 0);

}  // namespace vz
