// A disk that is full, or as good as: what is refused, what goes on, and that nothing is lost.
#include <atomic>

#include <catch2/catch.hpp>

#include "engine/node/disk_guard.h"
#include "storage/store/ballast.h"
#include "tests/support/test_node.h"

using namespace vz;
using namespace vz::test;

namespace {

constexpr std::uint64_t kMib = 1u << 20;
constexpr DiskSpace kRoomy{.free_bytes = 1024 * kMib, .total_bytes = 2048 * kMib};
/// 5 % of the disk is in reserve: 102 MiB.
constexpr DiskSpace kFull{.free_bytes = 90 * kMib, .total_bytes = 2048 * kMib};
const store::Paths kPaths{kDataDir};

node::NodeOptions watchful() {
  node::NodeOptions options = small_node();
  options.disk_reserve_bytes.reset();
  options.disk_look_every = std::chrono::milliseconds(0);
  return options;
}

std::unique_ptr<node::Node> open(FaultEnv& env, node::NodeOptions options = watchful()) {
  auto node = node::Node::open(env, std::move(options));
  INFO((node ? std::string() : node.error().message));
  REQUIRE(node);
  return *std::move(node);
}

Result<log::WriteOutcome> write_one(node::Node& node, log::PointOperation operation) {
  std::vector<log::PointOperation> operations;
  operations.push_back(std::move(operation));
  return write(node, points_write(node, "a", std::move(operations)));
}

node::HealthCheck check_of(const node::Node& node, const std::string& name) {
  for (const auto& check : node.health())
    if (check.name == name) return check;
  return {.name = "none", .healthy = false, .detail = {}};
}

/// Fails every attempt to make room for new files, as a full disk does.
void fill_up(FaultEnv& env) {
  env.fail_from(0, {.code = ErrorCode::kNoSpace, .only = FaultCall::kFill});
}

}  // namespace

TEST_CASE("full disk: growth is refused below the reserve; deletes, reads and recovery go on",
          "[node]") {
  FaultEnv env;
  REQUIRE(env.make_directory("/"));
  env.set_disk_space(kRoomy);
  auto node = open(env);
  REQUIRE(create(*node, "a"));
  REQUIRE(create(*node, "b"));
  REQUIRE(upsert(*node, "a", {point(1, {1, 0, 0, 0}, "{}"), point(2, {0, 1, 0, 0}, "{}")}));

  env.set_disk_space(kFull);
  const PointId one = PointId::number(1);
  const auto refused = upsert(*node, "a", {point(3, {1, 1, 0, 0}, "{}")});
  const auto payload = write_one(
      *node,
      log::SetPayload{.points = std::vector<PointId>{one}, .payload = R"({"a":1})", .key = {}});
  const auto created = create(*node, "c");
  const auto erased = erase(*node, "a", {one});
  const auto dropped = write(*node, log::DropCollection{"b"});

  for (const auto* outcome : {&refused, &payload, &created}) {
    REQUIRE_FALSE(*outcome);
    CHECK(outcome->error().code == ErrorCode::kNoSpace);
    CHECK(outcome->error().message.find(std::to_string(kFull.free_bytes)) != std::string::npos);
  }
  CHECK(erased);
  CHECK(dropped);
  CHECK_FALSE(node->poisoned());
  CHECK_FALSE(check_of(*node, "disk").healthy);
  CHECK(check_of(*node, "disk").ready);
  const auto now = read_all(*node->find("a"));
  REQUIRE(now);
  CHECK(now->size() == 1);

  env.set_disk_space(kRoomy);
  CHECK(upsert(*node, "a", {point(3, {1, 1, 0, 0}, "{}")}));
  CHECK(check_of(*node, "disk").healthy);
}

TEST_CASE("full disk: the reserve can be set, and 0 sets none", "[node]") {
  const auto [reserve, admitted] =
      GENERATE(table<std::uint64_t, bool>({{0, true}, {89 * kMib, true}, {91 * kMib, false}}));
  CAPTURE(reserve);
  FaultEnv env;
  REQUIRE(env.make_directory("/"));
  env.set_disk_space(kFull);
  auto options = watchful();
  options.disk_reserve_bytes = reserve;
  auto node = open(env, options);

  const auto created = create(*node, "a");

  CHECK(created.has_value() == admitted);
}

TEST_CASE("full disk: a log without room for a new file refuses the write and is not broken",
          "[node]") {
  FaultEnv env;
  REQUIRE(env.make_directory("/"));
  auto node = open(env);
  REQUIRE(create(*node, "a"));
  fill_up(env);
  std::vector<Lsn> acknowledged;
  std::size_t refused = 0;
  for (std::uint64_t id = 1; id <= 50; ++id) {
    const auto outcome = upsert(*node, "a", {point(id, {1, 0, 0, static_cast<float>(id)}, "{}")});
    if (outcome) {
      CHECK(refused == 0);
      acknowledged.push_back(id);
      continue;
    }
    ++refused;
    CHECK(outcome.error().code == ErrorCode::kNoSpace);
  }
  REQUIRE(refused > 0);
  CHECK_FALSE(node->poisoned());
  CHECK(read_all(*node->find("a"))->size() == acknowledged.size());

  env.heal();
  const auto again = upsert(*node, "a", {point(99, {1, 0, 0, 99}, "{}")});
  REQUIRE(again);
  node.reset();
  env.lose_power_worst();
  node = open(env);

  const auto after = read_all(*node->find("a"));
  REQUIRE(after);
  CHECK(after->size() == acknowledged.size() + 1);
  for (const Lsn id : acknowledged) CHECK(after->count(PointId::number(id)) == 1);
}

TEST_CASE("full disk: the ballast makes room for the log and for the end", "[node]") {
  FaultEnv env;
  REQUIRE(env.make_directory("/"));
  auto node = open(env);
  REQUIRE(create(*node, "a"));
  REQUIRE(store::make_ballast(env, kPaths, 4 * kMib));
  REQUIRE(store::present_ballast_bytes(env, kPaths) == 4 * kMib);
  REQUIRE(upsert(*node, "a", {point(1, {1, 0, 0, 0}, "{}")}));

  // One call fails: the next would find the space that the ballast gave.
  env.fail_at(0, {.code = ErrorCode::kNoSpace, .only = FaultCall::kFill});
  std::uint64_t id = 2;
  while (!env.fault_hit() && id < 100) {
    const auto outcome = upsert(*node, "a", {point(id++, {1, 0, 0, 0}, "{}")});
    INFO((outcome ? std::string() : outcome.error().message));
    REQUIRE(outcome);
  }
  REQUIRE(env.fault_hit());
  REQUIRE(store::make_ballast(env, kPaths, 4 * kMib));
  env.fail_at(0, {.code = ErrorCode::kNoSpace, .only = FaultCall::kWrite});
  const Status closed = node->close();

  INFO((closed ? std::string() : closed.error().message));
  CHECK(closed);
  CHECK(store::present_ballast_bytes(env, kPaths) == 0);
  env.heal();
  node.reset();
  node = open(env);
  CHECK(read_all(*node->find("a"))->size() == id - 1);
}

TEST_CASE("full disk: the ballast is made when there is room and let go when there is none",
          "[node]") {
  FaultEnv env;
  REQUIRE(env.make_directory("/"));
  REQUIRE(env.make_directory(kDataDir));
  env.set_disk_space(kRoomy);
  node::DiskGuard guard(env, kPaths, {.reserve_bytes = {}, .look_every = std::chrono::seconds(0)});

  guard.tend();
  CHECK(store::present_ballast_bytes(env, kPaths) == store::ballast_bytes(guard.reserve_bytes()));

  env.set_disk_space(kFull);
  guard.tend();
  CHECK(env.exists(store::ballast_path(kPaths)));

  env.set_disk_space({.free_bytes = 1 * kMib, .total_bytes = kFull.total_bytes});
  guard.tend();
  CHECK_FALSE(env.exists(store::ballast_path(kPaths)));

  env.set_disk_space(kFull);
  guard.tend();
  CHECK_FALSE(env.exists(store::ballast_path(kPaths)));
}

TEST_CASE("memory: writes are refused from 85 %, searches from 95 %, deletes never", "[node]") {
  FaultEnv env;
  REQUIRE(env.make_directory("/"));
  std::atomic<std::uint64_t> usage{0};
  auto options = watchful();
  options.memory = {.limit_bytes = 1'000,
                    .usage = [&] { return usage.load(); },
                    .look_every = std::chrono::milliseconds(0)};
  auto node = open(env, options);
  REQUIRE(create(*node, "a"));
  REQUIRE(upsert(*node, "a", {point(1, {1, 0, 0, 0}, "{}")}));

  usage = 849;
  CHECK(upsert(*node, "a", {point(2, {1, 0, 0, 0}, "{}")}));
  CHECK(check_of(*node, "memory").healthy);
  usage = 850;
  const auto refused = upsert(*node, "a", {point(3, {1, 0, 0, 0}, "{}")});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kUnavailable);
  CHECK(refused.error().message.find("850 of 1000 bytes") != std::string::npos);
  CHECK_FALSE(check_of(*node, "memory").healthy);
  CHECK(node->admit_search());
  usage = 950;
  CHECK_FALSE(node->admit_search());
  CHECK(erase(*node, "a", {PointId::number(1)}));
  usage = 100;
  CHECK(node->admit_search());
  CHECK(upsert(*node, "a", {point(3, {1, 0, 0, 0}, "{}")}));
}
