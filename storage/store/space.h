// Room on the disk for what is about to be written.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "storage/env/env.h"

namespace vz::store {

struct SpaceNeed {
  std::string directory{};  ///< that is there; its disk is asked
  std::uint64_t bytes = 0;  ///< beside the files that are there
};

/// doing: "compacting collection 'words'"; advice: what else could be done, a whole clause.
/// Directories of one disk (equal total and free bytes) have to share its room. If it is too
/// little, a node's ballast in them is let go, which its next start makes anew: for whoever holds
/// the exclusive lock. Errors: kNoSpace, which names for each disk that is too small what is
/// needed, what it has and what is missing; kIoError.
Status require_space(Env& env, const std::vector<SpaceNeed>& needs, const std::string& doing,
                     std::string_view advice);

}  // namespace vz::store
