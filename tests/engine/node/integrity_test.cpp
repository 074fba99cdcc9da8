// The check of a running node over a disk of the tests: what the node has mapped stays as it was,
// so that everything can be mended. Rot under its mappings: integrity_live_test.cpp.
#include <catch2/catch.hpp>

#include "storage/segment/checksum_errors.h"
#include "storage/wal/log_file.h"
#include "tests/engine/node/integrity_kit.h"

using namespace vz;
using check::Level;

namespace {

struct Damage {
  std::string name;
  Status (*make)(FaultEnv&, const std::string&);
};

Status flip_first(FaultEnv& env, const std::string& path) {
  return env.flip_bit(path, 0, 3);
}
Status flip_last(FaultEnv& env, const std::string& path) {
  const auto bytes = read_file(env, path, 1u << 20);
  REQUIRE(bytes);
  return env.flip_bit(path, bytes->size() - 1, 0);
}
Status cut_short(FaultEnv& env, const std::string& path) {
  return env.truncate_file(path, 100);
}
Status remove(FaultEnv& env, const std::string& path) {
  return env.remove(path);
}

std::string newest_log_file(FaultEnv& env) {
  const auto files = env.list(std::string(test::kDataDir) + "/wal");
  REQUIRE(files);
  std::string newest;
  for (const auto& file : *files)
    if (wal::parse_log_file_name(file.name)) newest = std::max(newest, file.name);
  return std::string(test::kDataDir) + "/wal/" + newest;
}
constexpr std::uint64_t kFirstRecord = 4096;  ///< behind the header of a log file

std::string state_of(const node::Node& node) {
  std::string out;
  for (const char* name : {"docs", "more"}) {
    const auto all = test::read_all(*node.find(name));
    if (!all) return all.error().message;
    for (const auto& [id, point] : *all)
      out += id.to_string() + "@" + std::to_string(point.version) + point.payload + "\n";
  }
  return out;
}

/// What a node finds in the directory after a kill.
std::string state_after_kill(FaultEnv& env, std::unique_ptr<node::Node> node) {
  node.reset();
  env.kill_process();
  const auto opened = node::Node::open(env, test::small_node());
  if (!opened) return opened.error().message;
  return state_of(**opened);
}

std::size_t pinned_directories(FaultEnv& env) {
  const auto entries = env.list(std::string(test::kDataDir) + "/tmp");
  return entries ? entries->size() : 0;
}

}  // namespace

TEST_CASE("integrity: nothing is found in a sound node, and every living point was checked",
          "[node][integrity]") {
  FaultEnv env;
  REQUIRE(env.make_directory("/"));
  const auto node = test::node_with_all_kinds(env, test::small_node());
  const auto level = GENERATE(Level::kBlocks, Level::kContents);

  const auto all = test::checked(*node, level);
  const auto one = test::checked(*node, level, {"more"});
  const auto unknown = test::try_check(*node, {.collections = {"docs", "nothing"}});

  INFO(test::text_of(all));
  CHECK(all.findings.empty());
  CHECK(all.errors + all.warnings + all.notes == 0);
  CHECK(all.checked_vectors == test::kDocs + test::kMore);
  CHECK(all.checked_files >= 11);
  CHECK(all.log_records > 0);
  CHECK(one.checked_vectors == test::kMore);
  CHECK(one.checked_bytes < all.checked_bytes);
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().code == ErrorCode::kNotFound);
  CHECK(pinned_directories(env) == 0);
}

TEST_CASE("integrity: damage of any file of a segment is found and mended", "[node][integrity]") {
  const std::string kind = GENERATE(".seg", ".dead-", ".index-", ".fields-");
  const Damage damage = GENERATE(Damage{"first bit", flip_first}, Damage{"last bit", flip_last},
                                 Damage{"cut short", cut_short}, Damage{"removed", remove});
  const auto level = GENERATE(Level::kBlocks, Level::kContents);
  CAPTURE(kind, damage.name, int(level));
  FaultEnv env;
  REQUIRE(env.make_directory("/"));
  auto node = test::node_with_all_kinds(env, test::small_node());
  const std::string before = state_of(*node);
  const std::string path = test::file_of_docs(env, *node, test::kDataDir, kind);
  REQUIRE(damage.make(env, path));
  const auto errors_before = segment::checksum_errors();

  const auto found = test::checked(*node, level);
  const auto again = test::checked(*node, Level::kContents);

  INFO(test::text_of(found));
  INFO(test::text_of(again));
  REQUIRE(found.findings.size() == 1);
  CHECK(found.findings[0].mended);
  CHECK(std::string(test::kDataDir) + "/" + found.findings[0].what.file == path);
  CHECK(found.findings[0].what.collection == "docs");
  CHECK(found.errors == (kind == ".seg" ? 1 : 0));
  CHECK(found.warnings == (kind == ".seg" ? 0 : 1));
  CHECK(again.findings.empty());
  CHECK((damage.name == "removed" || segment::checksum_errors() > errors_before));
  CHECK(node->numbers().index_errors == (kind == ".index-" ? 1 : 0));
  CHECK(test::health_of_segments(*node).healthy);
  CHECK(state_of(*node) == before);
  CHECK(state_after_kill(env, std::move(node)) == before);
}

TEST_CASE("integrity: what is wrong with the manifest is published anew", "[node][integrity]") {
  const std::string name = GENERATE("CURRENT", "MANIFEST");
  const Damage damage = GENERATE(Damage{"first bit", flip_first}, Damage{"removed", remove});
  CAPTURE(name, damage.name);
  FaultEnv env;
  REQUIRE(env.make_directory("/"));
  auto node = test::node_with_all_kinds(env, test::small_node());
  const std::string before = state_of(*node);
  const auto number = manifest::read_current(env, test::kDataDir);
  REQUIRE(number);
  const std::string file = name == "CURRENT" ? name : manifest::file_name(*number);
  REQUIRE(damage.make(env, std::string(test::kDataDir) + "/" + file));

  const auto found = test::checked(*node, Level::kBlocks);
  const auto again = test::checked(*node, Level::kBlocks);

  INFO(test::text_of(found));
  REQUIRE(found.findings.size() == 1);
  CHECK(found.findings[0].what.file == file);
  CHECK(found.findings[0].mended);
  CHECK(again.findings.empty());
  CHECK(state_after_kill(env, std::move(node)) == before);
}

TEST_CASE("integrity: a damaged FORMAT is told, and is not the node's to make",
          "[node][integrity]") {
  FaultEnv env;
  REQUIRE(env.make_directory("/"));
  const auto node = test::node_with_all_kinds(env, test::small_node());
  REQUIRE(env.flip_bit(std::string(test::kDataDir) + "/FORMAT", 9, 3));

  const auto found = test::checked(*node, Level::kBlocks);

  REQUIRE(found.findings.size() == 1);
  CHECK(found.findings[0].what.id == check::FindingId::kFormatDamaged);
  CHECK_FALSE(found.findings[0].mended);
}

TEST_CASE("integrity: records of a damaged log become segments while they are in memory",
          "[node][integrity]") {
  const bool removed = GENERATE(false, true);
  CAPTURE(removed);
  FaultEnv env;
  REQUIRE(env.make_directory("/"));
  auto node = test::node_with_all_kinds(env, test::small_node());
  const std::string before = state_of(*node);
  const std::string file = newest_log_file(env);
  REQUIRE((removed ? env.remove(file) : env.flip_bit(file, kFirstRecord + 60, 3)));

  const auto found = test::checked(*node, Level::kBlocks);
  const auto again = test::checked(*node, Level::kBlocks);

  INFO(test::text_of(found));
  REQUIRE(found.findings.size() == 1);
  CHECK(found.errors == 1);
  CHECK(found.findings[0].what.file.starts_with("wal"));
  CHECK(found.findings[0].mended);
  INFO(test::text_of(again));
  CHECK(again.findings.empty());
  CHECK(state_after_kill(env, std::move(node)) == before);
}

TEST_CASE("integrity: a stop ends it in the middle of a pause, and leaves nothing behind",
          "[node][integrity]") {
  FaultEnv env;
  REQUIRE(env.make_directory("/"));
  const auto node = test::node_with_all_kinds(env, test::small_node());
  std::stop_source stop;
  const node::Watch watch{.stop = stop.get_token(),
                          .on_progress = [&](double) { stop.request_stop(); }};

  // At a byte a second the first pause alone would outlast any patience.
  const auto report = test::try_check(*node, {.limit_rate_bytes = 1}, watch);

  REQUIRE_FALSE(report);
  CHECK(report.error().code == ErrorCode::kCancelled);
  CHECK(pinned_directories(env) == 0);
  CHECK(test::checked(*node, Level::kContents).findings.empty());
}

TEST_CASE("integrity: a stop later in the check is no finding either", "[node][integrity]") {
  FaultEnv env;
  REQUIRE(env.make_directory("/"));
  const auto node = test::node_with_all_kinds(env, test::small_node());
  int steps = 0;
  REQUIRE(test::try_check(*node, {.level = Level::kContents, .limit_rate_bytes = 1'000'000'000},
                          {.on_progress = [&](double) { ++steps; }}));
  REQUIRE(steps > 10);

  for (int at = 1; at <= steps; ++at) {
    CAPTURE(at);
    std::stop_source stop;
    int step = 0;
    node::IntegrityReport last;
    const node::Watch watch{.stop = stop.get_token(), .on_progress = [&](double) {
                              if (++step == at) stop.request_stop();
                            }};
    const auto report = node->maintenance().check_integrity(
        {.level = Level::kContents, .limit_rate_bytes = 1'000'000'000}, watch,
        [&](const node::IntegrityReport& so_far) { last = so_far; });
    INFO(test::text_of(last));
    CHECK(last.findings.empty());
    CHECK((report || report.error().code == ErrorCode::kCancelled));
  }
}

TEST_CASE("integrity: what a merge takes away in the middle of a check is no damage",
          "[node][integrity]") {
  FaultEnv env;
  REQUIRE(env.make_directory("/"));
  const auto node = test::node_with_all_kinds(env, test::small_node());
  const std::string before = state_of(*node);
  const std::string first_file = test::file_of_docs(env, *node, test::kDataDir, ".seg");
  int reports = 0;

  // After the directory, the log and the first segment of "docs" all is written anew, and the old
  // files go.
  const auto report = node->maintenance().check_integrity(
      {.level = Level::kContents, .limit_rate_bytes = 1'000'000'000}, {},
      [&](const node::IntegrityReport&) {
        if (++reports == 3) REQUIRE(node->maintenance().compact({}));
      });

  REQUIRE(report);
  INFO(test::text_of(*report));
  CHECK(report->findings.empty());
  CHECK(reports > 4);  // There was a second segment.
  CHECK_FALSE(env.exists(first_file));
  CHECK(pinned_directories(env) == 0);
  CHECK(state_of(*node) == before);
}
