// What a directory is before we touch it: ours, fresh, absent, or somebody else's.
#pragma once

#include "storage/store/store.h"

namespace vz::store {

enum class DirectoryState : std::uint8_t {
  kAbsent,
  /// Empty, or what a creation that was cut short has left; or RESTORE, what tar unpacks with it,
  /// and what is left of a directory in which all was removed under a running node.
  kFresh,
  kOurs,  ///< it holds FORMAT
};

/// Errors: kNoData (not empty and no FORMAT; names one thing that it holds), kIoError,
/// kPermissionDenied (also of a RESTORE, without a FORMAT). Never writes.
Result<DirectoryState> inspect(Env& env, const Paths& paths);

}  // namespace vz::store
