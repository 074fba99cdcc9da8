// The direction of includes, between top-level folders and between the folders inside them.
#pragma once

#include <vector>

#include "tests/layering/source_file.h"

namespace vz::layering {

/// cli -> tools, engine, storage; tools -> parts of engine, storage; engine -> storage;
/// storage -> storage; tests -> anything. An include of ours names an existing file from the root.
std::vector<Finding> backward_arrows(const std::vector<SourceFile>& files);

/// Folders that include each other, directly or around a ring.
std::vector<Finding> rings(const std::vector<SourceFile>& files);

/// Libraries whose headers cost seconds: in .cpp files (or a header that only .cpp files of its own
/// folder include), and only where they belong.
std::vector<Finding> misplaced_libraries(const std::vector<SourceFile>& files);

}  // namespace vz::layering
