// The segments of a collection as the engine reads them, without a node: rows, and who died.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/check/pace.h"
#include "engine/collection/sealed_part.h"
#include "storage/manifest/manifest.h"
#include "storage/store/store.h"

namespace vz::offline {

/// Oldest first.
using Parts = std::vector<std::shared_ptr<collection::SealedPart>>;

struct CollectionParts {
  std::shared_ptr<const collection::CollectionDefinition> definition{};
  Parts segments{};
};

/// Opens every segment that `entry` names, without index and columns. If a dead file is lost, all
/// deaths are found again from newer rows and tombstones, as a start does.
/// Errors: kCorruption (a segment is not what the image says, or has other vectors than the
/// definition), kNotFound (a segment), kIncompatible, kIoError.
Result<CollectionParts> open_parts(Env& env, const store::Paths& paths,
                                   const manifest::CollectionEntry& entry);

/// What a collection holds, independent of how it lies in segments.
struct RowTotals {
  std::uint64_t points = 0;
  std::uint64_t digest = 0;  ///< sum of the row hashes mod 2^64

  RowTotals& operator+=(const RowTotals& other) {
    points += other.points;
    digest += other.digest;
    return *this;
  }
  friend bool operator==(const RowTotals&, const RowTotals&) = default;
};

/// Of the rows that live at `as_of`. Reads every vector and payload and computes each hash from
/// them; what the segment says of its hashes is not trusted. Tells `pace` of the segment's bytes.
/// Errors: kCorruption: a row cannot be read.
Result<RowTotals> total_of(const collection::SealedPart& part, Lsn as_of, check::Pace& pace);

/// The sum of total_of(). Errors: as there.
Result<RowTotals> total_of(const Parts& parts, Lsn as_of, check::Pace& pace);

/// "7 points, digest 00c0ffee00c0ffee"
std::string text_of(const RowTotals& totals);

}  // namespace vz::offline
