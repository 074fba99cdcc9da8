// WAL FILE HEADER, format 1                          Written by storage/wal/log_file.cpp
//                                                    Read by    storage/wal/log_file.cpp
// The first 4096 bytes of a log file; records (wal_record.h) follow.
// All integers are little-endian. Offsets and sizes are in bytes.
//
//   OFFSET  SIZE  FIELD
//        0     8  magic       "vzwalog\n"
//        8     4  version     1
//       12     4  epoch       of every record in the file; as in the file's name
//       16     8  first_lsn   of the first record; as in the file's name
//       24     8  salt        random; seeds the checksum of every record of this file
//       32     4  beyond      what lies beyond the last record: 0 = zero bytes,
//                             1 = anything (the file was used before, under another salt)
//       36  4056  zero
//     4092     4  crc32c      of bytes 0 .. 4091; stands here in every version
//
// The file gets its name `<epoch>-<first_lsn>.wal` only when this header is durable. Hence a wrong
// header under such a name is damage, never the trace of a crash.
// Why a whole page: a torn write of the first record can never touch the header, whatever the
// sector size (512 or 4096), and records start on a page. 4 KiB of 64 MiB is nothing.
#pragma once

#include <cstdint>

#include "storage/base/bytes.h"
#include "storage/base/ids.h"

namespace vz::format {

enum class BeyondRecords : std::uint32_t { kZero = 0, kAnything = 1 };  // On disk.

struct WalFileHeader {
  Epoch epoch = 0;
  Lsn first_lsn = 0;
  std::uint64_t salt = 0;
  BeyondRecords beyond = BeyondRecords::kZero;
};

inline constexpr std::size_t kWalFileHeaderSize = 4096;
inline constexpr std::uint32_t kWalFileVersion = 1;

/// kWalFileHeaderSize bytes.
Bytes encode_wal_file_header(const WalFileHeader& header);

/// Errors: kCorruption (cut short, magic, checksum or a field is wrong); kIncompatible (right
/// checksum, version newer than this program).
Result<WalFileHeader> decode_wal_file_header(ByteSpan bytes);

}  // namespace vz::format
