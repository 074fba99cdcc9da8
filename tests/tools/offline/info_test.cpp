// What `info` says of a directory, with and without a node in it.
#include "tools/offline/info.h"

#include "tests/tools/offline/data_kit.h"

using namespace vz;
using namespace vz::test;

TEST_CASE("info: collections, log and garbage, and nothing is written", "[offline]") {
  FaultEnv env;
  make_data(env, Ending::kClosed);
  const auto calls = env.calls();
  const manifest::Manifest image = image_of(env);

  const auto info = offline::read_info(env, kDataDir);

  REQUIRE(info);
  CHECK(info->identity.format == store::kFormatNewest);
  CHECK(info->manifest == image.number);
  CHECK(info->epoch == 1);
  CHECK(info->clean_lsn == image.clean_lsn);
  REQUIRE(info->collections.size() == 2);
  CHECK(info->collections[0].name == "docs");
  CHECK(info->collections[0].points == 22);
  CHECK(info->collections[1].points == 5);
  CHECK(info->collections[0].dead_rows > 0);
  CHECK(info->points == 27);
  CHECK(info->data_bytes >= info->collections[0].bytes + info->collections[1].bytes);
  CHECK(info->garbage_bytes > 0);
  CHECK(info->garbage_share() > 0);
  CHECK(info->garbage_share() <= 1);
  CHECK(info->log_files > 0);
  CHECK(info->log_bytes > 0);
  CHECK(info->lock_holder.empty());
  CHECK(env.calls() == calls);
}

TEST_CASE("info: works while a node runs, and names it", "[offline]") {
  FaultEnv env;
  make_data(env, Ending::kClosed);
  const auto node = node::Node::open(env, small_node());
  REQUIRE(node);

  const auto info = offline::read_info(env, kDataDir);

  REQUIRE(info);
  CHECK(info->lock_holder.starts_with("{\"pid\":"));
}

TEST_CASE("info: what is no data directory, and one that is damaged", "[offline]") {
  FaultEnv env;
  REQUIRE(env.make_directory("/empty"));
  CHECK(offline::read_info(env, "/empty").error().code == ErrorCode::kNoData);
  CHECK(offline::read_info(env, "/absent").error().code == ErrorCode::kNoData);
  make_data(env, Ending::kClosed);
  REQUIRE(env.flip_bit(std::string(kDataDir) + "/CURRENT", 2, 2));

  CHECK(offline::read_info(env, kDataDir).error().code == ErrorCode::kCorruption);
}
