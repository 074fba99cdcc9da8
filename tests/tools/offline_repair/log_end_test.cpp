// Promise: a log that ends before what the manifest knows is damage, to a node, to a check and to a
// repair alike; it is never taken for a write that was cut short.
#include <random>

#include "storage/wal/log_file.h"
#include "tests/tools/offline_repair/repair_kit.h"

using namespace vz;
using namespace vz::test;

namespace {

/// A killed node whose manifest knows of records that only the log holds: "more" is not sealed.
void make_data_in_the_log(FaultEnv& env) {
  node::NodeOptions options = small_node();
  options.log_file_bytes = 64u << 10;  // One file.
  auto node = node::Node::open(env, options);
  REQUIRE(node);
  REQUIRE(create(**node, "docs"));
  REQUIRE(create(**node, "more"));
  for (const std::uint64_t first : {1, 9, 17, 25, 33}) {
    REQUIRE(upsert(**node, "docs", some_points(first, 8)));
    REQUIRE((*node)->seal());
  }
  for (std::uint64_t id = 1; id <= 4; ++id) REQUIRE(upsert(**node, "more", some_points(id, 1)));
  REQUIRE((*node)->merge());  // Publishes, and seals nothing.
  REQUIRE(upsert(**node, "more", some_points(9, 1)));
  node->reset();
  env.kill_process();
  const manifest::Manifest image = image_of(env);
  REQUIRE(image.clean_lsn == 0);
  REQUIRE(image.log_lsn + 2 < image.catalog_lsn);
  REQUIRE(manifest::durable_lsn(image) == image.catalog_lsn);
}

/// Where the records of the log's only file begin, then where the last one ends.
std::vector<std::uint64_t> record_offsets(Env& env, std::string& path) {
  const auto logs = wal::list_log_files(env, std::string(kDataDir) + "/wal");
  REQUIRE(logs);
  REQUIRE(logs->size() == 1);
  path = logs->front().path;
  auto reader = wal::LogFileReader::open(env, logs->front());
  REQUIRE(reader);
  std::vector<std::uint64_t> offsets = {reader->offset()};
  for (auto record = reader->next(); record && *record; record = reader->next())
    offsets.push_back(reader->offset());
  return offsets;
}

}  // namespace

TEST_CASE("log: an end before what the manifest knows is damage, and no torn tail", "[offline]") {
  FaultEnv env;
  make_data_in_the_log(env);
  const NodeStates before = served(env);
  const Lsn known = image_of(env).catalog_lsn;
  std::string path;
  const auto offsets = record_offsets(env, path);
  for (std::size_t records = 0; records < offsets.size(); ++records) {
    const auto copy = env.crash_image(1);
    REQUIRE(copy->truncate_file(path, offsets[records]));
    CAPTURE(records, known);

    const auto report = checked(*copy, check::Level::kBlocks);
    const auto node = node::Node::open(*copy->crash_image(1), small_node());
    const auto plan = planned(*copy);

    INFO(text_of(report.findings) << text_of(plan));
    const bool whole = records >= known;
    CHECK(report.damaged() != whole);
    CHECK(node.has_value() == whole);
    if (!whole && node.error().code != ErrorCode::kCorruption) FAIL(node.error().message);
    CHECK(plan.actions.empty() == whole);
    if (whole) continue;
    CHECK(plan.records.records == known - std::max<Lsn>(records, image_of(env).log_lsn - 1));
    REQUIRE(applied(*copy, plan.loss()).applied);
    require_sound(*copy);
    require_prefix(plan, before, served(*copy));
    CHECK(applied(*copy, 0).actions.empty());
  }
}

TEST_CASE("log: a directory without any log file is damage where the manifest knows of records",
          "[offline]") {
  FaultEnv env;
  make_data_in_the_log(env);
  const manifest::Manifest image = image_of(env);
  std::string path;
  (void)record_offsets(env, path);
  REQUIRE(env.remove(path));
  REQUIRE(env.sync_directory(std::string(kDataDir) + "/wal"));

  const auto plan = planned(env);

  INFO(text_of(plan));
  CHECK(checked(env, check::Level::kBlocks).damaged());
  CHECK_FALSE(node::Node::open(*env.crash_image(1), small_node()));
  CHECK(plan.records.records == image.catalog_lsn - image.log_lsn + 1);
  CHECK_FALSE(plan.records.count_is_known);
  REQUIRE(applied(env, plan.loss()).applied);
  require_sound(env);
}
