// Nodes with a file of every kind, and checks of them.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "engine/node/maintenance.h"
#include "tests/support/test_node.h"

namespace vz::test {

inline std::vector<log::PointData> some_points(std::uint64_t first, std::uint64_t count) {
  std::vector<log::PointData> points;
  for (std::uint64_t id = first; id < first + count; ++id)
    points.push_back(point(id, {static_cast<float>(id), 0.5f, -1.0f, 2.0f},
                           "{\"group\":" + std::to_string(id % 3) + "}"));
  return points;
}

/// "docs" with two segments, of which the older one has dead rows, and points in memory; "more"
/// with one segment.
inline std::unique_ptr<node::Node> node_with_all_kinds(Env& env, node::NodeOptions options) {
  auto opened = node::Node::open(env, std::move(options));
  INFO((opened ? std::string() : opened.error().message));
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
  REQUIRE(upsert(node, "docs", some_points(40, 2)));
  REQUIRE(upsert(node, "docs", some_points(50, 3)));
  return *std::move(opened);
}

inline constexpr std::uint64_t kDocs = 22 + 5;  ///< that live in "docs"
inline constexpr std::uint64_t kMore = 3;

/// The oldest file of "docs" with `part` in its name.
inline std::string file_of_docs(Env& env, const node::Node& node, const std::string& data_dir,
                                const std::string& part) {
  const std::string directory = store::Paths{data_dir}.collection(node.find("docs")->id());
  auto entries = env.list(directory);
  REQUIRE(entries);
  std::sort(entries->begin(), entries->end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  for (const auto& entry : *entries)
    if (entry.name.find(part) != std::string::npos) return directory + "/" + entry.name;
  FAIL("no file of this kind: " << part);
  return "";
}

inline Result<node::IntegrityReport> try_check(node::Node& node, node::IntegrityRequest request,
                                               const node::Watch& watch = {}) {
  return node.maintenance().check_integrity(request, watch, [](const node::IntegrityReport&) {});
}

inline node::IntegrityReport checked(node::Node& node, check::Level level,
                                     std::vector<std::string> collections = {}) {
  auto report = try_check(
      node,
      {.collections = std::move(collections), .level = level, .limit_rate_bytes = 1'000'000'000});
  INFO((report ? std::string() : report.error().message));
  REQUIRE(report);
  return *std::move(report);
}

/// One line a finding, for INFO.
inline std::string text_of(const node::IntegrityReport& report) {
  std::string out;
  for (const auto& finding : report.findings)
    out += check::id_text(finding.what.id) + " " + finding.what.file + ": " + finding.what.message +
           " (" + finding.done + ")\n";
  return out;
}

inline node::HealthCheck health_of_segments(const node::Node& node) {
  const auto checks = node.health();
  const auto found = std::find_if(checks.begin(), checks.end(),
                                  [](const auto& check) { return check.name == "segments"; });
  REQUIRE(found != checks.end());
  return *found;
}

}  // namespace vz::test
