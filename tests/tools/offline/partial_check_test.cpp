// Checks of a part: samples that together are everything, and runs that go on with each other.
#include "storage/format/checked_file_format.h"
#include "tests/tools/offline/data_kit.h"
#include "tools/offline/check_state.h"
#include "tools/offline/sample.h"

using namespace vz;
using namespace vz::test;
using check::FindingId;
using check::Level;
using offline::Sample;

namespace {

/// One segment of some 2.4 MiB, so that a sample has runs to choose from.
void make_wide_data(FaultEnv& env) {
  node::NodeOptions options = small_node();
  options.seal_rows = 10'000;
  options.log_file_bytes = 16u << 20;
  const auto node = node::Node::open(env, options);
  REQUIRE(node);
  REQUIRE(create(**node, "wide", 1'024));
  std::vector<log::PointData> points;
  for (std::uint64_t id = 1; id <= 600; ++id)
    points.push_back(point(id, std::vector<float>(1'024, static_cast<float>(id)), "{}"));
  REQUIRE(upsert(**node, "wide", std::move(points)));
  REQUIRE((*node)->close());
}

offline::CheckReport sampled(Env& env, Level level, const Sample& sample) {
  auto report = offline::check(env, kDataDir, {.level = level, .sample = sample});
  REQUIRE(report);
  return std::move(*report);
}

Sample turn(std::uint64_t part, std::uint64_t parts) {
  return {.kind = Sample::Kind::kTurn, .part = part, .parts = parts};
}

}  // namespace

TEST_CASE("sample: parts, shares and sizes are read; all else is refused", "[offline]") {
  const auto part = offline::parse_sample("3/7", 9);
  const auto share = offline::parse_sample("12.5%", 9);
  const auto size = offline::parse_sample("10GiB", 9);

  REQUIRE(part);
  CHECK(part->kind == Sample::Kind::kTurn);
  CHECK(part->part == 3);
  CHECK(part->parts == 7);
  REQUIRE(share);
  CHECK(share->share == 0.125);
  CHECK(share->seed == 9);
  REQUIRE(size);
  CHECK(size->bytes == 10ull << 30);
  for (const std::string bad : {"", "0/7", "8/7", "1/0", "1/10001", "-1/7", "1/7x", "0%", "101%",
                                "%", "nan%", "-5%", "0", "5 parsecs", "/", "1//7"}) {
    CAPTURE(bad);
    CHECK_FALSE(offline::parse_sample(bad, 0));
  }
}

TEST_CASE("sample: every damaged block is found in one turn of seven, and in no other",
          "[offline]") {
  constexpr std::uint64_t kRun = 16 * format::kCheckedBlockSize;
  FaultEnv env;
  make_wide_data(env);
  const std::string segment = named_file(env, ".seg");
  for (const std::uint64_t run : {0u, 1u, 2u}) {
    CAPTURE(run);
    REQUIRE(env.flip_bit(segment, run * kRun + 77'777, 2));
    unsigned found = 0;
    for (std::uint64_t part = 1; part <= 7; ++part)
      found += has(sampled(env, Level::kBlocks, turn(part, 7)), FindingId::kSegmentBlocks);
    REQUIRE(env.flip_bit(segment, run * kRun + 77'777, 2));

    CHECK(found == 1);
  }
}

TEST_CASE("sample: from level 3 on whole segments take turns", "[offline]") {
  FaultEnv env;
  make_data(env, Ending::kClosed);
  const std::string segment = named_file(env, ".seg");
  REQUIRE(env.flip_bit(segment, 100, 0));
  unsigned found = 0;
  std::uint64_t pieces = 0;
  for (std::uint64_t part = 1; part <= 3; ++part) {
    const auto report = sampled(env, Level::kContents, turn(part, 3));
    found += has(report, FindingId::kSegmentBlocks);
    pieces += report.pieces;
    CHECK_FALSE(has(report, FindingId::kPointCount));  // What was not counted is not compared.
    CHECK_FALSE(has(report, FindingId::kDigest));
  }

  CHECK(found == 1);
  CHECK(pieces == sampled(env, Level::kContents, {}).pieces);
}

TEST_CASE("sample: a small share or size still reads something, a whole one everything",
          "[offline]") {
  FaultEnv env;
  make_wide_data(env);
  const std::uint64_t all = sampled(env, Level::kBlocks, {}).pieces;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    CAPTURE(seed);
    const Sample little{.kind = Sample::Kind::kBytes, .bytes = 1, .seed = seed};
    const Sample whole{.kind = Sample::Kind::kShare, .share = 1, .seed = seed};
    CHECK(sampled(env, Level::kBlocks, little).pieces >= 1);
    CHECK(sampled(env, Level::kBlocks, whole).pieces == all);
  }
}

TEST_CASE("resume: runs without time go on with each other, and find what one run finds",
          "[offline]") {
  for (const Level level : {Level::kBlocks, Level::kContents}) {
    CAPTURE(static_cast<int>(level));
    FaultEnv env;
    make_data(env, Ending::kClosed);
    REQUIRE(env.flip_bit(named_file(env, ".seg"), 100, 0));
    REQUIRE(env.flip_bit(named_file(env, ".index-"), 70, 1));
    const auto whole = checked(env, level);
    offline::CheckState state{.about = "test"};
    std::uint64_t before = 0;
    unsigned runs = 0;
    for (bool complete = false; !complete; ++runs) {
      REQUIRE(runs < 100);
      const auto report = offline::check(
          env, kDataDir,
          {.level = level, .duration_max = std::chrono::milliseconds(1), .state = &state});
      REQUIRE(report);
      complete = report->complete();
      CHECK(report->pieces_done > before);
      before = report->pieces_done;
      // Each run begins with what the one before has written.
      const auto again = offline::decode_check_state(offline::encode_check_state(state));
      REQUIRE(again);
      state = *again;
      if (complete) CHECK(text_of(report->findings) == text_of(whole.findings));
    }
    CHECK(before == whole.pieces);
  }
}

TEST_CASE("resume: what is no state is refused with its name", "[offline]") {
  FaultEnv env;
  for (const std::string text : {"", "{}", "[]", "{\"schema\":\"other\"}", "nonsense"}) {
    CAPTURE(text);
    REQUIRE(env.put_file("/state", as_bytes(text)));

    const auto state = offline::load_check_state(env, "/state");

    REQUIRE_FALSE(state);
    CHECK(state.error().code == ErrorCode::kInvalidArgument);
    CHECK(state.error().message.find("/state") != std::string::npos);
  }
  const auto absent = offline::load_check_state(env, "/absent");
  REQUIRE(absent);
  CHECK(absent->done.empty());
}
