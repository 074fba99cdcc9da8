// Compaction where the data directory's disk has no room for old and new: it builds on another one,
// keeps within the room that the plan has named, and leaves nothing behind.
#include <filesystem>
#include <fstream>

#include "tests/storage/env/temporary_directory.h"
#include "tests/tools/offline_compact/compact_kit.h"
#include "tools/offline/compact_workdir.h"
#include "tools/offline/garbage.h"

using namespace vz;
using namespace vz::test;
using check::Level;
using offline::CompactOptions;
using offline::GarbageKind;

namespace {

constexpr std::uint64_t kPlenty = std::uint64_t{1} << 34;

/// The least room that a compaction of all collections by way of a work directory says it needs.
std::uint64_t least_room(Env& env, const CompactOptions& options = {}) {
  const auto plan = offline::compact(env, kDataDir, options);
  REQUIRE(plan);
  std::uint64_t least = 0;
  for (const auto& one : plan->collections) {
    CHECK(one.space_with_workdir < one.space_needed);
    least = std::max(least, one.space_with_workdir);
  }
  return least;
}

CompactOptions by_way_of_workdir() {
  return {.run = CompactOptions::Run::kApply, .workdir = TwoDisks::kWorkdir};
}

void check_sound(Env& env) {
  const auto report = checked(env, Level::kContents);
  INFO(text_of(report.findings));
  CHECK_FALSE(report.damaged());
}

}  // namespace

TEST_CASE("compact: without room beside the old files it builds in a work directory", "[offline]") {
  for (const std::uint64_t rows_max : {std::uint64_t{8}, std::uint64_t{1} << 20}) {
    CAPTURE(rows_max);
    FaultEnv env;
    make_scattered(env, Ending::kKilled);
    const Everything before = read_copy(env);
    CompactOptions options = by_way_of_workdir();
    options.segment_rows_max = rows_max;
    const std::uint64_t room = least_room(env, {.segment_rows_max = rows_max});
    TwoDisks disks(env, room, kPlenty);
    const std::uint64_t bytes_before = disks.bytes_below(kDataDir);

    const auto report = offline::compact(disks, kDataDir, options);

    INFO((report ? "" : report.error().message));
    REQUIRE(report);
    CHECK(report->workdir_free_bytes == kPlenty);
    for (const auto& one : report->collections) {
      CAPTURE(one.name);
      CHECK(one.compacted);
    }
    CHECK(report->collections[0].built_in_workdir);  // Of the others one may fit beside the old.
    for (const auto& entry : image_of(env).collections)
      for (const auto& part : entry.segments) {
        CHECK(part.dead_rows == 0);
        CHECK((part.index && part.fields));
      }
    CHECK(disks.peak() <= bytes_before + room);
    CHECK(env.list(TwoDisks::kWorkdir)->empty());
    check_sound(env);
    CHECK(read_everything(env) == before);
  }
}

TEST_CASE("compact: with room the work directory is not used", "[offline]") {
  FaultEnv env;
  make_scattered(env, Ending::kClosed);
  TwoDisks disks(env, kPlenty, 0);

  const auto report = offline::compact(disks, kDataDir, by_way_of_workdir());

  REQUIRE(report);
  CHECK(report->collections[0].compacted);
  CHECK_FALSE(report->collections[0].built_in_workdir);
}

TEST_CASE("compact: what is missing is named for both disks, and nothing is changed", "[offline]") {
  FaultEnv env;
  make_scattered(env, Ending::kClosed);
  const auto plan = offline::compact(env, kDataDir, {});
  REQUIRE(plan);
  const auto& docs = plan->collections[0];
  const manifest::Manifest image = image_of(env);
  TwoDisks disks(env, 1'000, 2'000);

  const auto refused = offline::compact(disks, kDataDir, by_way_of_workdir());

  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kNoSpace);
  for (const std::uint64_t number : {docs.space_with_workdir, docs.space_with_workdir - 1'000,
                                     docs.space_in_workdir, docs.space_in_workdir - 2'000}) {
    CHECK_THAT(refused.error().message, Catch::Contains(std::to_string(number)));
  }
  CHECK(image_of(env) == image);
  CHECK(env.list(TwoDisks::kWorkdir)->empty());
  CHECK(
      offline::compact(disks, kDataDir, {.run = CompactOptions::Run::kApply, .workdir = "/absent"})
          .error()
          .code == ErrorCode::kNotFound);
}

TEST_CASE("compact: two copies of a directory do not share a work directory", "[offline]") {
  FaultEnv env;
  make_scattered(env, Ending::kClosed);
  TwoDisks disks(env, least_room(env), kPlenty);
  const auto identity = store::read_identity(env, {kDataDir});
  REQUIRE(identity);
  const auto taken = offline::CompactWorkdir::open(disks, TwoDisks::kWorkdir, *identity);
  REQUIRE(taken);
  const manifest::Manifest image = image_of(env);

  CHECK(offline::compact(disks, kDataDir, by_way_of_workdir()).error().code == ErrorCode::kLocked);
  CHECK(image_of(env) == image);
  const auto kept = offline::collect_garbage(env, kDataDir, {.workdir = TwoDisks::kWorkdir});
  REQUIRE(kept);
  REQUIRE(kept->kept.size() == 1);
  CHECK_THAT(kept->kept[0].reason, Catch::Contains("being compacted"));
}

TEST_CASE(
    "gc: what a killed compaction has left, here and in its work directory, is listed and goes",
    "[offline][fault]") {
  std::uint64_t calls = 0;
  std::size_t left_here = 0;
  std::size_t left_there = 0;
  for (std::uint64_t fault = 0; fault == 0 || fault < calls; fault += 3) {
    FaultEnv env;
    make_scattered(env, Ending::kKilled);
    const Everything before = read_copy(env);
    TwoDisks disks(env, least_room(env), kPlenty);
    if (fault == 0) {
      const auto probe = env.crash_image(0);
      const auto at = probe->calls();
      TwoDisks probed(*probe, least_room(*probe), kPlenty);
      REQUIRE(offline::compact(probed, kDataDir, by_way_of_workdir()));
      calls = probe->calls() - at;
    }
    env.fail_from(fault);
    (void)offline::compact(disks, kDataDir, by_way_of_workdir());
    env.heal();
    env.kill_process();
    INFO("killed at call " << fault << " of " << calls);

    const auto done = offline::collect_garbage(
        env, kDataDir,
        {.run = offline::GarbageOptions::Run::kApply, .workdir = TwoDisks::kWorkdir});

    REQUIRE(done);
    REQUIRE(done->complete());
    for (const auto& item : done->items) {
      left_here += item.path.ends_with(".seg") ? 1 : 0;
      left_there += item.kind == GarbageKind::kWorkdir ? 1 : 0;
    }
    // An image that a kill has kept from being in force may stay; a file of a segment may not.
    for (const auto& kept : done->kept) CHECK_THAT(kept.path, Catch::StartsWith("MANIFEST-"));
    CHECK(env.list(TwoDisks::kWorkdir)->empty());
    REQUIRE(read_everything(env) == before);
  }
  CHECK(left_here > 0);
  CHECK(left_there > 0);
}

TEST_CASE("compact: a link in the work directory is not followed", "[offline]") {
  namespace fs = std::filesystem;
  const TemporaryDirectory directory;
  const auto env = make_posix_env();
  const store::Identity identity{.cluster_id = "c", .node_id = "n"};
  const std::string victim = directory / "victim", work = directory / "work";
  fs::create_directories(victim + "/1");
  std::ofstream(victim + "/1/precious.seg") << "precious";
  const std::string root = offline::compact_workdir_path(work, identity);

  SECTION("as the directory of the run") {
    fs::create_directory(work);
    fs::create_directory_symlink(victim, root);
  }
  SECTION("as its collections") {
    fs::create_directories(root);
    fs::create_directory_symlink(victim, root + "/collections");
  }
  const auto opened = offline::CompactWorkdir::open(*env, work, identity);

  REQUIRE_FALSE(opened);
  CHECK(opened.error().code == ErrorCode::kFailedPrecondition);
  CHECK(fs::exists(victim + "/1/precious.seg"));
}
