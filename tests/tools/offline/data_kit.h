// A small data directory made by a real node in memory, with a file of every kind.
#pragma once

#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/support/test_node.h"
#include "tools/offline/check.h"

namespace vz::test {

inline std::string payload_text(std::uint64_t id) {
  return "{\"group\":" + std::to_string(id % 3) + ",\"name\":\"n" + std::to_string(id) + "\"}";
}

inline std::vector<log::PointData> some_points(std::uint64_t first, std::uint64_t count) {
  std::vector<log::PointData> points;
  for (std::uint64_t id = first; id < first + count; ++id) {
    points.push_back(point(id, {static_cast<float>(id), 0.5f, -1.0f, 2.0f}, payload_text(id)));
  }
  return points;
}

enum class Ending { kClosed, kKilled };

/// Collections "docs" (merged, indexed, with dead rows) and "more"; if it was killed, the log also
/// holds records that no segment has.
inline void make_data(FaultEnv& env, Ending ending) {
  auto opened = node::Node::open(env, small_node());
  REQUIRE(opened);
  node::Node& node = **opened;
  REQUIRE(create(node, "docs"));
  REQUIRE(create(node, "more"));
  REQUIRE(upsert(node, "docs", some_points(1, 24)));
  REQUIRE(upsert(node, "more", some_points(1, 3)));
  REQUIRE(node.settle());
  REQUIRE(erase(node, "docs", {PointId::number(3), PointId::number(9)}));
  REQUIRE(upsert(node, "docs", some_points(5, 2)));
  REQUIRE(node.seal());
  REQUIRE(upsert(node, "more", some_points(20, 2)));
  if (ending == Ending::kClosed) {
    REQUIRE(node.close());
    return;
  }
  REQUIRE(upsert(node, "docs", some_points(40, 2)));
  REQUIRE(upsert(node, "docs", some_points(50, 3)));
  opened->reset();
  env.kill_process();
}

inline offline::CheckReport checked(Env& env, check::Level level, unsigned threads = 1) {
  auto report = offline::check(env, kDataDir, {.level = level, .threads = threads});
  INFO((report ? std::string() : report.error().message));
  REQUIRE(report);
  return std::move(*report);
}

/// One line a finding, for INFO.
inline std::string text_of(const std::vector<check::Finding>& findings) {
  std::string text;
  for (const auto& finding : findings) {
    text += check::id_text(finding.id) + " " + finding.file + "@" + std::to_string(finding.offset) +
            "+" + std::to_string(finding.length) + " " + finding.message + "\n";
  }
  return text;
}

inline bool has(const offline::CheckReport& report, check::FindingId id) {
  for (const auto& finding : report.findings)
    if (finding.id == id) return true;
  return false;
}

inline manifest::Manifest image_of(Env& env) {
  auto image = manifest::load(env, kDataDir);
  REQUIRE(image);
  return std::move(*image);
}

/// Absolute path of the file in force whose path holds `part`, such as ".index-"; the largest.
inline std::string named_file(Env& env, const std::string& part) {
  std::string path;
  std::size_t size = 0;
  for (const std::string& one : store::files_of({kDataDir}, image_of(env))) {
    if (one.find(part) == std::string::npos) continue;
    const auto bytes = read_file(env, one, 1u << 30);
    REQUIRE(bytes);
    if (bytes->size() <= size) continue;
    size = bytes->size();
    path = one;
  }
  REQUIRE_FALSE(path.empty());
  return path;
}

}  // namespace vz::test
