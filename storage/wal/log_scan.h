// What lies behind the first invalid record of a log file: the group rule within one file.
#pragma once

#include <cstdint>
#include <optional>

#include "storage/base/bytes.h"
#include "storage/base/ids.h"

namespace vz::wal {

/// Where an invalid record was found.
struct InvalidRecord {
  std::uint64_t offset = 0;
  Lsn lsn = 0;  ///< the one expected there
  Epoch epoch = 0;
};

/// A valid record of a later group: it was written after the lost one was durable.
struct Proof {
  std::uint64_t offset = 0;
  Lsn lsn = 0;
  Lsn group_lsn = 0;
};

struct Beyond {
  std::optional<Proof> proof;  ///< the first one; the scan stops there
  std::uint64_t same_group_end =
      0;  ///< behind the last valid record of the lost one's own group; 0: none
};

/// Looks at every multiple of 8 behind `invalid` for a valid record under `seed`.
///
/// Cost: one pass, whatever the bytes are. lsn, group and size are tested before a checksum is
/// computed, and checksums come from CrcRanges: 64 MiB take well under a second.
Beyond scan_beyond(ByteSpan file, const InvalidRecord& invalid, std::uint32_t seed);

}  // namespace vz::wal
