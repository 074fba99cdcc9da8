// The paths of a data directory as somebody typed it.
#pragma once

#include <string>
#include <utility>

#include "storage/store/store.h"

namespace vz::offline {

/// Without slashes at its end: findings give paths relative to it.
inline store::Paths paths_of(std::string directory) {
  while (directory.size() > 1 && directory.back() == '/') directory.pop_back();
  return {std::move(directory)};
}

}  // namespace vz::offline
