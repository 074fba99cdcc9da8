// What a node does for itself once it is quiet: old files and freed memory go.
#include <chrono>
#include <thread>

#include <catch2/catch.hpp>

#include "engine/node/idle_trim.h"
#include "tests/engine/node/data_files.h"
#include "tests/support/test_node.h"

using namespace vz;

namespace {

std::size_t files_of_collections(FaultEnv& env) {
  return test::data_files(env).size();
}

/// Works in the background, and soon.
node::NodeOptions eager_node() {
  auto options = test::small_node();
  options.quiet_ms = 50;
  options.background = node::NodeOptions::Background::kOn;
  return options;
}

/// 200 points in "docs", as many as 25 memtables hold.
void write_docs(node::Node& node) {
  REQUIRE(test::create(node, "docs"));
  for (std::uint64_t id = 0; id < 200; id += 8) {
    std::vector<log::PointData> points;
    for (std::uint64_t i = id; i < id + 8; ++i)
      points.push_back(test::point(i, {1, 2, 3, 4}, "{}"));
    REQUIRE(test::upsert(node, "docs", std::move(points)));
  }
}

template <typename Holds>
bool wait_for(const Holds& holds) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!holds() && std::chrono::steady_clock::now() < deadline)
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  return holds();
}

}  // namespace

TEST_CASE("node: while tar unpacks a snapshot nothing is merged, and afterwards it is",
          "[node][tar]") {
  FaultEnv env;
  REQUIRE(env.make_directory("/"));
  auto opened = node::Node::open(env, eager_node());
  REQUIRE(opened);
  node::Node& node = **opened;
  const std::string marker = std::string(test::kDataDir) + "/RESTORE";
  REQUIRE(env.put_file(marker, as_bytes("VZRESTO\n")));

  write_docs(node);

  CHECK(wait_for([&] { return node.find("docs")->stats().segments == 25; }));
  REQUIRE(env.remove(marker));
  CHECK(wait_for([&] { return node.find("docs")->stats().segments <= 4; }));
  CHECK(node.close());
}

TEST_CASE("node: once it is quiet no file is left that the image does not name", "[node]") {
  FaultEnv env;
  REQUIRE(env.make_directory("/"));
  auto opened = node::Node::open(env, eager_node());
  REQUIRE(opened);
  node::Node& node = **opened;
  write_docs(node);

  (void)wait_for([&] {
    const auto stats = node.find("docs")->stats();
    // Each segment has .seg, .index and .fields; no row has died.
    return stats.segments > 0 && stats.segments <= 4 &&
           files_of_collections(env) == 3 * stats.segments;
  });

  const auto stats = node.find("docs")->stats();
  CHECK(stats.segments <= 4);  // It did merge, and has nothing left to do.
  CHECK(files_of_collections(env) == 3 * stats.segments);
  CHECK(stats.points == 200);
  CHECK(node.close());
}

TEST_CASE("idle trim: once after work, when it is quiet", "[node]") {
  node::IdleTrim trim;
  std::int64_t now_ms = 5;
  CHECK_FALSE(trim.poll(1, now_ms));
  CHECK(trim.poll(1, now_ms += node::IdleTrim::kQuietMs));  // After the start.
  CHECK_FALSE(trim.poll(1, now_ms += node::IdleTrim::kQuietMs));

  CHECK_FALSE(trim.poll(2, now_ms += 100));
  CHECK_FALSE(trim.poll(2, now_ms += node::IdleTrim::kQuietMs - 1));
  CHECK(trim.poll(2, now_ms += 1));
  CHECK_FALSE(trim.poll(2, now_ms += node::IdleTrim::kBusyMs));
}

TEST_CASE("idle trim: seldom while the work never ends, and once more after it", "[node]") {
  node::IdleTrim trim;
  std::int64_t now_ms = 5;
  std::uint64_t work = 0;
  int trims = 0;
  for (; now_ms < 5 + 2 * node::IdleTrim::kBusyMs; now_ms += 100)
    trims += trim.poll(++work, now_ms) ? 1 : 0;
  CHECK(trims == 1);

  CHECK(trim.poll(work, now_ms + node::IdleTrim::kQuietMs));
}
