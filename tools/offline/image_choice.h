// Which manifest image a repair goes on from.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/check/finding.h"
#include "storage/store/seen_here.h"

namespace vz::offline {

struct ImageChoice {
  manifest::Manifest image{};
  bool rebuilt = false;           ///< no image that was in force can be read
  bool current_is_wrong = false;  ///< CURRENT does not name `image`
  /// A newer one than `image` that CURRENT does not name: better if `image` turns out to be
  /// damaged.
  std::optional<manifest::Manifest> newer{};
  std::map<std::string, check::FindingId> damaged{};  ///< FORMAT, CURRENT and images, by name
  std::vector<std::string> notes{};
};

/// The image in force; if it is lost, a newer one that is there whole; else one made again.
/// Never writes. Errors: kNoData, kLocked, kIncompatible, kFailedPrecondition (a restore was cut
/// short), kIoError, kPermissionDenied, kCorruption (a name in wal/ that is no file).
Result<ImageChoice> choose_image(Env& env, const store::Paths& paths, const store::SeenHere& seen);

}  // namespace vz::offline
