// Giving up a snapshot of tar's: back to the old content bit for bit, or a refusal that changes
// nothing.
#include "tools/offline/restore_abort.h"

#include <catch2/catch.hpp>

#include "storage/store/pending_restore.h"
#include "tests/tools/offline_snapshot/snapshot_fixture.h"
#include "tools/offline/quarantine.h"

using namespace vz;
using namespace vz::test;
using offline::RestoreAbortOptions;

namespace {

/// Two histories; the snapshot is of the first one, when it was young.
struct Sample {
  FaultEnv env;
  std::vector<Member> members;
  Everything old;

  Sample() {
    run_node(env, kDataDir, 1, 9);
    members = members_of(packed(env, kDataDir));
    // Merged often enough that no image names the young files any more.
    for (std::uint64_t round = 1; round < 5; ++round) run_node(env, kDataDir, round * 10, 9);
    const auto content = read_everything(env, kDataDir);
    REQUIRE(content);
    old = *content;
  }
  void untar() {
    for (const Member& member : members) test::untar(env, member, kDataDir);
  }
};

Result<offline::RestoreAbortReport> abort_restore(
    Env& env, RestoreAbortOptions::Run run = RestoreAbortOptions::Run::kReal) {
  return offline::abort_restore(env, {.data_dir = kDataDir, .run = run});
}

std::map<std::string, Bytes> without_quarantine(std::map<std::string, Bytes> tree) {
  std::erase_if(tree, [](const auto& file) { return file.first.starts_with("/quarantine/"); });
  return tree;
}

}  // namespace

TEST_CASE("restore-abort: the old content is there again bit for bit, the snapshot in quarantine",
          "[snapshot][tar]") {
  Sample sample;
  const auto before = tree_of(sample.env, kDataDir);
  sample.untar();
  const auto pending = tree_of(sample.env, kDataDir);
  REQUIRE(pending.size() > before.size() + 1);

  const auto dry = abort_restore(sample.env, RestoreAbortOptions::Run::kDry);
  CHECK(tree_of(sample.env, kDataDir) == pending);
  const auto report = abort_restore(sample.env);

  REQUIRE(dry);
  REQUIRE(report);
  CHECK(report->pending);
  CHECK(report->marker_readable);
  CHECK(report->files_moved == pending.size() - before.size() - 1);
  CHECK(dry->files_moved == report->files_moved);
  CHECK(dry->bytes_moved == report->bytes_moved);
  CHECK(without_quarantine(tree_of(sample.env, kDataDir)) == before);
  auto kept = tree_of(sample.env, report->quarantine);
  REQUIRE(kept.erase("/record.json") == 1);
  CHECK(kept.size() == report->files_moved + 1);
  const auto entries = offline::list_quarantine(sample.env, kDataDir);
  REQUIRE((entries && entries->size() == 1));
  CHECK(entries->at(0).record.kind == "restore");
  CHECK(entries->at(0).record.files.size() == kept.size());
  CHECK(offline::export_quarantined(sample.env, kDataDir, entries->at(0).record.name, "/look"));
  CHECK(read_everything(sample.env, kDataDir) == sample.old);

  const auto again = abort_restore(sample.env);
  REQUIRE(again);
  CHECK_FALSE(again->pending);
  CHECK(again->quarantine.empty());
}

TEST_CASE("restore-abort: a snapshot that came in part, or with a damaged RESTORE, is given up too",
          "[snapshot][tar]") {
  for (const bool marker_damaged : {false, true}) {
    Sample sample;
    const auto before = tree_of(sample.env, kDataDir);
    sample.members.resize(3);
    if (marker_damaged) sample.members[0].content.resize(100);
    sample.untar();
    REQUIRE_FALSE(open_node(sample.env, kDataDir));

    const auto report = abort_restore(sample.env);

    REQUIRE(report);
    CHECK(report->marker_readable != marker_damaged);
    if (!marker_damaged) CHECK(without_quarantine(tree_of(sample.env, kDataDir)) == before);
    CHECK(read_everything(sample.env, kDataDir) == sample.old);
  }
}

TEST_CASE("restore-abort: old content that tar has overwritten or that is damaged stops it",
          "[snapshot][tar]") {
  Sample sample;
  sample.untar();
  const auto image = manifest::load(sample.env, kDataDir);
  REQUIRE(image);
  for (const auto& file : store::files_named_by(*image)) {
    CAPTURE(file.path);
    const std::string path = std::string(kDataDir) + "/" + file.path;
    const auto sound = read_file(sample.env, path, 1u << 30);
    REQUIRE(sound);
    REQUIRE(sample.env.put_file(path, as_bytes("of another history")));
    const auto before = tree_of(sample.env, kDataDir);

    const auto refused = abort_restore(sample.env);

    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::kCorruption);
    CHECK_THAT(refused.error().message, Catch::Contains(file.path));
    CHECK(tree_of(sample.env, kDataDir) == before);
    REQUIRE(sample.env.put_file(path, *sound));
  }
  CHECK(abort_restore(sample.env));
}

TEST_CASE("restore-abort: a running node, and directories without a way back, are told apart",
          "[snapshot][tar]") {
  Sample sample;
  for (const Member& member : sample.members) untar(sample.env, member, "/fresh");
  REQUIRE(sample.env.make_directory("/home/user"));
  REQUIRE(sample.env.put_file("/home/user/letter.txt", as_bytes("dear")));
  const auto code = [&](const char* directory) {
    const auto report = offline::abort_restore(sample.env, {.data_dir = directory});
    REQUIRE_FALSE(report);
    return report.error().code;
  };

  CHECK(code("/absent") == ErrorCode::kNoData);
  CHECK(code("/home/user") == ErrorCode::kNoData);
  CHECK(code("/fresh") == ErrorCode::kNoData);
  {
    const auto node = open_node(sample.env, kDataDir);
    REQUIRE(node);
    const auto locked = abort_restore(sample.env);
    REQUIRE_FALSE(locked);
    CHECK(locked.error().code == ErrorCode::kLocked);
    CHECK_THAT(locked.error().message, Catch::Contains("remove /data/RESTORE"));
    REQUIRE((*node)->close());
  }
  REQUIRE(sample.env.put_file(std::string(kDataDir) + "/SWAP", as_bytes("a swap")));
  CHECK(code(kDataDir) == ErrorCode::kFailedPrecondition);
}

TEST_CASE("restore-abort: a failing call and a power cut leave what a rerun completes",
          "[snapshot][tar][fault]") {
  const std::uint64_t seed = Catch::rngSeed();
  CAPTURE(seed);
  const auto prepared = [] {
    auto sample = std::make_unique<Sample>();
    for (const Member& member : sample->members) {
      const std::string path = kDataDir + ("/" + member.path);
      REQUIRE(sample->env.make_directory(parent_directory(path)));
      REQUIRE(sample->env.put_file(path, member.content));
    }
    return sample;
  };
  const std::uint64_t calls = [&] {
    const auto sample = prepared();
    const auto before = sample->env.calls();
    REQUIRE(abort_restore(sample->env));
    return sample->env.calls() - before;
  }();
  for (std::uint64_t fault = 0; fault < calls; ++fault) {
    const auto sample = prepared();
    sample->env.fail_from(fault);
    (void)abort_restore(sample->env);
    sample->env.heal();
    fault % 2 == 0 ? sample->env.lose_power_worst() : sample->env.lose_power(seed + fault);

    const auto again = abort_restore(sample->env);

    INFO("failing call " << fault << " of " << calls);
    INFO((again ? "" : again.error().message));
    REQUIRE(again);
    CHECK(offline::list_quarantine(sample->env, kDataDir)->size() == 1);
    CHECK_FALSE(store::restore_pending(sample->env, {kDataDir}));
    REQUIRE(read_everything(sample->env, kDataDir) == sample->old);
  }
}
