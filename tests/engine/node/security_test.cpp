// Keys and rules about addresses on a whole node: what was acknowledged is in force after whatever
// crash, and what was revoked never comes back.
#include <atomic>
#include <future>

#include <catch2/catch.hpp>

#include "engine/limits.h"
#include "engine/security/security_file.h"
#include "tests/support/test_node.h"

using namespace vz;
using security::ApiKey;
using security::Scope;

namespace {

ApiKey new_key() {
  const security::FreshSecret fresh = security::make_secret();
  ApiKey key;
  key.id = fresh.id;
  key.name = "app";
  key.secret_sha256 = fresh.sha256;
  key.scopes.add(Scope::kAdmin);
  return key;
}

security::BlockIps block(const std::string& range) {
  return {.ranges = {*security::parse_cidr(range)}, .reason = "scan", .ttl_us = {}};
}

struct Fixture {
  FaultEnv env;
  node::NodeOptions options = test::small_node();
  std::unique_ptr<node::Node> node;

  Fixture() {
    REQUIRE(env.make_directory("/"));
    options.log_file_bytes = 1u << 20;  // None begins while calls are counted or made to fail.
    open();
  }
  void open() {
    options.security = security::publish({});  // As a new process has it.
    auto opened = node::Node::open(env, options);
    INFO((opened ? "" : opened.error().message));
    REQUIRE(opened);
    node = *std::move(opened);
  }
  void change(const security::Request& request) {
    const auto changed = node->change_security(request);
    INFO((changed ? "" : changed.error().message));
    REQUIRE(changed);
  }
  [[nodiscard]] std::shared_ptr<const security::State> now() const {
    return options.security->load();
  }
  [[nodiscard]] security::State in_file() {
    const auto checkpoint = security::load(env, test::kDataDir);
    REQUIRE(checkpoint);
    return checkpoint->state;
  }
};

}  // namespace

TEST_CASE("security: a change is in force, and in security.json, when it is acknowledged",
          "[node][security]") {
  Fixture fixture;
  const ApiKey key = new_key();

  fixture.change(security::CreateKey{key});
  CHECK(fixture.now()->find(key.id) != nullptr);
  CHECK(fixture.in_file() == *fixture.now());

  fixture.change(block("10.0.0.0/8"));
  fixture.change(security::RevokeKey{key.id});
  CHECK(fixture.now()->find(key.id) == nullptr);
  CHECK(fixture.now()->ip_rules.all().size() == 1);
  CHECK(fixture.in_file() == *fixture.now());
}

TEST_CASE("security: it survives a kill, a clean end, and the loss of the log",
          "[node][security]") {
  Fixture fixture;
  const ApiKey kept = new_key();
  const ApiKey revoked = new_key();
  fixture.change(security::CreateKey{kept});
  fixture.change(security::CreateKey{revoked});
  fixture.change(security::RevokeKey{revoked.id});
  fixture.change(block("1.2.3.4"));
  const security::State before = *fixture.now();

  SECTION("a kill") {
    fixture.env.kill_process();
    fixture.node.reset();
  }
  SECTION("a power cut") {
    fixture.env.lose_power_worst();
    fixture.node.reset();
  }
  SECTION("a clean end") {
    REQUIRE(fixture.node->close());
    fixture.node.reset();
  }
  SECTION("records in the log that the file has already") {
    // As when security.json was published, and the log could not be cut yet.
    REQUIRE(test::create(*fixture.node, "a"));
    fixture.env.kill_process();
    fixture.node.reset();
  }
  fixture.open();

  CHECK(*fixture.now() == before);
  CHECK(fixture.now()->revoked.contains(revoked.id));
}

TEST_CASE("security: whichever call fails, what was acknowledged holds after a power cut",
          "[node][security][fault]") {
  constexpr std::uint64_t kNone = 1'000'000;  // The first run counts the calls.
  std::uint64_t calls = 0;
  for (std::uint64_t run = 0; run <= calls; ++run) {
    const std::uint64_t fault = run == 0 ? kNone : run - 1;
    CAPTURE(fault);
    Fixture fixture;
    const ApiKey kept = new_key();
    const ApiKey revoked = new_key();
    fixture.change(security::CreateKey{revoked});
    const std::uint64_t begin = fixture.env.calls();
    fixture.env.fail_at(fault);

    const bool made = fixture.node->change_security(security::CreateKey{kept}).has_value();
    const bool gone = fixture.node->change_security(security::RevokeKey{revoked.id}).has_value();
    const bool blocked = fixture.node->change_security(block("1.2.3.4")).has_value();
    if (run == 0) calls = fixture.env.calls() - begin;
    fixture.env.heal();
    fixture.env.lose_power(fault);
    fixture.node.reset();
    fixture.open();

    if (made) CHECK(fixture.now()->find(kept.id) != nullptr);
    if (gone) CHECK(fixture.now()->find(revoked.id) == nullptr);
    if (blocked) CHECK(fixture.now()->ip_rules.blocks(*security::parse_address("1.2.3.4"), 0));
    if (gone) CHECK(fixture.in_file().revoked.contains(revoked.id));
  }
  CHECK(calls > 5);
}

TEST_CASE("security: a security.json that cannot be written is an error, and made up for",
          "[node][security][fault]") {
  Fixture fixture;
  const ApiKey key = new_key();
  fixture.change(security::CreateKey{key});
  fixture.env.fail_from(0, {.only = FaultCall::kRename});

  const auto revoked = fixture.node->change_security(security::RevokeKey{key.id});

  REQUIRE_FALSE(revoked);
  CHECK(revoked.error().message.find("the change is in force") != std::string::npos);
  CHECK(fixture.now()->find(key.id) == nullptr);  // It is: better too closed than too open.
  CHECK(fixture.in_file().find(key.id) != nullptr);
  fixture.env.heal();
  fixture.change(block("1.2.3.4"));
  CHECK(fixture.in_file().find(key.id) == nullptr);
}

TEST_CASE("security: the log goes only after security.json holds what was in it",
          "[node][security][fault]") {
  Fixture fixture;
  const ApiKey key = new_key();
  fixture.change(security::CreateKey{new_key()});
  fixture.env.fail_at(0, {.only = FaultCall::kRename});
  REQUIRE_FALSE(fixture.node->change_security(security::CreateKey{key}));
  fixture.env.heal();
  REQUIRE(test::create(*fixture.node, "a"));

  CHECK(fixture.node->settle());  // Its image says that no start needs the record any more.
  fixture.env.kill_process();
  fixture.node.reset();
  fixture.open();

  CHECK(fixture.now()->find(key.id) != nullptr);
  CHECK(fixture.in_file().find(key.id) != nullptr);
}

TEST_CASE("security: a damaged security.json is no start, and is named", "[node][security]") {
  Fixture fixture;
  fixture.change(security::CreateKey{new_key()});
  REQUIRE(fixture.node->close());
  fixture.node.reset();
  REQUIRE(fixture.env.flip_bit("/data/security.json", 120, 0));

  const auto opened = node::Node::open(fixture.env, fixture.options);

  REQUIRE_FALSE(opened);
  CHECK(opened.error().code == ErrorCode::kCorruption);
  CHECK(opened.error().message.find("/data/security.json") != std::string::npos);
}

TEST_CASE("security: a file from another directory is taken over as of this log",
          "[node][security]") {
  Fixture fixture;
  REQUIRE(fixture.node->close());
  fixture.node.reset();
  const ApiKey key = new_key();
  security::State state = security::applied({}, security::PutKeys{{key}}, 1);
  REQUIRE(security::save(fixture.env, test::kDataDir, {.lsn = 1'000'000, .state = state}));
  fixture.open();
  REQUIRE(fixture.now()->find(key.id) != nullptr);

  fixture.change(security::RevokeKey{key.id});
  CHECK(fixture.now()->find(key.id) == nullptr);  // At once, though the file was ahead of the log.
  fixture.env.kill_process();
  fixture.node.reset();
  fixture.open();

  CHECK(fixture.now()->find(key.id) == nullptr);
  const auto checkpoint = security::load(fixture.env, test::kDataDir);
  REQUIRE(checkpoint);
  CHECK(checkpoint->lsn < 1'000);
}

TEST_CASE("security: a full disk stops no revocation", "[node][security]") {
  Fixture fixture;
  const ApiKey key = new_key();
  fixture.change(security::CreateKey{key});
  fixture.node.reset();
  fixture.options.disk_reserve_bytes = 1u << 20;
  fixture.options.disk_look_every = std::chrono::milliseconds(0);
  fixture.env.kill_process();
  fixture.open();
  fixture.env.set_disk_space({.free_bytes = 1u << 16, .total_bytes = 1u << 30});
  const auto refused = test::create(*fixture.node, "a");
  REQUIRE_FALSE(refused);
  REQUIRE(refused.error().code == ErrorCode::kNoSpace);

  fixture.change(security::RevokeKey{key.id});

  CHECK(fixture.now()->find(key.id) == nullptr);
}

TEST_CASE("security: a full queue of writes refuses no revocation", "[node][security]") {
  Fixture fixture;
  const ApiKey key = new_key();
  fixture.change(security::CreateKey{key});
  std::promise<void> release;
  const std::shared_future<void> gate = release.get_future().share();
  // The writer waits in a callback; meanwhile somebody floods it.
  fixture.node->submit(log::DropCollection{"absent"}, [gate](const auto&) { gate.wait(); });
  std::atomic<bool> full{false};
  for (std::size_t i = 0; i < 3 * limits::kWriteQueueMax && !full; ++i)
    fixture.node->submit(log::DropCollection{"absent"}, [&full](const auto& outcome) {
      if (!outcome && outcome.error().code == ErrorCode::kUnavailable) full = true;
    });
  REQUIRE(full);

  std::promise<bool> revoked;
  fixture.node->submit(log::SecurityWrite{security::RevokeKey{key.id}},
                       [&](const auto& outcome) { revoked.set_value(outcome.has_value()); });
  release.set_value();

  CHECK(revoked.get_future().get());
  CHECK(fixture.now()->find(key.id) == nullptr);
}
