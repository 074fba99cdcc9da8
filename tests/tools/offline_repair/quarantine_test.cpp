// What a repair has taken out can be listed, looked at elsewhere, and removed for good.
#include "tools/offline/quarantine.h"

#include <limits>

#include "tests/tools/offline_repair/repair_kit.h"
#include "tools/offline/quarantine_record.h"

using namespace vz;
using namespace vz::test;

namespace {

constexpr std::int64_t kDay = 24 * 60 * 60;

/// A directory whose largest segment was cut and repaired. Returns the bytes that were damaged.
Bytes make_repaired(FaultEnv& env) {
  make_data(env, Ending::kClosed);
  const std::string path = named_file(env, ".seg");
  REQUIRE(env.truncate_file(path, 300));
  auto bytes = read_file(env, path, 1'000);
  REQUIRE(bytes);
  REQUIRE(applied(env, 1'000).applied);
  return std::move(*bytes);
}

}  // namespace

TEST_CASE("quarantine: an entry says what, why and what is lost", "[offline]") {
  FaultEnv env;
  const Bytes damaged = make_repaired(env);

  const auto entries = offline::list_quarantine(env, kDataDir);

  REQUIRE(entries);
  REQUIRE(entries->size() == 1);
  const auto& entry = entries->at(0);
  CHECK(entry.has_record);
  CHECK(entry.record.kind == "segment");
  CHECK(entry.record.collection == "docs");
  REQUIRE_FALSE(entry.record.findings.empty());
  CHECK(entry.record.findings[0] == check::FindingId::kSegmentSize);
  CHECK(entry.record.tool == "test");
  CHECK(entry.record.time_s > 0);
  REQUIRE(entry.record.files.size() == 1);
  CHECK(entry.record.files[0].size_bytes == damaged.size());
  CHECK(entry.record.files[0].from.ends_with(".seg"));
  CHECK(entry.record.points_gone_unnamed > 0);
  const auto record = read_file(
      env, std::string(kDataDir) + "/quarantine/" + entry.record.name + "/record.json", 1u << 20);
  REQUIRE(record);
  CHECK(as_text(*record).find("VZ-1101") != std::string_view::npos);
}

TEST_CASE("quarantine: files go to a directory elsewhere, checked, and never back", "[offline]") {
  FaultEnv env;
  const Bytes damaged = make_repaired(env);
  const std::string name = offline::list_quarantine(env, kDataDir)->at(0).record.name;

  const auto paths = offline::export_quarantined(env, kDataDir, name, "/look");
  const auto twice = offline::export_quarantined(env, kDataDir, name, "/look");
  const auto absent = offline::export_quarantined(env, kDataDir, "nothing", "/look");

  REQUIRE(paths);
  REQUIRE(paths->size() == 1);
  CHECK(*read_file(env, paths->at(0), 1'000) == damaged);
  REQUIRE_FALSE(twice);
  CHECK(twice.error().code == ErrorCode::kAlreadyExists);
  for (const std::string inside : {"/collections", "/../data/look", "//look", "/./", ""}) {
    CAPTURE(inside);
    const auto back = offline::export_quarantined(env, kDataDir, name, kDataDir + inside);
    REQUIRE_FALSE(back);
    CHECK(back.error().code == ErrorCode::kInvalidArgument);
  }
  REQUIRE_FALSE(absent);
  CHECK(absent.error().code == ErrorCode::kNotFound);
  const std::string kept = std::string(kDataDir) + "/quarantine/" + name + "/" +
                           paths->at(0).substr(paths->at(0).rfind('/') + 1);
  REQUIRE(env.flip_bit(kept, 5, 1));
  const auto rotten = offline::export_quarantined(env, kDataDir, name, "/again");
  REQUIRE_FALSE(rotten);
  CHECK(rotten.error().code == ErrorCode::kCorruption);
}

TEST_CASE("quarantine: purge removes what is old enough, and a record hides nothing", "[offline]") {
  FaultEnv env;
  make_repaired(env);
  REQUIRE(env.put_file(std::string(kDataDir) + "/quarantine/torn-9.wal", as_bytes("tail")));
  const auto entries = offline::list_quarantine(env, kDataDir);
  REQUIRE(entries);
  REQUIRE(entries->size() == 2);
  CHECK(entries->at(1).record.kind == "wal");
  const std::int64_t made = entries->at(0).record.time_s;

  const auto early = offline::purge_quarantine(
      env, kDataDir, {.older_than_days = 30, .now_s = made + 30 * kDay - 1});
  const auto late =
      offline::purge_quarantine(env, kDataDir, {.older_than_days = 30, .now_s = made + 30 * kDay});
  const auto rest = offline::list_quarantine(env, kDataDir);
  const auto all = offline::purge_quarantine(env, kDataDir, {.now_s = made});

  REQUIRE((early && late && rest && all));
  CHECK(early->empty());
  REQUIRE(late->size() == 1);
  CHECK(late->at(0).record.kind == "segment");
  CHECK(rest->size() == 1);
  CHECK(all->size() == 1);
  CHECK(offline::list_quarantine(env, kDataDir)->empty());
  CHECK_FALSE(checked(env, check::Level::kContents).damaged());
}

TEST_CASE("quarantine: a record that leads elsewhere is no record", "[offline]") {
  offline::QuarantineRecord record{.name = "x", .kind = "log", .why = "test"};
  record.files.push_back({.name = "good.wal", .from = "wal/good.wal"});
  REQUIRE(offline::decode_record(offline::encode_record(record)));
  for (const std::string name : {"../../etc/passwd", "..", "", "a/b"}) {
    CAPTURE(name);
    record.files[0].name = name;

    const auto read = offline::decode_record(offline::encode_record(record));

    REQUIRE_FALSE(read);
    CHECK(read.error().code == ErrorCode::kCorruption);
  }
  for (const std::string text : {"", "{", "[]", "{\"schema\":1}", "null"})
    CHECK_FALSE(offline::decode_record(text));
}

TEST_CASE("quarantine: an entry whose record is rotten keeps its files", "[offline]") {
  // Given an entry that nobody can tell from a copy that was cut short, but for its record.
  FaultEnv env;
  const Bytes damaged = make_repaired(env);
  const auto entry = offline::list_quarantine(env, kDataDir)->at(0).record;
  const std::string directory = std::string(kDataDir) + "/quarantine/" + entry.name;
  REQUIRE(env.flip_bit(directory + "/record.json", 2, 1));

  // When another file goes to quarantine under that name.
  const offline::QuarantineRecord next = {
      .name = entry.name, .kind = "current", .files = {{.name = "CURRENT", .from = "CURRENT"}}};
  const auto kept = offline::keep_in_quarantine(env, {kDataDir}, next);

  REQUIRE(kept);
  CHECK(kept->name == entry.name + "-2");
  CHECK(*read_file(env, directory + "/" + entry.files.at(0).name, 1'000) == damaged);
}

TEST_CASE("quarantine: a record whose copies are gone keeps nothing", "[offline]") {
  FaultEnv env;
  make_data(env, Ending::kClosed);
  const offline::QuarantineRecord wanted = {
      .name = "kept", .kind = "current", .files = {{.name = "CURRENT", .from = "CURRENT"}}};
  const auto first = offline::keep_in_quarantine(env, {kDataDir}, wanted);
  REQUIRE(first);
  const auto again = offline::keep_in_quarantine(env, {kDataDir}, wanted);
  REQUIRE(again);
  CHECK(again->name == first->name);  // It holds them already.
  const std::string quarantine = std::string(kDataDir) + "/quarantine/";
  REQUIRE(env.remove(quarantine + first->name + "/CURRENT"));  // As a purge that was killed.

  const auto anew = offline::keep_in_quarantine(env, {kDataDir}, wanted);

  REQUIRE(anew);
  CHECK(anew->name != first->name);
  CHECK(env.exists(quarantine + anew->name + "/CURRENT"));
}

TEST_CASE("quarantine: a time that cannot be hides an entry from no purge but by age",
          "[offline]") {
  FaultEnv env;
  make_repaired(env);
  auto record = offline::list_quarantine(env, kDataDir)->at(0).record;
  record.time_s = std::numeric_limits<std::int64_t>::min();
  REQUIRE(env.put_file(std::string(kDataDir) + "/quarantine/" + record.name + "/record.json",
                       as_bytes(offline::encode_record(record))));

  const auto by_age = offline::purge_quarantine(env, kDataDir, {.older_than_days = 1, .now_s = 1});
  const auto all = offline::purge_quarantine(env, kDataDir, {.now_s = 1});

  REQUIRE((by_age && all));
  CHECK(by_age->empty());
  CHECK(all->size() == 1);
}
