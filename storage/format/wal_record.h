// WAL RECORD, version 1                              Written by storage/wal/log_writer.cpp
//                                                    Read by    storage/wal/log_replay.cpp
// A log file is a file header (wal_file_header.h) followed by records, one after another without
// gaps. All integers are little-endian, not aligned. Offsets and sizes are in bytes.
//
//   OFFSET  SIZE  FIELD
//        0     4  crc32c        of bytes 4 .. end of the padding, seeded by the file's salt
//        4     4  payload_size  0 .. kWalPayloadSizeMax
//        8     8  lsn           previous record's lsn + 1
//       16     8  group_lsn     lsn of the first record of the write that this one was part of
//       24     8  time_us       Unix time at the writer; never decreases along the log
//       32     4  epoch         that of the file
//       36     8  collection    0 = the node
//       44     1  kind          WalRecordKind
//       45     1  version       1
//       46     2  zero
//       48     n  payload       see the kind
//   48 + n        zero bytes up to a multiple of 8
//
// VALID: the checksum matches, the zero bytes are zero, 1 <= group_lsn <= lsn. That lsn and epoch
// are the ones expected at this place is the reader's check. The seed is crc32c of the salt's 8
// bytes. A client decides what a payload holds, but does not know the salt: bytes in a payload that
// imitate a record are taken for one with probability 2^-32 each. Whether an invalid record is a
// torn tail or corruption is decided by the group rule (storage/FORMAT.md), never by this decoder.
//
// Downsides: collection is not aligned, so there is no struct to cast to; the payload size is
// trusted only after the checksum, so a reader that searches for records must bound its work itself
// (storage/wal/log_scan.h).
#pragma once

#include <cstdint>

#include "storage/base/bytes.h"
#include "storage/base/ids.h"

namespace vz::format {

enum class WalRecordKind : std::uint8_t {  // On disk: add, never renumber or reuse.
  kCreateCollection = 1,                   ///< storage/format/catalog_record.h
  kDropCollection = 2,
  kDefineCollection = 3,  ///< a whole new definition: PATCH, index declarations
  kAliases = 4,
  kPoints = 5,  ///< storage/format/points_record.h
  kReplaceCollection = 6,
  // Of the node; JSON, see engine/security/security_json.h.
  kPutKeys = 7,
  kRevokeKey = 8,
  kPutIpRules = 9,
  kDeleteIpRules = 10,
};
inline constexpr WalRecordKind kWalRecordKindLast = WalRecordKind::kDeleteIpRules;

struct WalRecord {
  Lsn lsn = 0;
  Lsn group_lsn = 0;         ///< first lsn of the write it was part of
  std::int64_t time_us = 0;  ///< Unix time of the writer; never decreases along the log
  Epoch epoch = 0;
  CollectionId collection = 0;  ///< 0 = the node
  WalRecordKind kind = WalRecordKind::kPoints;
  ByteSpan payload{};  ///< borrowed; at most kWalPayloadSizeMax bytes
};

inline constexpr std::size_t kWalPayloadSizeMax = 64u << 20;

inline constexpr std::uint8_t kWalRecordVersion = 1;
inline constexpr std::size_t kWalRecordHeaderSize = 48;
inline constexpr std::size_t kWalRecordAlignment = 8;

/// Offsets of the fields, each behind its predecessor.
namespace wal_record_offset {
inline constexpr std::size_t kCrc = 0;
inline constexpr std::size_t kPayloadSize = kCrc + sizeof(std::uint32_t);
inline constexpr std::size_t kLsn = kPayloadSize + sizeof(std::uint32_t);
inline constexpr std::size_t kGroupLsn = kLsn + sizeof(Lsn);
inline constexpr std::size_t kTime = kGroupLsn + sizeof(Lsn);
inline constexpr std::size_t kEpoch = kTime + sizeof(std::int64_t);
inline constexpr std::size_t kCollection = kEpoch + sizeof(Epoch);
inline constexpr std::size_t kKind = kCollection + sizeof(CollectionId);
inline constexpr std::size_t kVersion = kKind + sizeof(WalRecordKind);
inline constexpr std::size_t kZero = kVersion + sizeof(std::uint8_t);
}  // namespace wal_record_offset

static_assert(wal_record_offset::kLsn == 8);
static_assert(wal_record_offset::kGroupLsn == 16);
static_assert(wal_record_offset::kTime == 24);
static_assert(wal_record_offset::kEpoch == 32);
static_assert(wal_record_offset::kCollection == 36);
static_assert(wal_record_offset::kKind == 44);
static_assert(wal_record_offset::kZero + 2 == kWalRecordHeaderSize);
static_assert(kWalRecordHeaderSize % kWalRecordAlignment == 0);
static_assert(kWalPayloadSizeMax % kWalRecordAlignment == 0);

/// Bytes that a record with such a payload takes, header and padding included.
constexpr std::uint64_t wal_record_size(std::uint64_t payload_size) {
  return kWalRecordHeaderSize +
         (payload_size + kWalRecordAlignment - 1) / kWalRecordAlignment * kWalRecordAlignment;
}

/// What a file's salt makes of the checksum's seed.
std::uint32_t wal_crc_seed(std::uint64_t salt);

/// Appends the record to `out`, checksum still zero: which file, hence which salt, it will get is
/// known only when its group is written. `record.payload` must be within its bound.
void append_unsigned_wal_record(const WalRecord& record, Bytes& out);

/// Fills in the checksum. `record` is one whole record, as append_unsigned_wal_record made it.
void sign_wal_record(std::span<std::byte> record, std::uint32_t seed);

/// Decodes the record at the start of `bytes`, which may go on behind it. Pure.
///
/// returns  the record; its payload is borrowed from `bytes`.
/// errors   kCorruption    cut short, or a field or the checksum is wrong
///          kIncompatible  the checksum is right, but version or kind are newer than this program
Result<WalRecord> decode_wal_record(ByteSpan bytes, std::uint32_t seed);

}  // namespace vz::format
