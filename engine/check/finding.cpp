#include "engine/check/finding.h"

#include <algorithm>
#include <array>

#include "storage/base/status.h"

namespace vz::check {
namespace {

using Id = FindingId;

constexpr Severity kNote = Severity::kNote;
constexpr Severity kWarning = Severity::kWarning;
constexpr Severity kError = Severity::kError;
constexpr DamageClass kNone = DamageClass::kNone;
constexpr DamageClass kDerived = DamageClass::kDerived;
constexpr DamageClass kLossy = DamageClass::kLossy;

constexpr std::array kKinds = {
    FindingKind{Id::kFormatMissing, kError, kLossy, "FORMAT is missing"},
    FindingKind{Id::kFormatDamaged, kError, kLossy, "FORMAT is damaged"},
    FindingKind{Id::kCurrentMissing, kError, kLossy, "CURRENT is missing"},
    FindingKind{Id::kCurrentDamaged, kError, kLossy, "CURRENT is damaged"},
    FindingKind{Id::kImageMissing, kError, kLossy, "the manifest in force is missing"},
    FindingKind{Id::kImageDamaged, kError, kLossy, "the manifest in force is damaged"},
    FindingKind{Id::kOldImageDamaged, kWarning, kNone, "the manifest kept as a spare is damaged"},
    FindingKind{Id::kOldImageFileMissing, kNote, kNone,
                "a file that only the spare manifest names is missing"},
    FindingKind{Id::kSegmentMissing, kError, kLossy, "a segment is missing"},
    FindingKind{Id::kDerivedMissing, kWarning, kDerived, "a derived file is missing"},
    FindingKind{Id::kLeftover, kNote, kNone, "a leftover that no manifest names"},
    FindingKind{Id::kUnknownFile, kNote, kNone, "not a file of a data directory"},
    FindingKind{Id::kUnlistable, kError, kLossy, "a directory cannot be listed"},
    FindingKind{Id::kRestoreWaiting, kNote, kNone, "a snapshot that the next start puts in force"},
    FindingKind{Id::kRestoreIncomplete, kWarning, kNone,
                "a snapshot that tar has not unpacked whole: a start refuses"},
    FindingKind{Id::kSecurityDamaged, kError, kLossy,
                "the keys and rules about addresses are damaged: a start refuses"},
    FindingKind{Id::kSegmentSize, kError, kLossy, "a segment has the wrong length"},
    FindingKind{Id::kSegmentTrailer, kError, kLossy, "a segment's trailer is wrong"},
    FindingKind{Id::kDerivedSize, kWarning, kDerived, "a derived file has the wrong length"},
    FindingKind{Id::kDerivedTrailer, kWarning, kDerived, "a derived file's trailer is wrong"},
    FindingKind{Id::kSegmentBlocks, kError, kLossy, "blocks of a segment are damaged"},
    FindingKind{Id::kDerivedBlocks, kWarning, kDerived, "blocks of a derived file are damaged"},
    FindingKind{Id::kSegmentTable, kError, kLossy, "a segment's block checksums are damaged"},
    FindingKind{Id::kDerivedTable, kWarning, kDerived,
                "a derived file's block checksums are damaged"},
    FindingKind{Id::kSegmentUnreadable, kError, kLossy, "a segment cannot be read"},
    FindingKind{Id::kDerivedUnreadable, kWarning, kDerived, "a derived file cannot be read"},
    FindingKind{Id::kLogDamaged, kError, kLossy, "the log is damaged"},
    FindingKind{Id::kFlushedLogDamaged, kNote, kNone,
                "the log is damaged where its records are in segments already"},
    FindingKind{Id::kTornTail, kNote, kNone, "the log ends in a write that was cut short"},
    FindingKind{Id::kLogMissing, kError, kLossy, "the log is missing"},
    FindingKind{Id::kSegmentStructure, kError, kLossy, "a segment's content is inconsistent"},
    FindingKind{Id::kSegmentMismatch, kError, kLossy, "a segment is not what the manifest says"},
    FindingKind{Id::kDeadRows, kWarning, kDerived, "a list of dead rows is wrong"},
    FindingKind{Id::kSegmentHash, kError, kLossy, "a segment is not the file the manifest names"},
    FindingKind{Id::kDerivedHash, kWarning, kDerived,
                "a derived file is not the one the manifest names"},
    FindingKind{Id::kVector, kError, kLossy, "vectors are invalid"},
    FindingKind{Id::kPayload, kError, kLossy, "payloads are invalid"},
    FindingKind{Id::kRowHash, kError, kLossy, "rows differ from their hashes"},
    FindingKind{Id::kDigest, kError, kLossy, "a collection differs from its digest"},
    FindingKind{Id::kPointCount, kError, kLossy, "a collection has another number of points"},
    FindingKind{Id::kIndexContent, kWarning, kDerived, "an index is invalid"},
    FindingKind{Id::kFieldsContent, kWarning, kDerived, "a file of payload columns is invalid"},
    FindingKind{Id::kDerivedVersion, kNote, kDerived,
                "a derived file of another version is rebuilt at the next start"},
    FindingKind{Id::kLogRecord, kError, kLossy, "a log record does not decode"},
    FindingKind{Id::kDefinition, kError, kLossy, "a collection's definition is invalid"},
    FindingKind{Id::kSelfSearch, kWarning, kDerived, "points do not find themselves by search"},
    FindingKind{Id::kRecall, kWarning, kDerived, "searches miss too many of the nearest points"},
};

constexpr bool before(const FindingKind& a, const FindingKind& b) {
  return a.id < b.id;
}
static_assert(std::is_sorted(kKinds.begin(), kKinds.end(), before));

}  // namespace

std::span<const FindingKind> finding_kinds() {
  return kKinds;
}

const FindingKind& kind_of(FindingId id) {
  const auto found =
      std::lower_bound(kKinds.begin(), kKinds.end(), FindingKind{id, kNote, kNone, ""}, before);
  VZ_ASSERT(found != kKinds.end() && found->id == id);
  return *found;
}

bool is_of_bytes(FindingId id) {
  return (id >= Id::kSegmentSize && id <= Id::kDerivedUnreadable) || id == Id::kSegmentHash ||
         id == Id::kDerivedHash;
}

std::string id_text(FindingId id) {
  return "VZ-" + std::to_string(static_cast<unsigned>(id));
}

std::string_view severity_name(Severity severity) {
  switch (severity) {
    case Severity::kNote:
      return "note";
    case Severity::kWarning:
      return "warning";
    case Severity::kError:
      return "error";
  }
  return "error";
}

std::string_view damage_name(DamageClass damage) {
  switch (damage) {
    case DamageClass::kNone:
      return "none";
    case DamageClass::kDerived:
      return "derived";
    case DamageClass::kLossy:
      return "lossy";
  }
  return "lossy";
}

}  // namespace vz::check
