// What a compaction of one collection would do: a function of its segments.
#pragma once

#include <vector>

#include "tools/offline/compact.h"

namespace vz::offline {

/// Bytes of files; of new ones upper bounds.
struct GroupBytes {
  std::uint64_t old_total = 0;
  std::uint64_t old_derived = 0;  ///< .index and .fields, of the above
  std::uint64_t new_seg = 0;
  std::uint64_t new_derived = 0;

  [[nodiscard]] std::uint64_t new_total() const { return new_seg + new_derived; }
};

/// Neighbouring segments that become one (or none, if nothing in them lives).
struct CompactGroup {
  Parts inputs{};          ///< oldest first; let go before their files are to be removed
  std::size_t count = 0;   ///< of inputs
  bool rewritten = false;  ///< false: a single segment that stays as it is
  GroupBytes bytes{};
};

/// What the old files leave free has to hold while groups are replaced one after another, beside
/// what is there before the first.
struct CompactSpace {
  std::uint64_t in_place = 0;      ///< a group's old and new files lie side by side
  std::uint64_t with_workdir = 0;  ///< by way of a work directory: its old .index and .fields go
                                   ///< first, and the new ones come last
  std::uint64_t in_workdir = 0;    ///< on the disk of that directory
};

CompactSpace space_for(const std::vector<CompactGroup>& groups);

struct CompactPlan {
  std::vector<CompactGroup> groups{};  ///< oldest first
  CompactedCollection report{};        ///< without totals
};

/// `parts` are those of `entry`. Reads a sample of the payloads if a level is asked for.
/// Errors: kCorruption, kIoError.
Result<CompactPlan> plan_compact(Env& env, const store::Paths& paths,
                                 const manifest::CollectionEntry& entry,
                                 const CollectionParts& parts, const CompactOptions& options);

}  // namespace vz::offline
