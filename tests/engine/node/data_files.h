// The files of all collections on a disk of the tests.
#pragma once

#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/support/test_node.h"

namespace vz::test {

inline std::vector<DirectoryEntry> data_files(FaultEnv& env) {
  std::vector<DirectoryEntry> files;
  const std::string root = std::string(kDataDir) + "/collections";
  const auto collections = env.list(root);
  REQUIRE(collections);
  for (const auto& collection : *collections) {
    const auto entries = env.list(root + "/" + collection.name);
    REQUIRE(entries);
    files.insert(files.end(), entries->begin(), entries->end());
  }
  return files;
}

}  // namespace vz::test
