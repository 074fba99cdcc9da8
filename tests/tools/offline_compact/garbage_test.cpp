// What gc removes, what it leaves, and that nothing it does can cost a point.
#include "tools/offline/garbage.h"

#include <algorithm>

#include "tests/tools/offline_compact/compact_kit.h"

using namespace vz;
using namespace vz::test;
using check::FindingId;
using check::Level;
using offline::GarbageKind;
using offline::GarbageOptions;

namespace {

constexpr const char* kPrevious = "previous-20261124T220507Z";

void put(FaultEnv& env, const std::string& path, const std::string& text = "some bytes") {
  const std::string whole = std::string(kDataDir) + "/" + path;
  REQUIRE(env.make_directory(parent_directory(whole)));
  REQUIRE(env.put_file(whole, as_bytes(text)));
}

offline::GarbageReport collected(Env& env, const GarbageOptions& options) {
  auto report = offline::collect_garbage(env, kDataDir, options);
  INFO((report ? "" : report.error().message));
  REQUIRE(report);
  return std::move(*report);
}

bool names(const offline::GarbageReport& report, const std::string& path) {
  return std::any_of(report.items.begin(), report.items.end(),
                     [&](const auto& item) { return item.path == path; });
}
bool keeps(const offline::GarbageReport& report, const std::string& path) {
  return std::any_of(report.kept.begin(), report.kept.end(),
                     [&](const auto& item) { return item.path == path; });
}

const GarbageOptions kApply{.run = GarbageOptions::Run::kApply};

/// Garbage of every kind, and a stranger's files. Returns the collection's directory.
std::string litter(FaultEnv& env) {
  make_scattered(env, Ending::kKilled);
  const std::string collection =
      "collections/" + std::to_string(entry_of(image_of(env), "docs").id);
  put(env, "CURRENT.tmp");
  put(env, "MANIFEST-1");
  put(env, "wal/0001-00000000000000000001.wal.tmp");
  put(env, collection + "/0001-00000001.seg.tmp");
  put(env, collection + "/0001-00000001.index-2");
  put(env, collection + "/0001-99999999.seg");
  put(env, collection + "/letter.txt");
  put(env, "notes.txt");
  put(env, "tmp/restore-1/collections/2/0001-00000001.seg");
  put(env, "tmp/upload", "12345");
  put(env, std::string(kPrevious) + "/collections/2/0001-00000001.seg");
  put(env, "previous-owner/deed.txt");
  return collection;
}

}  // namespace

TEST_CASE("gc: the plan names what nobody needs and writes nothing", "[offline]") {
  FaultEnv env;
  const std::string collection = litter(env);
  const auto calls = env.calls();

  const auto plan = collected(env, {});

  for (const std::string& path :
       {std::string("CURRENT.tmp"), std::string("MANIFEST-1"),
        std::string("wal/0001-00000000000000000001.wal.tmp"), collection + "/0001-00000001.seg.tmp",
        collection + "/0001-00000001.index-2", std::string("tmp/restore-1")}) {
    CAPTURE(path);
    CHECK(names(plan, path));
  }
  for (const std::string& path :
       {std::string("tmp/upload"), collection + "/0001-99999999.seg", collection + "/letter.txt",
        std::string("notes.txt"), std::string(kPrevious)}) {
    CAPTURE(path);
    CHECK(keeps(plan, path));
    CHECK_FALSE(names(plan, path));
  }
  CHECK_FALSE(names(plan, "previous-owner"));
  CHECK(plan.bytes() > 0);
  CHECK(plan.removed_bytes() == 0);
  CHECK(env.calls() == calls);
}

TEST_CASE("gc: applied, the garbage is gone, the rest is there, and a rerun is a no-op",
          "[offline]") {
  FaultEnv env;
  const std::string collection = litter(env);
  const Everything before = read_copy(env);
  const auto plan = collected(env, {});

  const auto done = collected(env, kApply);

  CHECK(done.complete());
  CHECK(done.removed_bytes() == plan.bytes());
  CHECK(done.items.size() == plan.items.size());
  for (const auto& item : plan.items) {
    CAPTURE(item.path);
    CHECK_FALSE(env.exists(std::string(kDataDir) + "/" + item.path));
  }
  for (const std::string& path : {collection + "/letter.txt", std::string("notes.txt"),
                                  std::string("previous-owner/deed.txt"),
                                  std::string(kPrevious) + "/collections/2/0001-00000001.seg",
                                  collection + "/0001-99999999.seg"}) {
    CAPTURE(path);
    CHECK(env.exists(std::string(kDataDir) + "/" + path));
  }
  CHECK(collected(env, kApply).items.empty());
  const auto discarded = collected(
      env, {.run = GarbageOptions::Run::kApply, .previous = GarbageOptions::Previous::kDiscarded});
  REQUIRE(discarded.items.size() == 1);
  CHECK(discarded.items[0].kind == GarbageKind::kPrevious);
  CHECK_FALSE(env.exists(std::string(kDataDir) + "/" + kPrevious));
  CHECK(env.exists(std::string(kDataDir) + "/previous-owner/deed.txt"));
  CHECK_FALSE(checked(env, Level::kContents).damaged());
  CHECK(read_everything(env) == before);
}

TEST_CASE("gc: files that the previous image may name stay while that is damaged", "[offline]") {
  FaultEnv env;
  const std::string collection = litter(env);
  std::uint64_t previous = 0;
  const auto entries = env.list(kDataDir);
  REQUIRE(entries);
  for (const auto& entry : *entries) {
    const auto number = manifest::parse_file_name(entry.name);
    if (number && *number < image_of(env).number) previous = std::max(previous, *number);
  }
  REQUIRE(env.flip_bit(std::string(kDataDir) + "/" + manifest::file_name(previous), 40, 0));

  const auto plan = collected(env, {});

  CHECK_FALSE(names(plan, collection + "/0001-00000001.index-2"));
  CHECK(names(plan, collection + "/0001-00000001.seg.tmp"));
}

TEST_CASE("gc: a directory that a node holds, and one that is not ours", "[offline]") {
  FaultEnv env;
  make_scattered(env, Ending::kClosed);
  const auto node = node::Node::open(env, small_node());
  REQUIRE(node);
  CHECK(offline::collect_garbage(env, kDataDir, {}).error().code == ErrorCode::kLocked);
  CHECK(offline::collect_garbage(env, kDataDir, kApply).error().code == ErrorCode::kLocked);
  CHECK(offline::collect_garbage(env, "/absent", kApply).error().code == ErrorCode::kNoData);
  CHECK_FALSE(env.exists("/absent"));
}

TEST_CASE("gc, compact: where a snapshot was unpacked nothing is removed before a node took it up",
          "[offline]") {
  // Given a file of the snapshot that looks like a leftover, and RESTORE, which names it.
  FaultEnv env;
  const std::string collection = litter(env);
  put(env, "RESTORE");
  const auto calls = env.calls();

  CHECK(offline::collect_garbage(env, kDataDir, {}).error().code == ErrorCode::kFailedPrecondition);
  CHECK(offline::collect_garbage(env, kDataDir, kApply).error().code ==
        ErrorCode::kFailedPrecondition);
  CHECK(
      offline::compact(env, kDataDir, {.run = offline::CompactOptions::Run::kApply}).error().code ==
      ErrorCode::kFailedPrecondition);

  CHECK(env.calls() == calls);
  CHECK(env.exists(std::string(kDataDir) + "/" + collection + "/0001-00000001.index-2"));
}

TEST_CASE("gc: a failing call and a power cut at every call cost no point", "[offline][fault]") {
  const std::uint64_t seed = Catch::rngSeed();
  CAPTURE(seed);
  const GarbageOptions all{.run = GarbageOptions::Run::kApply,
                           .previous = GarbageOptions::Previous::kDiscarded};
  FaultEnv sample;
  litter(sample);
  const Everything before = read_copy(sample);
  const auto calls_before = sample.calls();
  REQUIRE(collected(sample, all).complete());
  const std::uint64_t calls = sample.calls() - calls_before;
  REQUIRE(calls > 8);
  for (std::uint64_t fault = 0; fault < calls; ++fault) {
    FaultEnv env;
    litter(env);
    fault % 2 == 0 ? env.fail_at(fault) : env.fail_from(fault);
    (void)offline::collect_garbage(env, kDataDir, all);
    env.heal();
    env.lose_power(seed + fault);

    CAPTURE(fault);
    const auto report = checked(env, Level::kContents);
    INFO(text_of(report.findings));
    CHECK_FALSE(report.damaged());
    CHECK(collected(env, all).complete());
    CHECK(read_everything(env) == before);
  }
}
