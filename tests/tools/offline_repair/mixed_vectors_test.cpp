// Promise: rows of every kind of vector and id are judged alike, by their hashes.
#include <map>
#include <random>

#include <nlohmann/json.hpp>

#include "tests/support/instrumented.h"
#include "tests/tools/offline_repair/repair_kit.h"
#include "tools/offline/salvage.h"
#include "tools/offline/segment_rows.h"

using namespace vz;
using namespace vz::test;

namespace {

constexpr int kBits = vz::test::kInstrumented ? 15 : 200;

/// Points with numbers and UUIDs as ids, each with another choice of a dense, a sparse and a
/// multi-vector.
void make_mixed(FaultEnv& env) {
  node::NodeOptions options = small_node();
  options.seal_rows = 10'000;
  const auto node = node::Node::open(env, options);
  REQUIRE(node);
  collection::CollectionDefinition definition = dense_definition(4);
  definition.vectors[0].name = "dense";
  definition.vectors.push_back({.name = "multi",
                                .kind = segment::VectorKind::kMulti,
                                .size = 3,
                                .distance = vector::Distance::kDot,
                                .hnsw = {}});
  definition.vectors.push_back({.name = "sparse",
                                .kind = segment::VectorKind::kSparse,
                                .size = 0,
                                .distance = vector::Distance::kDot,
                                .hnsw = {}});
  REQUIRE(write(**node, log::CreateCollection{"mixed", definition}));
  std::vector<log::PointData> points;
  for (std::uint64_t i = 1; i <= 60; ++i) {
    log::PointData one{.id = i % 2 == 0 ? PointId::number(i) : PointId::uuid(i, i * 7919),
                       .vectors = {},
                       .payload = i % 5 == 0 ? "{}" : payload_text(i)};
    const float value = static_cast<float>(i) / 8;
    if (i % 3 != 0) one.vectors.push_back({0, {value, 1, 2, 3}, {}});
    if (i % 4 != 0) one.vectors.push_back({1, std::vector<float>(3 * (i % 3 + 1), value), {}});
    if (i % 7 != 0) one.vectors.push_back({2, {value, 2}, {std::uint32_t(i), 1'000}});
    points.push_back(std::move(one));
  }
  REQUIRE(upsert(**node, "mixed", std::move(points)));
  REQUIRE((*node)->close());
}

/// Lines without their versions, by id.
std::map<std::string, std::string> lines_of(FaultEnv& env) {
  std::map<std::string, std::string> out;
  const auto report =
      offline::salvage(env, kDataDir, {.write = [&](std::string_view text) -> Status {
                         const auto line = nlohmann::json::parse(text);
                         if (line.contains("id"))
                           out[line.at("id").dump()] = text.substr(0, text.rfind(",\"version\""));
                         return {};
                       }});
  REQUIRE(report);
  return out;
}

}  // namespace

TEST_CASE("salvage: named, sparse and multi-vectors as JSON", "[offline]") {
  FaultEnv env;
  make_mixed(env);

  const auto lines = lines_of(env);

  REQUIRE(lines.size() == 60);
  const auto two = nlohmann::json::parse(lines.at("2") + "}");
  CHECK(two.at("vectors").at("dense") == nlohmann::json({0.25, 1, 2, 3}));
  CHECK(two.at("vectors").at("multi").size() == 3);
  CHECK(two.at("vectors").at("multi").at(0) == nlohmann::json({0.25, 0.25, 0.25}));
  CHECK(two.at("vectors").at("sparse").at("indices") == nlohmann::json({2, 1'000}));
  CHECK(two.at("vectors").at("sparse").at("values") == nlohmann::json({0.25, 2}));
  const auto all_gone =
      nlohmann::json::parse(lines.at("\"" + PointId::uuid(21, 21 * 7919).to_string() + "\"") + "}");
  CHECK_FALSE(all_gone.at("vectors").contains("dense"));
}

TEST_CASE("repair: flipped bits of a segment with every kind of vector and id", "[offline]") {
  const std::uint64_t seed = Catch::rngSeed();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  FaultEnv env;
  make_mixed(env);
  const auto before = lines_of(env);
  const std::string path = named_file(env, ".seg");
  const auto bytes = read_file(env, path, 1u << 30);
  REQUIRE(bytes);
  for (int i = 0; i < kBits; ++i) {
    const auto copy = env.crash_image(1);
    const std::uint64_t bit = random() % (bytes->size() * 8);
    CAPTURE(bit);
    REQUIRE(copy->flip_bit(path, bit / 8, bit % 8));

    const auto plan = planned(*copy);
    const auto done = applied(*copy, plan.loss());

    INFO(text_of(done));
    REQUIRE(done.applied);
    REQUIRE_FALSE(checked(*copy, check::Level::kContents).damaged());
    const auto after = lines_of(*copy);
    REQUIRE(after.size() + done.loss() == before.size());
    for (const auto& [id, line] : after) {
      REQUIRE(before.contains(id));
      REQUIRE(before.at(id) == line);
    }
  }
}

TEST_CASE("segment rows: one wrong bit costs one row, unless it is in the footer", "[offline]") {
  FaultEnv env;
  make_mixed(env);
  const std::string path = named_file(env, ".seg");
  const auto whole = offline::SegmentRows::open(env, path);
  REQUIRE(whole);
  REQUIRE((*whole)->footer_sure());
  REQUIRE((*whole)->row_count() == 60);
  const std::uint64_t values_end = (*whole)->footer().payload.offset;
  // Presence bits, ranks and offsets say where the vectors of several rows are.
  const auto shared = [&](std::uint64_t byte) {
    for (const auto& column : (*whole)->footer().columns)
      for (const auto& section : {column.presence, column.ranks, column.offsets})
        if (byte >= section.offset && byte < section.end()) return true;
    return false;
  };
  for (std::uint64_t byte = 0; byte < values_end; byte += 5) {
    if (shared(byte)) continue;
    CAPTURE(byte);
    REQUIRE(env.flip_bit(path, byte, byte % 8));
    const auto rows = offline::SegmentRows::open(env, path);
    REQUIRE(rows);

    std::uint32_t sound = 0;
    for (std::uint32_t row = 0; row < 60; ++row) sound += (*rows)->row(row).sound ? 1 : 0;

    CHECK(sound >= 59);
    REQUIRE(env.flip_bit(path, byte, byte % 8));
  }
}
