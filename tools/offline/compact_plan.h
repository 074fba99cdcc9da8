// What a compaction of one collection would do: a function of its segments.
#pragma once

#include <vector>

#include "tools/offline/compact.h"

namespace vz::offline {

/// Segments that become one (or none, if nothing in them lives).
struct CompactGroup {
  Parts inputs{};          ///< oldest first
  bool rewritten = false;  ///< false: a single segment that stays as it is
};

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
