// Level 4: an index that is well-formed in every number, and leads to the wrong points.
#include <array>
#include <cstring>
#include <random>

#include "engine/index/index_format.h"
#include "tests/tools/offline/changed_content.h"

using namespace vz;
using namespace vz::test;
using check::FindingId;
using check::Level;

namespace {

constexpr std::uint32_t kRows = index::kGraphRowsMin;
constexpr std::uint32_t kDimension = 8;

/// Collections "a" and "b", each one segment with a graph over points of its own.
void make_graphs(FaultEnv& env) {
  node::NodeOptions options = small_node();
  options.seal_rows = 2 * kRows;
  options.log_file_bytes = 16u << 20;
  const auto node = node::Node::open(env, options);
  REQUIRE(node);
  std::mt19937 random(7);
  std::uniform_real_distribution<float> values(-1, 1);
  for (const char* const name : {"a", "b"}) {
    REQUIRE(create(**node, name, kDimension));
    std::vector<log::PointData> points;
    for (std::uint64_t id = 1; id <= kRows; ++id) {
      std::vector<float> vector(kDimension);
      for (float& value : vector) value = values(random);
      points.push_back(point(id, std::move(vector), "{}"));
    }
    REQUIRE(upsert(**node, name, std::move(points)));
  }
  REQUIRE((*node)->settle());
  REQUIRE((*node)->close());
}

/// The index of the collection's one segment.
std::string index_of(FaultEnv& env, const std::string& name) {
  for (const auto& collection : image_of(env).collections) {
    if (collection.name != name) continue;
    REQUIRE(collection.segments.size() == 1);
    const manifest::SegmentEntry& one = collection.segments[0];
    REQUIRE(one.index);
    return store::Paths{kDataDir}.index(collection.id, one.epoch, one.seq, one.index->number);
  }
  FAIL("no such collection");
  return {};
}

/// Where an index keeps its one column's lists of neighbours.
index::IndexSection links_of(const Bytes& content) {
  const ByteSpan all(content);
  const auto footer = index::decode_index_tail(all.last(index::kIndexTailSize), all.size());
  REQUIRE(footer);
  const auto decoded =
      index::decode_index_footer(all.subspan(footer->offset, footer->size), footer->offset);
  REQUIRE(decoded);
  REQUIRE(decoded->columns.size() == 1);
  REQUIRE(decoded->columns[0].has_graph());
  constexpr std::size_t kLinks = 5;  // The order of sections is that of the format.
  return index::sections_of(decoded->columns[0], decoded->head.row_count)[kLinks];
}

}  // namespace

TEST_CASE("check search: a graph with the links of another segment is found at level 4",
          "[offline]") {
  FaultEnv env;
  make_graphs(env);
  REQUIRE(checked(env, Level::kSearch).findings.empty());
  const auto other = read_file(env, index_of(env, "b"), 1u << 30);
  REQUIRE(other);
  const Bytes content_of_other = content_of(*other);
  const index::IndexSection from = links_of(content_of_other);
  change_content(env, index_of(env, "a"), [&](Bytes& content) {
    const index::IndexSection to = links_of(content);
    REQUIRE(to.size == from.size);
    std::memcpy(content.data() + to.offset, content_of_other.data() + from.offset, from.size);
  });

  CHECK(checked(env, Level::kContents).findings.empty());  // Every number is well-formed.
  const auto report = checked(env, Level::kSearch);

  INFO(text_of(report.findings));
  CHECK(has(report, FindingId::kSelfSearch));
  CHECK(report.damaged());
  for (const auto& finding : report.findings) {
    CHECK(finding.damage == check::DamageClass::kDerived);
    CHECK(finding.collection == "a");
  }
}
