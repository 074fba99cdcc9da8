// RESTORE, format 1                             Written and read by
// storage/format/restore_format.cpp
//
// The first member of a snapshot archive: what the archive holds, so that every other member can be
// checked while it streams by, and so that a directory into which `tar` unpacked it can be checked
// file by file. All integers are little-endian; offsets and sizes are in bytes.
//
//   OFFSET  SIZE  FIELD
//        0     8  magic          "VZRESTO\n"
//        8     4  version        1
//       12     4  file_count     0 .. kRestoreFilesMax
//       16     8  size           of the whole of RESTORE
//       24     8  manifest_size  0 .. kManifestBytesMax
//       32     m  manifest       one whole image, as in MANIFEST-<n> (manifest_format.h)
//   32 + m        files          file_count entries, ascending by path:
//                                  path u32 size and bytes, size_bytes u64, sha256 32 bytes
// size - 32    32  sha256        of every byte before it
//
// Magic, version, size and sha256 stand at these places in every version, so that an older program
// can tell a newer RESTORE from a damaged one. The paths are relative, as in the archive. Why they
// stand beside the image that names the same files: whoever checks need not know the image's
// format.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/bytes.h"
#include "storage/base/sha256.h"
#include "storage/base/status.h"

namespace vz::format {

inline constexpr std::string_view kRestoreMagic = "VZRESTO\n";
inline constexpr std::uint32_t kRestoreVersion = 1;
inline constexpr std::size_t kRestoreHeaderSize = 32;
inline constexpr std::size_t kRestoreDigestSize = sizeof(Sha256Digest);
inline constexpr std::size_t kRestoreFilesMax = 1'000'000;
inline constexpr std::size_t kRestorePathBytesMax = 255;
inline constexpr std::size_t kRestoreFileBytesMin = 4 + 1 + 8 + kRestoreDigestSize;
inline constexpr std::uint64_t kRestoreBytesMax = 512u << 20;

struct RestoreFile {
  std::string path{};  ///< relative to the data directory; not empty
  std::uint64_t size_bytes = 0;
  Sha256Digest sha256{};
  friend bool operator==(const RestoreFile&, const RestoreFile&) = default;
};

struct Restore {
  Bytes manifest{};                  ///< bytes of the image; not looked into
  std::vector<RestoreFile> files{};  ///< ascending by path
  friend bool operator==(const Restore&, const Restore&) = default;
};

/// Bytes of RESTORE. Errors: kOutOfRange: a bound of this header, or files out of order.
Result<Bytes> encode(const Restore& restore);

/// Pure. Errors: kCorruption (offset, expected, found); kIncompatible (right checksum, newer
/// version).
Result<Restore> decode_restore(ByteSpan bytes);

}  // namespace vz::format
