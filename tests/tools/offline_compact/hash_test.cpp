// The logical digest: the same however the points lie in segments, and read from the rows.
#include "tools/offline/hash.h"

#include "tests/tools/offline_compact/compact_kit.h"

using namespace vz;
using namespace vz::test;

namespace {

offline::HashReport hashed(Env& env, const std::string& directory = kDataDir,
                           const std::string& collection = "") {
  auto report = offline::hash(env, directory, {.collection = collection});
  INFO((report ? "" : report.error().message));
  REQUIRE(report);
  return std::move(*report);
}

}  // namespace

TEST_CASE("hash: what the rows give is what the manifest says, and nothing is written",
          "[offline]") {
  FaultEnv env;
  make_data(env, Ending::kClosed);
  const auto calls = env.calls();
  const manifest::Manifest image = image_of(env);

  const auto report = hashed(env);

  CHECK(report.sound());
  CHECK(report.manifest == image.number);
  CHECK(report.unflushed_records == 0);
  REQUIRE(report.collections.size() == 2);
  CHECK(report.collections[0].name == "docs");
  CHECK(report.collections[0].found.points == 22);
  CHECK(report.collections[0].found.digest == image.collections[0].digest);
  CHECK(report.collections[0].as_of == image.collections[0].flushed_lsn);
  CHECK(env.calls() == calls);
}

TEST_CASE("hash: equal points in other segments have an equal digest", "[offline]") {
  FaultEnv one;
  FaultEnv other;
  make_data(one, Ending::kClosed);
  make_data(other, Ending::kClosed);
  {
    const auto node = node::Node::open(other, small_node());
    REQUIRE(node);
    REQUIRE(upsert(**node, "docs", some_points(1, 2)));  // As they are already.
    REQUIRE((*node)->settle());
    REQUIRE((*node)->close());
  }
  REQUIRE(image_of(one).collections[0].segments != image_of(other).collections[0].segments);

  CHECK(hashed(one).collections[0].found == hashed(other).collections[0].found);
  CHECK(hashed(one).collections[0].found != hashed(one).collections[1].found);
}

TEST_CASE("hash: records that no segment holds are counted, by collection", "[offline]") {
  FaultEnv env;
  make_data(env, Ending::kKilled);

  const auto report = hashed(env);

  CHECK(report.sound());
  CHECK(report.unflushed_records > 0);
  const auto docs = report.collections[0];
  CHECK(docs.name == "docs");
  CHECK(docs.unflushed_records == 2);
  CHECK(docs.found.points == 22);
}

TEST_CASE("hash: a manifest that says something else is found out", "[offline]") {
  FaultEnv env;
  make_data(env, Ending::kClosed);
  manifest::Manifest image = image_of(env);
  ++image.number;
  ++image.collections[0].digest;
  ++image.collections[1].points;
  REQUIRE(manifest::publish(env, kDataDir, image));

  const auto report = hashed(env);

  CHECK_FALSE(report.sound());
  CHECK(report.collections[0].found != report.collections[0].recorded);
  CHECK(report.collections[1].found != report.collections[1].recorded);
}

TEST_CASE("hash: a hash in the file that is not that of its row does not pass", "[offline]") {
  // Given a segment whose rows were changed, with right checksums, and the old hashes beside them.
  FaultEnv env;
  make_data(env, Ending::kClosed);
  replace_segment_file(env, "more", [](RowCopies& rows) { rows.payloads[0] = "{\"name\":\"x\"}"; });

  const auto report = hashed(env, kDataDir, "more");

  REQUIRE(report.collections.size() == 1);
  CHECK_FALSE(report.sound());
  CHECK(report.collections[0].found.points == report.collections[0].recorded.points);
}

TEST_CASE("hash: unknown collections, running nodes and damaged rows are errors", "[offline]") {
  FaultEnv env;
  make_data(env, Ending::kClosed);
  CHECK(offline::hash(env, kDataDir, {.collection = "nothing"}).error().code ==
        ErrorCode::kNotFound);
  CHECK(offline::hash(env, "/absent", {}).error().code == ErrorCode::kNoData);
  {
    const auto node = node::Node::open(env, small_node());
    REQUIRE(node);
    CHECK(offline::hash(env, kDataDir, {}).error().code == ErrorCode::kLocked);
    REQUIRE((*node)->close());
  }
  REQUIRE(env.flip_bit(named_file(env, ".seg"), 900, 1));
  CHECK(offline::hash(env, kDataDir, {}).error().code == ErrorCode::kCorruption);
}
