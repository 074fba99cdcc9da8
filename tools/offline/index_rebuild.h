// Builds the index and the columns of segments anew, without a node: `data segment rebuild-index`.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/check/pace.h"
#include "storage/env/env.h"
#include "tools/offline/segments.h"

namespace vz::offline {

struct RebuildOptions {
  enum class Run : std::uint8_t { kPlan, kApply };
  Run run = Run::kPlan;
  SegmentSelection selection{};
  unsigned threads = 1;              ///< that build graphs
  check::Pace::Progress progress{};  ///< bytes of segments done with, of all that will be
};

struct RebuiltSegment {
  SegmentSummary before{};
  std::uint64_t index_bytes = 0;   ///< after; in a plan as before
  std::uint64_t fields_bytes = 0;  ///< the same
  bool rebuilt = false;
};

/// Segments without rows are left out: they have no index. The rows and deaths are not touched.
/// kPlan takes a shared lock and writes nothing; kApply takes the exclusive lock and publishes one
/// image a segment, so that a kill leaves each segment its old files or its new ones, and a rerun
/// builds them all again.
/// Errors: those of open_for_reading() or open_for_writing() and select_segments(); kCorruption
/// (the rows cannot be read: nothing can be built of them); kNoSpace, before that segment's files
/// are written; kIoError. Segments before that one have their new files, the others their old ones.
Result<std::vector<RebuiltSegment>> rebuild_index(Env& env, const std::string& directory,
                                                  const RebuildOptions& options);

}  // namespace vz::offline
