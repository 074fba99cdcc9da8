// Every bound that an archive is held to before anything of it is believed.
#pragma once

#include <cstddef>
#include <cstdint>

namespace vz::archive {

struct ArchiveLimits {
  std::uint64_t entries = 1'000'000;
  std::uint64_t plain_bytes = 64ull << 40;  ///< after decompression: 64 TiB
  /// Decompressed by compressed bytes. gzip cannot pass 1,032, and zero vectors come near it.
  std::uint64_t ratio = 2'000;
  /// The ratio counts from so many decompressed bytes: small archives are no danger.
  std::uint64_t ratio_from_bytes = 64u << 20;
  /// Zero bytes behind the last member; tar rounds up to blocks of 10 KiB, some to more.
  std::uint64_t padding_bytes = 1u << 20;
};

inline constexpr std::size_t kArchiveBlockBytes = 64u << 10;  ///< of each read and write

}  // namespace vz::archive
