// What a directory is before we touch it: ours, fresh, absent, or somebody else's.
#pragma once

#include "storage/store/store.h"

namespace vz::store {

enum class DirectoryState : std::uint8_t {
  kAbsent,
  kFresh,  ///< empty, or what a creation that was cut short has left
  kOurs,   ///< it holds FORMAT
};

/// Errors: kNoData (not empty and no FORMAT; names one thing that it holds), kIoError. Never
/// writes.
Result<DirectoryState> inspect(Env& env, const Paths& paths);

}  // namespace vz::store
