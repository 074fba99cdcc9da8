// What may stand in a snapshot archive, by its name alone.
#pragma once

#include <cstdint>
#include <string_view>

#include "storage/base/status.h"

namespace vz::archive {

inline constexpr std::string_view kRestoreName = "RESTORE";
/// Before the name of each member of a snapshot of one collection: unpacked by tar into a data
/// directory, it stands beside what is in use there, and no node takes it for its whole content.
inline constexpr std::string_view kCollectionPrefix = "collection/";

enum class MemberKind : std::uint8_t {
  kRestore,
  kData,       ///< collections/<id>/<epoch>-<seq>.{seg,dead-n,index-n,fields-n}
  kDirectory,  ///< collections, collections/<id>: harmless, and not needed
};

/// Exactly the names that a data directory gives, so nothing absolute, no "..", no second spelling.
/// Errors: kCorruption, naming the path and what is wrong with it.
Result<MemberKind> member_kind(std::string_view path);

/// A name out of an archive as it may be shown: control characters and the like become '?'.
std::string printable_name(std::string_view name);

}  // namespace vz::archive
