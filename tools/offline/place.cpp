#include "tools/offline/place.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

namespace vz::offline {

namespace fs = std::filesystem;

std::string real_path(const std::string& path) {
  std::error_code ignored;
  const fs::path absolute = fs::absolute(path, ignored);
  fs::path real = fs::weakly_canonical(absolute, ignored);
  // A loop of links leads nowhere: then the spelling is all there is.
  if (real.empty()) real = absolute.lexically_normal();
  if (!real.has_filename()) real = real.parent_path();
  return real.empty() ? path : real.string();
}

bool lies_in(const std::string& path, const std::string& directory) {
  const fs::path root = real_path(directory);
  fs::path at = real_path(path);
  const auto [end, rest] = std::mismatch(root.begin(), root.end(), at.begin(), at.end());
  if (end == root.end()) return true;
  // The same directory may be mounted under a second name.
  for (; at.has_relative_path(); at = at.parent_path()) {
    std::error_code ignored;
    if (fs::equivalent(at, root, ignored)) return true;
  }
  return false;
}

}  // namespace vz::offline
