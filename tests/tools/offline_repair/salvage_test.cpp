// Promise: a salvage writes exactly the points that a node serves after a repair, and changes
// nothing.
#include "tools/offline/salvage.h"

#include <random>
#include <sstream>

#include <nlohmann/json.hpp>
#include <zstd.h>

#include "storage/wal/log_file.h"
#include "tests/support/instrumented.h"
#include "tests/tools/offline_repair/repair_kit.h"
#include "tools/offline/line_writer.h"

using namespace vz;
using namespace vz::test;

namespace {

constexpr int kHarmsPerFile = vz::test::kInstrumented ? 1 : 12;

struct Salvaged {
  NodeStates states;
  nlohmann::json summary;
  offline::SalvageReport report;
};

PointId id_of(const nlohmann::json& id) {
  if (id.is_number()) return PointId::number(id.get<std::uint64_t>());
  return *PointId::parse_uuid(id.get<std::string>());
}

Salvaged salvaged(FaultEnv& env, std::uint64_t memory_bytes = 96u << 20) {
  Salvaged out;
  bool ended = false;
  offline::SalvageOptions options{.memory_bytes = memory_bytes};
  options.write = [&](std::string_view text) -> Status {
    REQUIRE_FALSE(ended);
    const auto line = nlohmann::json::parse(text);
    if (line.contains("summary")) {
      out.summary = line.at("summary");
      ended = true;
      return {};
    }
    PointState state;
    state.version = line.at("version");
    if (line.contains("vector")) state.values = line.at("vector").get<std::vector<float>>();
    const std::size_t at = text.find("\"payload\":") + 10;
    state.payload = text.substr(at, text.rfind(",\"version\"") - at);
    auto& collection = out.states[line.at("collection").get<std::string>()];
    REQUIRE(collection.emplace(id_of(line.at("id")), state).second);
    return {};
  };
  const auto calls = env.calls();
  auto report = offline::salvage(env, kDataDir, options);
  INFO((report ? std::string() : report.error().message));
  REQUIRE(report);
  REQUIRE(ended);
  REQUIRE(env.calls() == calls);
  out.report = std::move(*report);
  return out;
}

/// A collection without a point has no line.
NodeStates with_points(NodeStates states) {
  std::erase_if(states, [](const auto& one) { return one.second.empty(); });
  return states;
}

/// The log holds every kind of operation, on rows of segments and on its own.
void make_edited(FaultEnv& env) {
  auto opened = node::Node::open(env, small_node());
  REQUIRE(opened);
  node::Node& node = **opened;
  REQUIRE(create(node, "docs"));
  REQUIRE(create(node, "gone"));
  REQUIRE(upsert(node, "docs", some_points(1, 12)));
  REQUIRE(upsert(node, "gone", some_points(1, 2)));
  REQUIRE(node.seal());
  const auto ids = [](std::initializer_list<std::uint64_t> list) {
    std::vector<PointId> out;
    for (const std::uint64_t id : list) out.push_back(PointId::number(id));
    return out;
  };
  const auto edit = [&](log::PointOperation operation) {
    REQUIRE(write(node, points_write(node, "docs", {std::move(operation)})));
  };
  edit(log::SetPayload{.points = ids({1, 2}), .payload = "{\"set\":1}", .key = {}});
  edit(log::SetPayload{.points = ids({2}), .payload = "{\"deep\":true}", .key = "sub"});
  edit(log::OverwritePayload{.points = ids({3}), .payload = "{\"over\":[1,2]}"});
  edit(log::DeletePayload{.points = ids({4}), .keys = {"name"}});
  edit(log::ClearPayload{.points = ids({5})});
  edit(log::UpdateVectors{.points = {point(6, {8, 8, 8, 8}, "{}")}});
  edit(log::DeleteVectors{.points = ids({7}), .columns = {0}});
  edit(log::DeletePoints{.points = ids({8})});
  REQUIRE(upsert(node, "docs", some_points(100, 3)));
  edit(log::SetPayload{.points = ids({100}), .payload = "{\"set\":2}", .key = {}});
  REQUIRE(create(node, "late"));
  REQUIRE(upsert(node, "late", some_points(1, 2)));
  REQUIRE(write(node, log::DropCollection{"gone"}));
  opened->reset();
  env.kill_process();
}

}  // namespace

TEST_CASE("salvage: a sound directory's points, those of the log too", "[offline]") {
  for (int kind = 0; kind < 3; ++kind) {
    CAPTURE(kind);
    FaultEnv env;
    if (kind == 2) {
      make_edited(env);
    } else {
      make_data(env, kind == 0 ? Ending::kClosed : Ending::kKilled);
    }
    const NodeStates expected = served(env);
    std::uint64_t points = 0;
    for (const auto& [name, state] : expected) points += state.size();

    const Salvaged all = salvaged(env);
    const Salvaged in_parts = salvaged(env, 100);

    CHECK(all.states == with_points(expected));
    CHECK(in_parts.states == all.states);
    CHECK(all.summary.at("points") == points);
    CHECK(all.summary.at("complete") == true);
    CHECK(all.report.complete());
  }
}

TEST_CASE("salvage: of damaged files what a node serves after the repair", "[offline]") {
  const std::uint64_t seed = Catch::rngSeed();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  FaultEnv env;
  make_data(env, Ending::kKilled);
  for (const auto& [path, bytes] : files_in(env)) {
    if (bytes.empty() || path.find("spare") != std::string::npos) continue;
    for (int i = 0; i < kHarmsPerFile; ++i) {
      const auto copy = env.crash_image(1);
      const std::uint64_t bit = random() % (bytes.size() * 8);
      if (i % 3 == 2) {
        REQUIRE(copy->truncate_file(path, bit / 8));
      } else {
        REQUIRE(copy->flip_bit(path, bit / 8, bit % 8));
      }
      INFO(path << (i % 3 == 2 ? " cut at byte " : " bit ") << (i % 3 == 2 ? bit / 8 : bit));

      const Salvaged found = salvaged(*copy);

      const auto report = applied(*copy, 1'000'000);
      INFO(text_of(report));
      REQUIRE(found.states == with_points(served(*copy)));
      REQUIRE(found.report.complete() ==
              (report.records.records == 0 &&
               std::all_of(report.points.begin(), report.points.end(),
                           [](const auto& lost) { return lost.gone_count() == 0; })));
    }
  }
}

TEST_CASE("salvage: an error of the writer ends it", "[offline]") {
  FaultEnv env;
  make_data(env, Ending::kClosed);
  int lines = 0;

  const auto report =
      offline::salvage(env, kDataDir, {.write = [&](std::string_view) -> Status {
                         return ++lines < 3 ? Status() : fail(ErrorCode::kNoSpace, "full");
                       }});

  REQUIRE_FALSE(report);
  CHECK(report.error().code == ErrorCode::kNoSpace);
  CHECK(lines == 3);
}

TEST_CASE("line writer: what was added comes back, as it is or out of zstd", "[offline]") {
  FaultEnv env;
  REQUIRE(env.make_directory("/out"));
  std::string expected;
  for (int i = 0; i < 60'000; ++i) expected += "line " + std::to_string(i * 7919) + "\n";
  for (const std::string path : {"/out/a.jsonl", "/out/a.jsonl.zst"}) {
    CAPTURE(path);
    {
      const auto writer = offline::LineWriter::create(env, path);
      REQUIRE(writer);
      std::istringstream lines(expected);
      for (std::string line; std::getline(lines, line);) REQUIRE((*writer)->add(line));
      REQUIRE((*writer)->finish());
    }
    const auto bytes = read_file(env, path, 1u << 24);
    REQUIRE(bytes);
    std::string text(as_text(*bytes));
    if (path.ends_with(".zst")) {
      CHECK(bytes->size() < expected.size());
      text.assign(expected.size() + 1, ' ');
      text.resize(ZSTD_decompress(text.data(), text.size(), bytes->data(), bytes->size()));
    }
    CHECK(text == expected);
    const auto again = offline::LineWriter::create(env, path);
    REQUIRE_FALSE(again);
    CHECK(again.error().code == ErrorCode::kAlreadyExists);
  }
}
