// What an operator asks of a node: effect on segments and files, and points that stay as they were.
#include "engine/node/maintenance.h"

#include <catch2/catch.hpp>

#include "tests/engine/node/data_files.h"
#include "tests/support/test_node.h"

using namespace vz;

namespace {

/// 40 points in five segments of "docs", of which two are dead in one of them.
std::unique_ptr<node::Node> node_with_docs(FaultEnv& env, node::NodeOptions options) {
  REQUIRE(env.make_directory("/"));
  auto opened = node::Node::open(env, std::move(options));
  REQUIRE(opened);
  REQUIRE(test::create(**opened, "docs"));
  const std::string payload = "{\"text\":\"" + std::string(2'000, 'a') + "\"}";
  for (std::uint64_t id = 0; id < 40; id += 8) {
    std::vector<log::PointData> points;
    for (std::uint64_t i = id; i < id + 8; ++i)
      points.push_back(test::point(i, {float(i), 2, 3, 4}, payload));
    REQUIRE(test::upsert(**opened, "docs", std::move(points)));
  }
  REQUIRE((*opened)->seal());
  REQUIRE(test::erase(**opened, "docs", {PointId::number(1), PointId::number(2)}));
  return *std::move(opened);
}

std::uint64_t bytes_of(FaultEnv& env, const char* extension) {
  std::uint64_t bytes = 0;
  for (const auto& entry : test::data_files(env))
    if (entry.name.find(extension) != std::string::npos) bytes += entry.size_bytes;
  return bytes;
}

std::stop_token stopped() {
  std::stop_source source;
  source.request_stop();
  return source.get_token();
}

}  // namespace

TEST_CASE("maintenance: optimize leaves one segment without dead rows", "[node][maintenance]") {
  FaultEnv env;
  const auto node = node_with_docs(env, test::small_node());
  const auto before = test::read_all(*node->find("docs"));
  REQUIRE(before);

  const auto change = node->maintenance().optimize("docs", {});

  REQUIRE(change);
  CHECK(change->before.segments == 5);
  CHECK(change->before.deleted_points == 2);
  CHECK(change->after.segments == 1);
  CHECK(change->after.deleted_points == 0);
  CHECK(change->after.points == 38);
  CHECK(*test::read_all(*node->find("docs")) == *before);
  CHECK(node->maintenance().optimize("none", {}).error().code == ErrorCode::kNotFound);
  CHECK(node->close());
}

TEST_CASE("maintenance: what was stopped leaves everything as it was", "[node][maintenance]") {
  FaultEnv env;
  const auto node = node_with_docs(env, test::small_node());
  const node::Watch watch{.stop = stopped()};

  CHECK(node->maintenance().optimize("docs", watch).error().code == ErrorCode::kCancelled);
  CHECK(node->maintenance().rebuild_index("docs", watch).error().code == ErrorCode::kCancelled);
  CHECK(node->maintenance().compact(watch).error().code == ErrorCode::kCancelled);
  CHECK(node->find("docs")->stats().segments == 5);
  CHECK(node->close());
  CHECK(node->maintenance().optimize("docs", {}).error().code == ErrorCode::kUnavailable);
}

TEST_CASE("maintenance: a rebuilt index is other files of the same segments",
          "[node][maintenance]") {
  FaultEnv env;
  const auto node = node_with_docs(env, test::small_node());
  const auto before = test::read_all(*node->find("docs"));
  const std::string root = std::string(test::kDataDir) + "/collections/1";
  const auto names = [&] {
    std::vector<std::string> out;
    const auto entries = env.list(root);
    REQUIRE(entries);
    for (const auto& entry : *entries) out.push_back(entry.name);
    return out;
  };
  const auto files = names();

  const auto change = node->maintenance().rebuild_index("docs", {});

  REQUIRE(change);
  CHECK(change->after.segments == 5);
  CHECK(names() != files);
  CHECK(names().size() == files.size());  // The old ones are gone.
  CHECK(*test::read_all(*node->find("docs")) == *before);
  CHECK(node->close());
}

TEST_CASE("maintenance: compact writes payloads at the present level", "[node][maintenance]") {
  FaultEnv env;
  int level = 0;
  auto options = test::small_node();
  options.zstd_level = [&level] { return level; };
  const auto node = node_with_docs(env, options);
  const auto before = test::read_all(*node->find("docs"));
  REQUIRE(node->maintenance().optimize("docs", {}));
  const std::uint64_t stored = bytes_of(env, ".seg");
  level = 3;

  const auto done = node->maintenance().compact({});

  REQUIRE(done);
  CHECK(stored > 38 * 2'000);
  CHECK(bytes_of(env, ".seg") < stored / 4);
  CHECK(done->garbage.freed_bytes > stored / 2);
  CHECK(done->collections.at(0).after.size_bytes < done->collections.at(0).before.size_bytes);
  CHECK(*test::read_all(*node->find("docs")) == *before);
  CHECK(node->close());
}

TEST_CASE("maintenance: gc removes data files that no image names, and only those",
          "[node][maintenance]") {
  FaultEnv env;
  const auto node = node_with_docs(env, test::small_node());
  REQUIRE(node->maintenance().optimize("docs", {}));
  REQUIRE(node->maintenance().collect_garbage({}));
  const std::string root = std::string(test::kDataDir) + "/collections/1/";
  REQUIRE(env.put_file(root + "0001-00000001.index-1", as_bytes("left")));
  REQUIRE(env.put_file(root + "notes.txt", as_bytes("not ours")));
  const auto before = test::read_all(*node->find("docs"));

  const auto garbage = node->maintenance().collect_garbage({});

  REQUIRE(garbage);
  CHECK(garbage->files_removed == 1);
  CHECK(garbage->freed_bytes == 4);
  CHECK_FALSE(env.exists(root + "0001-00000001.index-1"));
  CHECK(env.exists(root + "notes.txt"));
  CHECK(*test::read_all(*node->find("docs")) == *before);
  CHECK(node->close());
}
