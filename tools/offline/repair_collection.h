// What has to be done for one collection: which segments are written anew from the rows that still
// decode, which rows are dead, which derived files are made again; and what is lost by it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/check/finding.h"
#include "storage/manifest/manifest.h"
#include "storage/segment/segment.h"
#include "storage/store/store.h"

namespace vz::offline {

/// A row that goes on in a segment that is written anew.
struct KeptRow {
  std::uint32_t row = 0;  ///< of the source
  PointId id{};
  Lsn version = 0;
  std::uint64_t hash = 0;
};

struct SegmentWork {
  manifest::SegmentEntry entry{};  ///< as it was
  bool remade = false;             ///< else the .seg stays as it is
  std::string source{};            ///< remade: the .seg that holds its rows; "" if none does
  std::vector<KeptRow> rows{};     ///< remade: by id; all of them live
  std::vector<segment::Tombstone> tombstones{};      ///< remade: by id
  std::optional<std::vector<std::uint32_t>> dead{};  ///< a new .dead with these; nothing: as is
  bool index = false;                                ///< is made again
  bool fields = false;                               ///< is made again
  [[nodiscard]] bool changes() const { return remade || dead || index || fields; }
};

/// Rows that are lost and whose ids cannot be read.
struct UnnamedRows {
  std::uint64_t rows = 0;
  std::optional<PointId> after{};   ///< the last id before them that can be read
  std::optional<PointId> before{};  ///< the first one behind them
};

struct LostPoints {
  CollectionId collection = 0;
  std::string name{};
  std::vector<PointId> gone{};         ///< ascending
  std::vector<UnnamedRows> unnamed{};  ///< gone, too
  std::uint64_t returned = 0;          ///< points whose deaths only the lost bytes knew
  /// Rows that go on with a version that no checksum confirms: not counted as lost.
  std::uint64_t unconfirmed_versions = 0;

  [[nodiscard]] std::uint64_t gone_count() const;
  [[nodiscard]] std::uint64_t count() const { return gone_count() + returned; }
};

struct CollectionRepair {
  manifest::CollectionEntry entry{};  ///< its points, digest and flushed_lsn as they will be
  std::vector<SegmentWork> segments{};
  LostPoints lost{};
  bool recounted = false;
  [[nodiscard]] bool changes() const;
};

/// Findings of a check by path relative to the directory; only those that are more than notes.
using FindingsByFile = std::map<std::string, std::vector<check::FindingId>>;

struct CollectionDamage {
  const FindingsByFile& files;
  bool totals = false;  ///< its points or its digest differ from the image
  /// The image was rebuilt: what it says of dead rows, points and digest counts for nothing.
  bool rebuilt = false;
};

/// Reads what it must, a segment at a time; of damaged ones every row. Never writes.
/// Errors: kIoError, kPermissionDenied; kCorruption: a segment that the check found sound is not.
Result<CollectionRepair> plan_collection(Env& env, const store::Paths& paths,
                                         const manifest::CollectionEntry& entry,
                                         const CollectionDamage& damage);

}  // namespace vz::offline
