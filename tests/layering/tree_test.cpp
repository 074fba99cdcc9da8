// The tree itself, held against the rules of architecture and style.
#include <algorithm>
#include <string>

#include <catch2/catch.hpp>

#include "tests/layering/include_rules.h"
#include "tests/layering/style_rules.h"

using namespace vz::layering;

namespace {

const std::vector<SourceFile>& tree() {
  static const std::vector<SourceFile> kTree = read_tree(VZ_SOURCE_DIR);
  return kTree;
}

std::string text_of(const std::vector<Finding>& findings) {
  std::string text;
  for (const auto& finding : findings) text += "\n  " + to_string(finding);
  return text;
}

void check_none(const std::vector<Finding>& findings) {
  INFO(text_of(findings));
  CHECK(findings.empty());
}

}  // namespace

TEST_CASE("tree: it was found, and its files are read", "[layering]") {
  const auto has_top = [](const std::string& top) {
    return std::any_of(tree().begin(), tree().end(),
                       [&](const SourceFile& file) { return file.path.starts_with(top + "/"); });
  };

  CHECK(tree().size() > 50);
  for (const char* top : {"engine", "storage", "tools", "tests"}) {
    CAPTURE(top);
    CHECK(has_top(top));
  }
}

TEST_CASE("tree: no include points backwards", "[layering]") {
  check_none(backward_arrows(tree()));
}

TEST_CASE("tree: no folders include each other", "[layering]") {
  check_none(rings(tree()));
}

TEST_CASE("tree: heavy libraries stay in their .cpp files", "[layering]") {
  check_none(misplaced_libraries(tree()));
}

TEST_CASE("tree: no file and no function is too long", "[layering][style]") {
  check_none(too_long(tree()));
}
