// Compaction of collections of every shape: named, sparse and missing vectors, UUIDs, graphs.
#include "engine/index/index_file.h"
#include "tests/tools/offline_compact/compact_kit.h"
#include "tools/offline/hash.h"

using namespace vz;
using namespace vz::test;
using check::Level;

namespace {

/// "mixed": a dense vector and a sparse one, of which rows may lack either; numbers and UUIDs.
void make_mixed(FaultEnv& env) {
  const auto node = node::Node::open(env, small_node());
  REQUIRE(node);
  collection::CollectionDefinition definition = dense_definition(3);
  definition.vectors[0].name = "a";
  definition.vectors.push_back(
      {.name = "s", .kind = segment::VectorKind::kSparse, .size = 0, .hnsw = {}});
  REQUIRE(write(**node, log::CreateCollection{"mixed", definition}));
  for (std::uint64_t round = 0; round < 3; ++round) {
    std::vector<log::PointData> points;
    for (std::uint64_t i = 0; i < 9; ++i) {
      const std::uint64_t id = round * 6 + i;  // A third of them replaces older rows.
      log::PointData one{.id = id % 2 == 0 ? PointId::number(id) : PointId::uuid(id, ~id),
                         .vectors = {},
                         .payload = id % 4 == 0 ? "{}" : payload_text(id)};
      const float value = static_cast<float>(round * 100 + id);
      if (id % 3 != 0)
        one.vectors.push_back({.column = 0, .values = {value, 1.0f, 2.0f}, .indices = {}});
      if (id % 5 != 0)
        one.vectors.push_back({.column = 1, .values = {value, 0.5f}, .indices = {3, 70'000}});
      points.push_back(std::move(one));
    }
    REQUIRE(upsert(**node, "mixed", std::move(points)));
    REQUIRE((*node)->seal());
  }
  REQUIRE(erase(**node, "mixed", {PointId::number(4), PointId::uuid(7, ~std::uint64_t{7})}));
  REQUIRE((*node)->close());
}

bool has_graph(Env& env, const std::string& collection) {
  const auto entry = entry_of(image_of(env), collection);
  REQUIRE(entry.segments.size() == 1);
  const auto& part = entry.segments[0];
  const store::Paths paths{kDataDir};
  const auto segment = segment::Segment::open(env, paths.seg(entry.id, part.epoch, part.seq));
  REQUIRE(segment);
  const auto index = index::IndexFile::open(
      env, paths.index(entry.id, part.epoch, part.seq, part.index->number), **segment);
  REQUIRE(index);
  return (*index)->column(0)->has_graph();
}

}  // namespace

TEST_CASE("compact: named, sparse and missing vectors, UUIDs and empty payloads stay as they are",
          "[offline]") {
  FaultEnv env;
  make_mixed(env);
  const auto before = offline::hash(env, kDataDir, {});
  REQUIRE(before);
  REQUIRE(before->sound());
  REQUIRE(before->collections[0].found.points == 19);

  const auto report = compacted(env);

  CHECK(report.collections[0].segments > 2);
  CHECK(report.collections[0].segments_after == 1);
  const auto after = offline::hash(env, kDataDir, {});
  REQUIRE(after);
  CHECK(after->sound());
  CHECK(after->collections[0].found == before->collections[0].found);
  const auto check = checked(env, Level::kContents);
  INFO(text_of(check.findings));
  CHECK_FALSE(check.damaged());
}

TEST_CASE("compact: a segment that is large enough gets its graph, once", "[offline]") {
  FaultEnv env;
  {
    node::NodeOptions options = small_node();
    options.log_file_bytes = 4u << 20;
    const auto node = node::Node::open(env, options);
    REQUIRE(node);
    REQUIRE(create(**node, "docs"));
    REQUIRE(upsert(**node, "docs", some_points(1, index::kGraphRowsMin + 100)));
    REQUIRE((*node)->close());
  }
  REQUIRE_FALSE(has_graph(env, "docs"));

  const auto report = compacted(env);

  CHECK(report.collections[0].reason == "1 segment without graph or columns");
  CHECK(has_graph(env, "docs"));
  CHECK_FALSE(checked(env, Level::kContents).damaged());
  CHECK(compacted(env).collections[0].reason.empty());
}
