// What the runs of a check that goes on over several of them have done so far.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "engine/check/finding.h"
#include "engine/check/segment_check.h"
#include "storage/env/env.h"

namespace vz::offline {

struct CheckState {
  std::string about{};  ///< directory, level, sample, collection: a run goes on with the same only
  std::uint64_t seed = 0;        ///< of the sample
  std::set<std::string> done{};  ///< keys of pieces (check_pieces.h)
  std::map<std::string, check::LiveRows>
      segments{};                          ///< of those that are done, what level 3 counted
  std::vector<check::Finding> findings{};  ///< about files that pieces are of
};

/// JSON, with a schema id. Memory: some 100 bytes a piece.
std::string encode_check_state(const CheckState& state);
/// Errors: kInvalidArgument: it is none, or of another version.
Result<CheckState> decode_check_state(std::string_view text);

/// Nothing done if there is no such file. Errors: kInvalidArgument (names the file and the fix),
/// kIoError, kPermissionDenied.
Result<CheckState> load_check_state(Env& env, const std::string& path);
/// Atomic: the old state or the new one. Errors: kIoError, kNoSpace, kPermissionDenied.
Status save_check_state(Env& env, const std::string& path, const CheckState& state);

}  // namespace vz::offline
