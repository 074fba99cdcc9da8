// Promise: every flipped bit, cut and extension of every kind of file is found, with nothing
// written.
#include <random>

#include "storage/format/checked_file_format.h"
#include "storage/wal/log_file.h"
#include "tests/support/instrumented.h"
#include "tests/tools/offline/data_kit.h"

using namespace vz;
using namespace vz::test;
using check::FindingId;
using check::Level;

namespace {

/// Bits that one file is tried with, at most: all of a small one, else evenly spread ones.
/// Sanitizers slow each check some twenty times, and look at how it reads, not at which bit.
constexpr std::uint64_t kBitsMax = vz::test::kInstrumented ? 80 : 3'000;

struct Target {
  std::string path;
  std::uint64_t size = 0;  ///< bytes that count
  bool lossy = true;
};

struct LogExtent {
  std::uint64_t last_group = 0;  ///< where it begins
  std::uint64_t end = 0;         ///< behind the records, where bits mean nothing
};

LogExtent extent_of(Env& env, const wal::LogFileName& name) {
  auto reader = wal::LogFileReader::open(env, name);
  REQUIRE(reader);
  LogExtent extent{reader->offset(), reader->offset()};
  for (;;) {
    const auto record = reader->next();
    REQUIRE(record);
    if (!*record) return extent;
    if ((*record)->lsn == (*record)->group_lsn) extent.last_group = extent.end;
    extent.end = reader->offset();
  }
}

std::vector<Target> targets(Env& env) {
  const std::string root = kDataDir;
  std::vector<Target> out;
  const auto add = [&](const std::string& path, bool lossy) {
    const auto bytes = read_file(env, path, 1u << 30);
    REQUIRE(bytes);
    out.push_back({path, bytes->size(), lossy});
  };
  add(root + "/FORMAT", true);
  add(root + "/CURRENT", true);
  add(root + "/" + manifest::file_name(image_of(env).number), true);
  add(named_file(env, ".seg"), true);
  for (const std::string kind : {".dead-", ".index-", ".fields-"})
    add(named_file(env, kind), false);
  const auto logs = wal::list_log_files(env, root + "/wal");
  REQUIRE(logs);
  REQUIRE_FALSE(logs->empty());
  for (const auto& log : *logs) out.push_back({log.path, extent_of(env, log).end, true});
  return out;
}

/// A finding that names the file, of the class that the file has.
bool finds(const offline::CheckReport& report, const Target& target) {
  for (const auto& finding : report.findings) {
    if (std::string(kDataDir) + "/" + finding.file != target.path) continue;
    if (finding.severity == check::Severity::kNote) continue;
    if ((finding.damage == check::DamageClass::kLossy) == target.lossy) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("check: every flipped bit of every kind of file is found", "[offline]") {
  FaultEnv env;
  make_data(env, Ending::kClosed);
  const std::uint64_t seed = Catch::rngSeed();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  const auto all = targets(env);
  const auto calls = env.calls();
  for (const Target& target : all) {
    const std::uint64_t bits = target.size * 8;
    const std::uint64_t stride = (bits + kBitsMax - 1) / kBitsMax;
    for (std::uint64_t at = 0; at < bits; at += stride) {
      const std::uint64_t bit = std::min(bits - 1, at + random() % stride);
      REQUIRE(env.flip_bit(target.path, bit / 8, bit % 8));

      const auto report = checked(env, Level::kBlocks);

      INFO(target.path << " bit " << bit << "\n" << text_of(report.findings));
      REQUIRE(finds(report, target));
      REQUIRE(env.flip_bit(target.path, bit / 8, bit % 8));
    }
  }
  CHECK(env.calls() == calls);
  CHECK(checked(env, Level::kContents).findings.empty());
}

TEST_CASE("check: every file that was cut or extended is found", "[offline]") {
  FaultEnv env;
  make_data(env, Ending::kClosed);
  for (const Target& target : targets(env)) {
    const auto original = read_file(env, target.path, 1u << 30);
    REQUIRE(original);
    const bool log = target.path.ends_with(".wal");
    std::vector<std::uint64_t> sizes = {0, target.size / 2, target.size - 1};
    if (!log)
      sizes.push_back(target.size + 1);  // A log file may have any space behind its records.
    for (const std::uint64_t size : sizes) {
      REQUIRE(env.truncate_file(target.path, size));

      const auto report = checked(env, Level::kBlocks);

      INFO(target.path << " of " << target.size << " bytes made " << size << "\n"
                       << text_of(report.findings));
      CHECK(finds(report, target));
      REQUIRE(env.put_file(target.path, *original));
    }
  }
}

TEST_CASE("check: bits of a killed node's log are found, but for those of its last group",
          "[offline]") {
  FaultEnv env;
  make_data(env, Ending::kKilled);
  const auto logs = wal::list_log_files(env, std::string(kDataDir) + "/wal");
  REQUIRE(logs);
  REQUIRE(logs->size() > 1);
  for (const auto& log : *logs) {
    const bool last = log.path == logs->back().path;
    const LogExtent extent = extent_of(env, log);
    const std::uint64_t bits = 8 * (last ? extent.last_group : extent.end);
    for (std::uint64_t bit = 0; bit < bits; bit += 1 + bits / kBitsMax) {
      REQUIRE(env.flip_bit(log.path, bit / 8, bit % 8));

      const auto report = checked(env, Level::kBlocks);

      INFO(log.path << " bit " << bit << "\n" << text_of(report.findings));
      REQUIRE((report.damaged() || has(report, FindingId::kFlushedLogDamaged)));
      REQUIRE(env.flip_bit(log.path, bit / 8, bit % 8));
    }
  }
  // Nothing tells rot in the last group from a write that was cut short: at most a note.
  REQUIRE(env.flip_bit(logs->back().path, extent_of(env, logs->back()).end - 9, 0));
  const auto report = checked(env, Level::kBlocks);
  INFO(text_of(report.findings));
  CHECK(has(report, FindingId::kTornTail));
  CHECK_FALSE(report.damaged());
}

TEST_CASE("check: the spare manifest's damage is a warning that costs nothing", "[offline]") {
  FaultEnv env;
  make_data(env, Ending::kClosed);
  const auto entries = env.list(kDataDir);
  REQUIRE(entries);
  const std::uint64_t current = image_of(env).number;
  for (const auto& entry : *entries) {
    const auto number = manifest::parse_file_name(entry.name);
    if (!number || *number == current) continue;
    REQUIRE(env.flip_bit(std::string(kDataDir) + "/" + entry.name, 30, 2));
  }

  const auto report = checked(env, Level::kBlocks);

  INFO(text_of(report.findings));
  REQUIRE(report.findings.size() == 1);
  CHECK(report.findings[0].id == FindingId::kOldImageDamaged);
  CHECK(report.findings[0].damage == check::DamageClass::kNone);
}

TEST_CASE("check: bad blocks that touch are one finding, and none hides another", "[offline]") {
  constexpr std::uint64_t kBlock = format::kCheckedBlockSize;
  FaultEnv env;
  {
    node::NodeOptions options = small_node();
    options.seal_rows = 1'000;
    const auto node = node::Node::open(env, options);
    REQUIRE(node);
    REQUIRE(create(**node, "wide", 1'024));
    std::vector<log::PointData> points;
    for (std::uint64_t id = 1; id <= 120; ++id)
      points.push_back(point(id, std::vector<float>(1'024, 0.5f), "{}"));
    REQUIRE(upsert(**node, "wide", std::move(points)));
    REQUIRE((*node)->close());
  }
  const std::string segment = named_file(env, ".seg");
  for (const std::uint64_t block : {1u, 2u, 5u})
    REQUIRE(env.flip_bit(segment, block * kBlock + 9, 0));

  for (const Level level : {Level::kBlocks, Level::kContents}) {
    const auto report = checked(env, level, 3);

    INFO(text_of(report.findings));
    REQUIRE(report.findings.size() == 2);
    CHECK(report.findings[0].id == FindingId::kSegmentBlocks);
    CHECK(report.findings[0].offset == kBlock);
    CHECK(report.findings[0].length == 2 * kBlock);
    CHECK(report.findings[1].offset == 5 * kBlock);
    CHECK(report.findings[1].length == kBlock);
    CHECK(report.findings[1].collection == "wide");
  }
}

TEST_CASE("check: with CURRENT lost the newest manifest is followed", "[offline]") {
  FaultEnv env;
  make_data(env, Ending::kClosed);
  const std::string segment = named_file(env, ".seg");
  REQUIRE(env.flip_bit(std::string(kDataDir) + "/CURRENT", 3, 2));
  REQUIRE(env.flip_bit(segment, 100, 0));

  const auto report = checked(env, Level::kBlocks);

  INFO(text_of(report.findings));
  CHECK(has(report, FindingId::kCurrentDamaged));
  CHECK(has(report, FindingId::kSegmentBlocks));
  CHECK(report.manifest != 0);
}
