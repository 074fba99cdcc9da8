// A snapshot that tar unpacks under a running node: it takes over when all of it is there, and
// until then, or if it never is, the node serves as before. Time is the test's.
#include <catch2/catch.hpp>

#include "engine/node/node_owner.h"
#include "storage/store/swap.h"
#include "tests/tools/offline_snapshot/snapshot_fixture.h"

using namespace vz;
using namespace vz::test;
using node::NodeOwner;

namespace {

constexpr std::chrono::milliseconds kQuiet{2'000};

Result<Everything> read_serving(const node::Node& node) {
  Everything out;
  for (const auto& reader : node.collections()) {
    VZ_TRY_ASSIGN(out.points[reader->name()], read_all(*reader));
  }
  return out;
}

/// A node that runs on a directory with some history, and a snapshot of its youth.
struct Running {
  FaultEnv env;
  std::vector<Member> members;
  Everything then;
  Everything now;
  std::unique_ptr<NodeOwner> owner;
  node::RestoreWatch::Time time{};

  explicit Running(std::uint64_t points = 9) {
    run_node(env, kDataDir, 1, points);
    members = members_of(packed(env, kDataDir));
    then = content(kDataDir);
    run_node(env, kDataDir, 5, points);
    now = content(kDataDir);
    owner = std::make_unique<NodeOwner>(env, small_node(), kQuiet);
    REQUIRE(owner->open());
  }
  Everything content(const std::string& directory) {
    auto read = read_everything(env, directory);
    INFO((read ? "" : read.error().message));
    REQUIRE(read);
    read->digests.clear();  // Of points only, as a running node shows them.
    return *read;
  }
  void untar(std::size_t from, std::size_t to) {
    for (std::size_t at = from; at < to; ++at) test::untar(env, members[at], kDataDir);
  }
  void untar() { untar(0, members.size()); }
  Status poll(std::chrono::milliseconds later) {
    time += later;
    return owner->poll_restore(time, [](std::uint64_t) { return Status(); });
  }
  Everything serving() {
    const auto read = read_serving(*owner->current());
    REQUIRE(read);
    return *read;
  }
  Result<log::WriteOutcome> write(std::uint64_t id) {
    return upsert(*owner->current(), "docs", {point(id, {1, 2, 3, 4}, "{}")});
  }
};

}  // namespace

TEST_CASE("node restore: it takes over when all is there and nothing changed for two seconds",
          "[node][tar]") {
  Running running;
  const auto old = running.owner->current();
  const Lsn lsn = old->visible_lsn();
  const std::size_t files = running.members.size() - 1;

  running.untar(0, 3);
  REQUIRE(running.poll(kQuiet));
  CHECK(running.owner->restore_status().pending);
  CHECK(running.owner->restore_status().files == files);
  CHECK(running.owner->restore_status().files_present < files);
  CHECK_FALSE(running.owner->restore_status().detail.empty());
  running.untar(3, running.members.size());
  REQUIRE(running.poll(kQuiet * 2));  // The first look at the whole of it.
  CHECK(running.owner->restore_status().files_present == files);
  REQUIRE(running.poll(kQuiet - std::chrono::milliseconds(1)));
  CHECK(running.owner->current() == old);
  CHECK(running.serving() == running.now);
  const auto last = running.write(900);
  REQUIRE(last);
  REQUIRE(running.poll(std::chrono::milliseconds(1)));

  CHECK(running.owner->current() != old);
  CHECK(running.serving() == running.then);
  CHECK_FALSE(running.owner->restore_status().pending);
  CHECK_FALSE(store::restore_pending(running.env, {kDataDir}));
  CHECK(running.owner->current()->visible_lsn() >= last->lsn);
  CHECK(running.owner->current()->epoch() > old->epoch());
  const auto next = running.write(901);
  REQUIRE(next);
  CHECK(next->lsn > last->lsn);
  CHECK(last->lsn > lsn);
  const auto image = manifest::load(running.env, kDataDir);
  REQUIRE(image);
  CHECK(image->epochs.back().kind == manifest::EpochKind::kRestore);

  // A call that still holds the old node reads the old content, and its write is refused for now.
  const auto read = read_serving(*old);
  REQUIRE(read);
  CHECK(read->points.at("docs").size() == running.now.points.at("docs").size() + 1);
  const auto refused = upsert(*old, "docs", {point(902, {1, 2, 3, 4}, "{}")});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kUnavailable);
  REQUIRE(running.owner->close());
  running.owner.reset();
  CHECK(running.content(kDataDir).points["docs"].size() == running.then.points["docs"].size() + 1);
}

TEST_CASE("node restore: a change begins the waiting anew", "[node][tar]") {
  Running running;
  const auto old = running.owner->current();
  running.untar();
  REQUIRE(running.poll(kQuiet));
  for (int round = 0; round < 5; ++round) {
    running.untar(1, 2);  // The same bytes, another file.
    REQUIRE(running.poll(kQuiet - std::chrono::milliseconds(1)));
    CHECK(running.owner->current() == old);
  }

  REQUIRE(running.poll(kQuiet));

  CHECK(running.owner->current() != old);
}

TEST_CASE("node restore: a node that seals meanwhile takes no name of another history's files",
          "[node][tar]") {
  Running running;
  FaultEnv elsewhere;
  for (std::uint64_t round = 0; round < 4; ++round) run_node(elsewhere, kDataDir, 50 + round, 9);
  running.members = members_of(packed(elsewhere, kDataDir));
  auto wanted = read_everything(elsewhere, kDataDir);
  REQUIRE(wanted);
  wanted->digests.clear();
  running.untar();
  REQUIRE(running.poll(kQuiet));

  for (std::uint64_t round = 0; round < 12; ++round) {
    REQUIRE(running.write(900 + round));
    REQUIRE(running.owner->current()->seal());
  }

  for (const Member& member : running.members)
    CHECK(tree_of(running.env, kDataDir).at("/" + member.path) == member.content);
  REQUIRE(running.poll(kQuiet));
  CHECK(running.serving() == *wanted);
}

TEST_CASE("node restore: a file that is wrong is named, the node serves on, and a right one helps",
          "[node][tar]") {
  for (const std::size_t at : {std::size_t{0}, std::size_t{2}}) {
    Running running;
    const auto old = running.owner->current();
    running.untar();
    const std::string path = kDataDir + ("/" + running.members[at].path);
    REQUIRE(running.env.flip_bit(path, running.members[at].content.size() / 2, 1));

    std::uint64_t bytes_read = 0;
    for (int round = 0; round < 5; ++round) {
      running.time += kQuiet;
      REQUIRE(running.owner->poll_restore(running.time, [&](std::uint64_t bytes) {
        bytes_read += bytes;
        return Status();
      }));
    }

    CAPTURE(path);
    CHECK(running.owner->current() == old);
    CHECK_THAT(running.owner->restore_status().detail,
               Catch::Contains(at == 0 ? "RESTORE" : running.members[at].path));
    CHECK(running.serving() == running.now);
    CHECK(running.write(900));
    std::uint64_t bytes = 0;
    for (const Member& member : running.members) bytes += member.content.size();
    CHECK(bytes_read <= bytes);  // Once, not each time.

    running.untar(at, at + 1);
    REQUIRE(running.poll(kQuiet));
    REQUIRE(running.poll(kQuiet));
    CHECK(running.owner->current() != old);
    CHECK(running.serving() == running.then);
  }
}

TEST_CASE("node restore: a RESTORE that is removed is given up", "[node][tar]") {
  Running running;
  const auto old = running.owner->current();
  running.untar(0, 3);
  REQUIRE(running.poll(kQuiet));
  REQUIRE(running.owner->restore_status().pending);

  REQUIRE(running.env.remove(std::string(kDataDir) + "/RESTORE"));
  REQUIRE(running.poll(kQuiet));

  CHECK_FALSE(running.owner->restore_status().pending);
  CHECK(running.owner->current() == old);
  CHECK(running.serving() == running.now);
}

TEST_CASE("node restore: what cannot be put in force leaves the old content, until it changes",
          "[node][tar][fault]") {
  Running running;
  const auto old = running.owner->current();
  running.untar();
  REQUIRE(running.poll(kQuiet));
  running.env.fail_from(0, {.code = ErrorCode::kNoSpace, .only = FaultCall::kLink});

  REQUIRE(running.poll(kQuiet));

  CHECK(running.owner->current() != old);
  CHECK(running.serving() == running.now);
  CHECK(running.owner->restore_status().pending);
  CHECK_THAT(running.owner->restore_status().detail, Catch::Contains("injected fault"));
  CHECK(running.write(900));
  running.env.heal();
  for (int round = 0; round < 3; ++round) REQUIRE(running.poll(kQuiet));
  CHECK(store::restore_pending(running.env, {kDataDir}));
  CHECK_THAT(running.owner->restore_status().detail, Catch::Contains("injected fault"));

  running.untar(0, 1);  // Or touch.
  REQUIRE(running.poll(kQuiet));
  REQUIRE(running.poll(kQuiet));
  CHECK(running.serving() == running.then);
}

TEST_CASE("node restore: when no content can be opened reads go on, and that is an error",
          "[node][tar][fault]") {
  Running running;
  running.untar();
  REQUIRE(running.poll(kQuiet));
  running.env.fail_from(0, {.only = FaultCall::kCreate});  // Not the syncs before the switch.

  const Status polled = running.poll(kQuiet);

  REQUIRE_FALSE(polled);
  CHECK(polled.error().code == ErrorCode::kIoError);
  CHECK(running.serving() == running.now);
  CHECK(running.write(900).error().code == ErrorCode::kUnavailable);
  CHECK(running.owner->close());  // Writes nothing: the directory is not its own any more.
  running.env.heal();
  running.owner.reset();
  CHECK(running.content(kDataDir) == running.then);
}

TEST_CASE("node restore: a stop while files are read ends that, and the next look begins again",
          "[node][tar]") {
  Running running;
  const auto old = running.owner->current();
  running.untar();
  REQUIRE(running.poll(kQuiet));

  running.time += kQuiet;
  REQUIRE(running.owner->poll_restore(running.time, [](std::uint64_t) -> Status {
    return fail(ErrorCode::kCancelled, "the node is stopping");
  }));

  CHECK(running.owner->current() == old);
  REQUIRE(running.poll(kQuiet));
  CHECK(running.serving() == running.then);
}

TEST_CASE("node restore: a failing call and a kill while it takes over lose neither content",
          "[node][tar][fault]") {
  const std::uint64_t seed = Catch::rngSeed();
  CAPTURE(seed);
  const std::uint64_t calls = [] {
    Running running(4);
    running.untar();
    REQUIRE(running.poll(kQuiet));
    const auto before = running.env.calls();
    REQUIRE(running.poll(kQuiet));
    REQUIRE(running.serving() == running.then);
    return running.env.calls() - before;
  }();
  bool old_seen = false;
  bool new_seen = false;
  for (std::uint64_t fault = 0; fault < calls; ++fault) {
    for (const bool stays : {false, true}) {
      Running running(4);
      for (const Member& member : running.members) {
        const std::string path = kDataDir + ("/" + member.path);
        REQUIRE(running.env.make_directory(parent_directory(path)));
        REQUIRE(running.env.put_file(path, member.content));
      }
      REQUIRE(running.poll(kQuiet));
      stays ? running.env.fail_from(fault) : running.env.fail_at(fault);
      (void)running.poll(kQuiet);
      running.env.heal();
      const Everything serving = running.serving();
      old_seen = old_seen || serving == running.now;
      new_seen = new_seen || serving == running.then;
      REQUIRE((serving == running.now || serving == running.then));
      running.env.lose_power(seed + fault);
      running.owner.reset();

      INFO("failing call " << fault << " of " << calls << ", stays " << stays);
      REQUIRE(running.content(kDataDir) == running.then);  // The next start completes it.
      CHECK_FALSE(store::swap_pending(running.env, {kDataDir}));
    }
  }
  CHECK(old_seen);
  CHECK(new_seen);
}
