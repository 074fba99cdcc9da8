// Where a path leads, whatever its spelling: what a tool writes must not land in the directory that
// it reads.
#pragma once

#include <string>

namespace vz::offline {

/// `path` without links, dots and doubled slashes; what does not exist of it stays as it is
/// spelled. Asks the real file system.
std::string real_path(const std::string& path);

/// True if `path`, which need not exist, is `directory` or lies somewhere in it, by whatever links
/// or mounts it leads there.
bool lies_in(const std::string& path, const std::string& directory);

}  // namespace vz::offline
