// WAL RECORD, version 1: contract of the fields; the byte layout is written out below.
#pragma once

#include <cstdint>

#include "storage/base/bytes.h"
#include "storage/base/ids.h"

namespace vz::format {

enum class WalRecordKind : std::uint8_t {  // On disk: add, never renumber or reuse.
  kCreateCollection = 1,  ///< storage/format/catalog_record.h
  kDropCollection = 2,
  kDefineCollection = 3,  ///< a whole new definition: PATCH, index declarations
  kAliases = 4,
  kPoints = 5,  ///< storage/format/points_record.h
};

struct WalRecord {
  Lsn lsn = 0;
  Lsn group_lsn = 0;           ///< first lsn of the write it was part of
  std::int64_t time_us = 0;    ///< Unix time of the writer; never decreases along the log
  Epoch epoch = 0;
  CollectionId collection = 0;  ///< 0 = the node
  WalRecordKind kind = WalRecordKind::kPoints;
  ByteSpan payload;  ///< borrowed; at most kWalPayloadSizeMax bytes
};

inline constexpr std::size_t kWalPayloadSizeMax = 64u << 20;

}  // namespace vz::format
