// What a check finds wrong with a data directory: data, not an error.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace vz::check {

enum class Severity : std::uint8_t {
  kNote,     ///< worth knowing; the directory is sound
  kWarning,  ///< damage that costs time, not facts
  kError,    ///< facts are lost or in danger
};
/// What the damage costs.
enum class DamageClass : std::uint8_t {
  kNone,
  kDerived,  ///< nothing: the file is made again from others
  kLossy,    ///< facts
};

/// Stable for good: never renumber or reuse. The level that finds it: 10xx layout, 11xx sizes, 12xx
/// blocks and log, 13xx contents, 14xx searches.
enum class FindingId : std::uint16_t {
  kFormatMissing = 1001,
  kFormatDamaged = 1002,
  kCurrentMissing = 1003,
  kCurrentDamaged = 1004,
  kImageMissing = 1005,
  kImageDamaged = 1006,
  kOldImageDamaged = 1007,
  kOldImageFileMissing = 1008,
  kSegmentMissing = 1009,
  kDerivedMissing = 1010,
  kLeftover = 1011,
  kUnknownFile = 1012,
  kUnlistable = 1013,
  kRestoreWaiting = 1014,
  kRestoreIncomplete = 1015,
  kSecurityDamaged = 1016,
  kSegmentSize = 1101,
  kSegmentTrailer = 1102,
  kDerivedSize = 1103,
  kDerivedTrailer = 1104,
  kSegmentBlocks = 1201,
  kDerivedBlocks = 1202,
  kSegmentTable = 1203,
  kDerivedTable = 1204,
  kSegmentUnreadable = 1205,
  kDerivedUnreadable = 1206,
  kLogDamaged = 1207,
  kFlushedLogDamaged = 1208,
  kTornTail = 1209,
  kLogMissing = 1210,
  kSegmentStructure = 1211,
  kSegmentMismatch = 1212,
  kDeadRows = 1213,
  kSegmentHash = 1301,
  kDerivedHash = 1302,
  kVector = 1303,
  kPayload = 1304,
  kRowHash = 1305,
  kDigest = 1306,
  kPointCount = 1307,
  kIndexContent = 1308,
  kFieldsContent = 1309,
  kDerivedVersion = 1310,
  kLogRecord = 1311,
  kDefinition = 1312,
  kSelfSearch = 1401,
  kRecall = 1402,
};

struct FindingKind {
  FindingId id;
  Severity severity;
  DamageClass damage;
  std::string_view title;
};

/// The one table, ascending by id.
std::span<const FindingKind> finding_kinds();
/// The row of `id`.
const FindingKind& kind_of(FindingId id);

/// True if bytes of a segment's file are not those that were written.
bool is_of_bytes(FindingId id);

/// "VZ-1203"
std::string id_text(FindingId id);
/// "note", "warning", "error"
std::string_view severity_name(Severity severity);
/// "none", "derived", "lossy"
std::string_view damage_name(DamageClass damage);

struct Finding {
  FindingId id = FindingId::kUnknownFile;
  Severity severity = Severity::kNote;
  DamageClass damage = DamageClass::kNone;
  std::string file{};        ///< relative to the directory; "" is the directory itself
  std::uint64_t offset = 0;  ///< bytes
  std::uint64_t length = 0;  ///< bytes; 0: not known, or the whole file
  std::string collection{};  ///< "" if it concerns none
  std::string message{};     ///< expected and found
};

}  // namespace vz::check
