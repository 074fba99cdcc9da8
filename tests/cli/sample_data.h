// A small data directory on the disk, for the binary to work on.
#pragma once

#include "storage/env/env.h"
#include "tests/cli/process.h"
#include "tests/support/test_node.h"

namespace vz::cli::test {

/// "docs" with 20 points in several segments and dead rows, by a node that was closed; or killed,
/// with three records of one point each in the log.
inline void make_data(const Scratch& scratch, bool killed = false) {
  const auto env = vz::make_posix_env();
  vz::node::NodeOptions options = vz::test::small_node();
  options.data_dir = scratch.file("data");
  const auto node = vz::node::Node::open(*env, options);
  REQUIRE(node);
  REQUIRE(vz::test::create(**node, "docs"));
  const auto put = [&](std::uint64_t first, std::uint64_t count) {
    std::vector<vz::log::PointData> points;
    for (std::uint64_t id = first; id < first + count; ++id) {
      points.push_back(
          vz::test::point(id, {static_cast<float>(id), 0.5f, 1.0f, 2.0f}, "{\"n\":1}"));
    }
    REQUIRE(vz::test::upsert(**node, "docs", std::move(points)));
    REQUIRE((killed && first >= 100 ? vz::Status() : (*node)->seal()));
  };
  put(1, 12);
  put(9, 12);
  if (killed) {
    for (const std::uint64_t id : {100u, 101u, 102u}) put(id, 1);
  } else {
    REQUIRE((*node)->close());
  }
}

}  // namespace vz::cli::test
