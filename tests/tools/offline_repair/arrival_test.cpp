// A recovered collection in a directory that is repaired: found again by its files and by the log.
#include <catch2/catch.hpp>

#include "engine/node/node_owner.h"
#include "engine/node/snapshots.h"
#include "storage/archive/byte_stream.h"
#include "tests/tools/offline_repair/repair_kit.h"

using namespace vz;
using namespace vz::test;

TEST_CASE("repair: without any manifest a collection that was recovered keeps its name and aliases",
          "[offline][arrival]") {
  FaultEnv env;
  const std::vector<float> vector{1, 2, 3, 4};
  {
    node::NodeOwner owner(env, small_node(), std::chrono::milliseconds(2'000));
    REQUIRE(owner.open());
    node::Node& node = *owner.current();
    REQUIRE(create(node, "docs"));
    for (std::uint64_t id = 1; id <= 5; ++id)
      REQUIRE(upsert(node, "docs", {point(id, vector, "{}")}));
    REQUIRE(write(node, log::AliasActions{{log::CreateAlias{"alias", "docs"}}}));
    node::Snapshots snapshots(env, owner, {.data_dir = kDataDir});
    const auto made = snapshots.create("docs", archive::ArchiveFormat::kTarGzip);
    REQUIRE(made);
    REQUIRE(upsert(node, "docs", {point(6, vector, "{}")}));
    const auto source = archive::FileSource::open(
        env, snapshot::folder_of_collection(kDataDir, "docs") + "/" + made->name);
    REQUIRE(source);
    REQUIRE(owner.recover_collection("docs", **source, std::nullopt, {}));
    REQUIRE(upsert(node, "docs", {point(7, vector, "{}")}));
  }  // Killed: the last point is in the log only.
  const NodeStates before = served(env);
  REQUIRE(before.at("docs").size() == 6);
  const auto entries = env.list(kDataDir);
  REQUIRE(entries);
  for (const auto& entry : *entries)
    if (entry.name == "CURRENT" || manifest::parse_file_name(entry.name))
      REQUIRE(env.remove(std::string(kDataDir) + "/" + entry.name));

  const auto report = applied(env, 0);

  INFO(text_of(report));
  CHECK(report.loss() == 0);
  CHECK(served(env).at("docs") == before.at("docs"));
  const auto node = node::Node::open(env, small_node());
  REQUIRE(node);
  CHECK((*node)->collections().size() == 1);
  CHECK((*node)->find("alias") == (*node)->find("docs"));
}

TEST_CASE("repair: without any manifest one that was on its way has not arrived",
          "[offline][arrival]") {
  FaultEnv env;
  const std::vector<float> vector{1, 2, 3, 4};
  {
    const auto node = node::Node::open(env, small_node());
    REQUIRE(node);
    REQUIRE(create(**node, "docs"));
    REQUIRE(upsert(**node, "docs", {point(1, vector, "{}")}));
    REQUIRE((*node)->seal());
    REQUIRE(upsert(**node, "docs", {point(2, vector, "{}")}));
    REQUIRE(write(**node, log::BeginArrival{*(*node)->find("docs")->definition()}));
  }  // Killed: its files would say "docs", too.
  const NodeStates before = served(env);
  const auto entries = env.list(kDataDir);
  REQUIRE(entries);
  for (const auto& entry : *entries)
    if (entry.name == "CURRENT" || manifest::parse_file_name(entry.name))
      REQUIRE(env.remove(std::string(kDataDir) + "/" + entry.name));

  const auto report = applied(env, 0);

  INFO(text_of(report));
  const NodeStates after = served(env);
  REQUIRE(after.contains("docs"));
  CHECK(after.at("docs") == before.at("docs"));
  CHECK(after.size() == 1);
}
