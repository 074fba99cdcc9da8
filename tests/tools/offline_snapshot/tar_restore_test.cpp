// A snapshot that tar has unpacked into a data directory: the next start holds exactly it, or
// refuses and changes nothing. What failing calls and power cuts do: tar_restore_fault_test.cpp.
#include <catch2/catch.hpp>

#include "tests/tools/offline_snapshot/past.h"

using namespace vz;
using namespace vz::test;

namespace {

void check_refused(Env& env, const std::string& directory, const std::string& named) {
  const auto before = tree_of(env, directory);

  const auto opened = open_node(env, directory);

  REQUIRE_FALSE(opened);
  CHECK(opened.error().code == ErrorCode::kCorruption);
  CHECK_THAT(opened.error().message, Catch::Contains(named));
  CHECK_THAT(opened.error().message, Catch::Contains("restore-abort"));
  CHECK(tree_of(env, directory) == before);
}

/// The damages that tar, a full disk or a bad medium do to a file.
enum class Damage { kMissing, kShort, kLong, kFlipped };
constexpr Damage kDamages[] = {Damage::kMissing, Damage::kShort, Damage::kLong, Damage::kFlipped};

void harm(FaultEnv& env, const std::string& path, std::uint64_t size, Damage damage) {
  switch (damage) {
    case Damage::kMissing:
      REQUIRE(env.remove(path));
      return;
    case Damage::kShort:
      REQUIRE(env.truncate_file(path, size - 1));
      return;
    case Damage::kLong:
      REQUIRE(env.truncate_file(path, size + 1));
      return;
    case Damage::kFlipped:
      REQUIRE(env.flip_bit(path, size / 2, 3));
      return;
  }
}

}  // namespace

TEST_CASE("tar restore: over its own later history a directory goes back, and keeps that history",
          "[snapshot][tar]") {
  Past past;
  const auto before = image_of(past.env, kDataDir);
  past.untar(kDataDir);

  const Everything content = past.read(kDataDir);

  CHECK(content == past.then);
  const auto after = image_of(past.env, kDataDir);
  CHECK(after.number > before.number);
  CHECK(after.next_seq >= before.next_seq);
  REQUIRE_FALSE(after.epochs.empty());
  CHECK(after.epochs.back().kind == manifest::EpochKind::kRestore);
  CHECK(after.epochs.back().epoch > store::last_epoch(before));
  CHECK(after.epochs.back().first_lsn > before.clean_lsn);
  CHECK_FALSE(store::restore_pending(past.env, {kDataDir}));

  // What was set aside is a whole directory but for its identity.
  const std::string previous = previous_in(past.env, kDataDir);
  CHECK_THAT(names_in(past.env, previous), Catch::Contains("RESTORE"));
  const auto format = read_file(past.env, std::string(kDataDir) + "/FORMAT", 4096);
  REQUIRE(past.env.put_file(previous + "/FORMAT", *format));
  REQUIRE(past.env.remove(previous + "/RESTORE"));
  CHECK(past.read(previous) == past.now);

  // And it goes on, with greater lsns.
  const auto node = open_node(past.env, kDataDir);
  REQUIRE(node);
  const auto written = upsert(**node, "docs", {point(900, {1, 2, 3, 4}, "{}")});
  REQUIRE(written);
  CHECK(written->lsn > before.clean_lsn);
}

TEST_CASE("tar restore: over the records of a killed node, and over another history",
          "[snapshot][tar]") {
  Past past;
  run_node(past.env, kOther, 500, 33, End::kKilled);
  past.untar(kOther);

  CHECK(past.read(kOther) == past.then);
  CHECK_THAT(names_in(past.env, previous_in(past.env, kOther)), Catch::Contains("wal"));
  CHECK_FALSE(names_in(past.env, previous_in(past.env, kOther) + "/wal").empty());
}

TEST_CASE("tar restore: an empty directory becomes a data directory with exactly the snapshot",
          "[snapshot][tar]") {
  for (const std::string beside : {"", "LOCK", "lost+found/x"}) {
    CAPTURE(beside);
    Past past;
    REQUIRE(past.env.make_directory(kOther));
    if (beside == "LOCK") REQUIRE(past.env.put_file(std::string(kOther) + "/LOCK", {}));
    if (beside == "lost+found/x") REQUIRE(past.env.make_directory(kOther + ("/" + beside)));
    past.untar(kOther);

    CHECK(past.read(kOther) == past.then);

    CHECK(past.env.exists(std::string(kOther) + "/FORMAT"));
    CHECK(previous_in(past.env, kOther).empty());
    CHECK(image_of(past.env, kOther).epochs.back().kind == manifest::EpochKind::kRestore);
  }
}

TEST_CASE("tar restore: what a node wrote after all its files were removed is no obstacle",
          "[snapshot][tar]") {
  Past past;
  REQUIRE(past.env.make_directory(std::string(kOther) + "/wal"));
  auto ghost = image_of(past.env, kDataDir);
  ghost.number += 50;
  REQUIRE(manifest::publish(past.env, kOther, ghost));
  past.untar(kOther);

  CHECK(past.read(kOther) == past.then);
  CHECK(image_of(past.env, kOther).number > ghost.number);
}

TEST_CASE("tar restore: a directory that is not ours stays so, whatever is called RESTORE in it",
          "[snapshot][tar]") {
  FaultEnv env;
  REQUIRE(env.make_directory("/home/user/collections"));
  REQUIRE(env.put_file("/home/user/RESTORE", as_bytes("how to bring back my stamps")));
  const auto before = tree_of(env, "/home/user");

  const auto opened = open_node(env, "/home/user");

  CHECK(opened.error().code == ErrorCode::kNoData);
  CHECK(tree_of(env, "/home/user") == before);

  Past past;
  past.untar(kOther);
  REQUIRE(past.env.put_file(std::string(kOther) + "/letter.txt", as_bytes("dear")));
  CHECK(open_node(past.env, kOther).error().code == ErrorCode::kNoData);
}

TEST_CASE("tar restore: where the file system has no links, files are copied", "[snapshot][tar]") {
  Past past;
  past.env.refuse_links(true);
  past.untar(kDataDir);

  CHECK(past.read(kDataDir) == past.then);
  CHECK(past.env.calls(FaultCall::kLink) == 0);
}

TEST_CASE("tar restore: each file that is missing, short, long or flipped stops the start",
          "[snapshot][tar]") {
  for (const std::string directory : {kDataDir, kOther}) {
    Past past(6);
    for (std::size_t at = 1; at < past.members.size(); ++at) {
      for (const Damage damage : kDamages) {
        past.untar_durably(directory);
        const Member& member = past.members[at];
        CAPTURE(directory, member.path, static_cast<int>(damage));
        harm(past.env, directory + "/" + member.path, member.content.size(), damage);

        check_refused(past.env, directory, member.path);
      }
    }
    past.untar(directory);
    CHECK(past.read(directory) == past.then);
  }
}

TEST_CASE("tar restore: a RESTORE that is damaged or cut stops the start", "[snapshot][tar]") {
  Past past(6);
  const std::string path = std::string(kDataDir) + "/RESTORE";
  const Bytes& sound = past.members[0].content;
  for (std::size_t size = 0; size < sound.size(); size += 7) {
    CAPTURE(size);
    past.untar_durably(kDataDir);
    REQUIRE(past.env.put_file(path, ByteSpan(sound).first(size)));
    check_refused(past.env, kDataDir, "RESTORE");
    REQUIRE(past.env.put_file(path, sound));
    REQUIRE(past.env.flip_bit(path, size, 5));
    check_refused(past.env, kDataDir, "RESTORE");
  }
}

TEST_CASE("tar restore: a RESTORE whose paths lead elsewhere is refused", "[snapshot][tar]") {
  Past past(6);
  const auto contents = store::decode_contents(past.members[0].content);
  REQUIRE(contents);
  REQUIRE(past.env.put_file("/precious", past.members[1].content));
  for (const std::string path : {"../precious", "/precious", "collections/../../precious", "wal/x",
                                 "CURRENT", "collections/2/../3/0001-00000001.seg"}) {
    CAPTURE(path);
    format::Restore hostile{manifest::encode(contents->manifest), contents->files};
    hostile.files[0].path = path;
    std::sort(hostile.files.begin(), hostile.files.end(),
              [](const auto& a, const auto& b) { return a.path < b.path; });
    const auto bytes = format::encode(hostile);
    REQUIRE(bytes);
    past.untar_durably(kDataDir);
    REQUIRE(past.env.put_file(std::string(kDataDir) + "/RESTORE", *bytes));

    check_refused(past.env, kDataDir, "RESTORE");
  }
}

TEST_CASE("tar restore: a start of the old content removes nothing that has come",
          "[snapshot][tar]") {
  Past past;
  past.untar(kDataDir);
  const auto before = tree_of(past.env, kDataDir);

  CHECK(past.read(kDataDir, kLeft) == past.now);

  const auto after = tree_of(past.env, kDataDir);
  for (const Member& member : past.members) CHECK(after.at("/" + member.path) == member.content);
  CHECK(past.read(kDataDir) == past.then);
}

TEST_CASE("tar restore: a running node removes nothing that has come, and its own files later",
          "[snapshot][tar]") {
  Past past;
  auto node = open_node(past.env, kDataDir);
  REQUIRE(node);
  past.untar(kDataDir);
  const auto files = [&] { return tree_of(past.env, kDataDir).size(); };

  std::size_t most = 0;
  for (std::uint64_t round = 0; round < 6; ++round) {
    REQUIRE(upsert(**node, "docs", {point(700 + round, {1, 2, 3, 4}, "{}")}));
    REQUIRE((*node)->settle());
    most = std::max(most, files());
  }

  for (const Member& member : past.members)
    CHECK(tree_of(past.env, kDataDir).at("/" + member.path) == member.content);
  REQUIRE(past.env.remove(std::string(kDataDir) + "/RESTORE"));
  for (std::uint64_t round = 0; round < 2; ++round) {
    REQUIRE(upsert(**node, "docs", {point(800 + round, {1, 2, 3, 4}, "{}")}));
    REQUIRE((*node)->settle());
  }
  CHECK(files() < most);
}

TEST_CASE("tar restore: a restore by command goes before one by tar, when it may replace",
          "[snapshot][tar]") {
  for (const std::string directory : {kDataDir, kOther}) {
    CAPTURE(directory);
    Past past;
    FaultEnv source;
    run_node(source, kDataDir, 300, 9);
    const auto wanted = read_everything(source, kDataDir);
    REQUIRE(wanted);
    const Bytes archive = packed(source, kDataDir);
    past.untar(directory);

    const auto refused = restore(past.env, archive, directory);
    const auto report = restore(past.env, archive, directory, kReplaced);

    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::kFailedPrecondition);
    REQUIRE(report);
    CHECK(past.read(directory) == *wanted);
    CHECK_THAT(names_in(past.env, report->previous), Catch::Contains("RESTORE"));
  }
}
