// The check of sound directories, of what is not one, and of what is missing or strange in one.
#include "tools/offline/check.h"

#include <thread>

#include "storage/wal/log_file.h"
#include "tests/tools/offline/data_kit.h"

using namespace vz;
using namespace vz::test;
using check::FindingId;
using check::Level;

namespace {

constexpr Level kLevels[] = {Level::kLayout, Level::kSizes, Level::kBlocks, Level::kContents,
                             Level::kSearch};

/// What the check says when `path` is gone; the file is there again afterwards.
offline::CheckReport without(FaultEnv& env, const std::string& path) {
  const auto bytes = read_file(env, path, 1u << 30);
  REQUIRE(bytes);
  REQUIRE(env.remove(path));
  auto report = checked(env, Level::kBlocks);
  REQUIRE(env.put_file(path, *bytes));
  return report;
}

}  // namespace

TEST_CASE("check: a sound directory has no findings, at any level and number of threads",
          "[offline]") {
  for (const Ending ending : {Ending::kClosed, Ending::kKilled}) {
    FaultEnv env;
    make_data(env, ending);
    const auto calls = env.calls();
    for (const Level level : kLevels) {
      for (const unsigned threads : {1u, 4u}) {
        CAPTURE(static_cast<int>(ending), static_cast<int>(level), threads);
        const auto report = checked(env, level, threads);

        INFO(text_of(report.findings));
        CHECK(report.findings.empty());
        CHECK_FALSE(report.damaged());
        CHECK_FALSE(report.identity.node_id.empty());
        CHECK(report.segments >= 3);
        CHECK(report.rows >= 20);
        CHECK(report.lsn >= 6);
      }
    }
    CHECK(env.calls() == calls);  // Nothing was written.
  }
}

TEST_CASE("check: a directory that crashed anywhere has notes at most", "[offline]") {
  const std::uint64_t seed = Catch::rngSeed();
  CAPTURE(seed);
  FaultEnv env;
  make_data(env, Ending::kKilled);
  for (std::uint64_t variant = 0; variant < 20; ++variant) {
    CAPTURE(variant);
    const auto image = env.crash_image(seed + variant);

    const auto report = checked(*image, Level::kContents);

    INFO(text_of(report.findings));
    CHECK_FALSE(report.damaged());
  }
}

TEST_CASE("check: counts records that a start would read, and reports progress", "[offline]") {
  FaultEnv env;
  make_data(env, Ending::kKilled);
  std::uint64_t last_done = 0;
  std::uint64_t last_total = 0;

  const auto report = offline::check(env, kDataDir,
                                     {.level = Level::kContents,
                                      .threads = 2,
                                      .progress = [&](std::uint64_t done, std::uint64_t total) {
                                        CHECK(done >= last_done);
                                        last_done = done;
                                        last_total = total;
                                      }});

  REQUIRE(report);
  CHECK(report->log_records >= 3);
  CHECK(last_done > 0);
  CHECK(last_done <= last_total);
  CHECK(report->bytes <= last_total);
}

TEST_CASE("check: what is no data directory is an error", "[offline]") {
  FaultEnv env;
  REQUIRE(env.make_directory("/empty"));
  REQUIRE(env.make_directory("/other"));
  REQUIRE(env.put_file("/other/letter.txt", as_bytes("mine")));
  REQUIRE(env.put_file("/file", as_bytes("mine")));
  for (const std::string path : {"/absent", "/empty", "/other", "/file"}) {
    CAPTURE(path);
    const auto report = offline::check(env, path, {});
    REQUIRE_FALSE(report);
    CHECK(report.error().code == ErrorCode::kNoData);
  }
}

TEST_CASE("check: a directory that a node holds is locked, and the check keeps nodes out",
          "[offline]") {
  FaultEnv env;
  make_data(env, Ending::kClosed);
  {
    const auto node = node::Node::open(env, small_node());
    REQUIRE(node);
    const auto report = offline::check(env, kDataDir, {});
    REQUIRE_FALSE(report);
    CHECK(report.error().code == ErrorCode::kLocked);
    CHECK(report.error().message.find("\"pid\":") != std::string::npos);
  }
  bool refused = false;

  const auto report = offline::check(env, kDataDir, {.progress = [&](std::uint64_t, std::uint64_t) {
                                       refused = !node::Node::open(env, small_node()).has_value();
                                     }});

  REQUIRE(report);
  CHECK(refused);
}

TEST_CASE("check: a directory of a newer format is incompatible", "[offline]") {
  FaultEnv env;
  make_data(env, Ending::kClosed);
  store::Identity identity = *store::read_identity(env, {kDataDir});
  identity.format = store::kFormatNewest + 1;
  REQUIRE(
      env.put_file(store::Paths{kDataDir}.format(), as_bytes(store::encode_identity(identity))));

  const auto report = offline::check(env, kDataDir, {});

  REQUIRE_FALSE(report);
  CHECK(report.error().code == ErrorCode::kIncompatible);
}

TEST_CASE("check: each missing file is found", "[offline]") {
  FaultEnv env;
  make_data(env, Ending::kClosed);
  const std::string root = kDataDir;
  const std::string image = root + "/" + manifest::file_name(image_of(env).number);
  const auto logs = wal::list_log_files(env, root + "/wal");
  REQUIRE(logs);

  CHECK(has(without(env, root + "/FORMAT"), FindingId::kFormatMissing));
  CHECK(has(without(env, root + "/CURRENT"), FindingId::kCurrentMissing));
  CHECK(has(without(env, image), FindingId::kImageMissing));
  CHECK(has(without(env, named_file(env, ".seg")), FindingId::kSegmentMissing));
  for (const std::string kind : {".dead-", ".index-", ".fields-"}) {
    CAPTURE(kind);
    const auto report = without(env, named_file(env, kind));
    CHECK(has(report, FindingId::kDerivedMissing));
    CHECK(report.findings.size() == 1);
  }
  for (const auto& log : *logs) REQUIRE(env.remove(log.path));
  CHECK(has(checked(env, Level::kBlocks), FindingId::kLogMissing));
}

TEST_CASE("check: without LOCK it works, and makes none", "[offline]") {
  FaultEnv env;
  make_data(env, Ending::kClosed);
  const std::string lock = store::Paths{kDataDir}.lock();
  REQUIRE(env.remove(lock));

  const auto report = checked(env, Level::kContents);

  INFO(text_of(report.findings));
  CHECK(report.findings.empty());
  CHECK_FALSE(env.exists(lock));
}

TEST_CASE("check: strange files and leftovers are notes", "[offline]") {
  FaultEnv env;
  make_data(env, Ending::kClosed);
  const std::string root = kDataDir;
  const std::string collection = parent_directory(named_file(env, ".seg"));
  struct Stray {
    std::string path;
    FindingId id;
  };
  for (const Stray& stray :
       std::vector<Stray>{{root + "/letter.txt", FindingId::kUnknownFile},
                          {root + "/CURRENT.tmp", FindingId::kLeftover},
                          {root + "/MANIFEST-999999", FindingId::kLeftover},
                          {root + "/wal/notes", FindingId::kUnknownFile},
                          {root + "/wal/0001-00000000000000000077.wal.tmp", FindingId::kLeftover},
                          {collection + "/0001-00000777.seg", FindingId::kLeftover},
                          {collection + "/core", FindingId::kUnknownFile}}) {
    CAPTURE(stray.path);
    REQUIRE(env.put_file(stray.path, as_bytes("content")));

    const auto report = checked(env, Level::kBlocks);

    REQUIRE(env.remove(stray.path));
    INFO(text_of(report.findings));
    REQUIRE(report.findings.size() == 1);
    CHECK(report.findings[0].id == stray.id);
    CHECK(root + "/" + report.findings[0].file == stray.path);
    CHECK(report.findings[0].length == 7);
    CHECK_FALSE(report.damaged());
  }
}

TEST_CASE("check: a RESTORE that is not whole is a warning with its own id", "[offline]") {
  FaultEnv env;
  make_data(env, Ending::kClosed);
  REQUIRE(env.put_file(std::string(kDataDir) + "/RESTORE", as_bytes("content")));

  const auto report = checked(env, Level::kBlocks);

  INFO(text_of(report.findings));
  REQUIRE(report.findings.size() == 1);
  CHECK(report.findings[0].id == FindingId::kRestoreIncomplete);
  CHECK(report.findings[0].file == "RESTORE");
  CHECK(report.findings[0].damage == check::DamageClass::kNone);
}

TEST_CASE("check: one collection alone, by its name; an unknown one is an error", "[offline]") {
  FaultEnv env;
  make_data(env, Ending::kClosed);
  REQUIRE(env.flip_bit(named_file(env, ".index-"), 70, 1));

  const auto docs = offline::check(env, kDataDir, {.collection = "docs"});
  const auto more = offline::check(env, kDataDir, {.collection = "more"});
  const auto none = offline::check(env, kDataDir, {.collection = "nothing"});

  REQUIRE(docs);
  CHECK(docs->findings.size() == 1);
  CHECK(docs->findings[0].collection == "docs");
  REQUIRE(more);
  CHECK(more->findings.empty());
  REQUIRE_FALSE(none);
  CHECK(none.error().code == ErrorCode::kNotFound);
}

TEST_CASE("finding: ids are unique, grouped, and their names are stable", "[offline]") {
  CHECK(check::id_text(FindingId::kSegmentTable) == "VZ-1203");
  for (const auto& kind : check::finding_kinds()) {
    const auto number = static_cast<unsigned>(kind.id);
    CHECK((number >= 1001 && number <= 1499));
    CHECK_FALSE(kind.title.empty());
    CHECK(&check::kind_of(kind.id) == &kind);
  }
}
