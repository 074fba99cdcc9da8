// Files that do not belong: leftovers of a crash, and what is not ours. Notes, never damage.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "tools/offline/check_run.h"

namespace vz::offline {

/// The images that say which files are wanted.
struct KeptImages {
  const manifest::Manifest& current;
  const std::optional<manifest::Manifest>& spare;
  std::uint64_t spare_number = 0;  ///< 0: there is none
  bool spare_unreadable = false;   ///< then any numbered file may be one of its
};

/// Reports every stray file, and files that only the spare image names and that are missing.
void report_strays(const Run& run, const std::vector<DirectoryEntry>& in_root,
                   const KeptImages& images);

}  // namespace vz::offline
