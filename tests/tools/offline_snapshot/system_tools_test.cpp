// Our archives in the hands of tar and sha256sum, on the real file system, as the runbook has it.
#include <cstdlib>

#include <catch2/catch.hpp>

#include "tests/storage/env/temporary_directory.h"
#include "tests/tools/offline_snapshot/snapshot_fixture.h"

using namespace vz;
using namespace vz::test;

namespace {

int shell(const std::string& command) {
  INFO(command);
  return std::system(command.c_str());
}

}  // namespace

TEST_CASE("snapshot: tar and sha256sum read what pack wrote", "[snapshot]") {
  const TemporaryDirectory directory;
  const auto env = make_posix_env();
  const std::string data = directory / "data";
  run_node(*env, data, 1, 20);
  const std::string archive = directory / "a.tar.gz";

  const auto report = offline::pack_to_file(*env, data, archive::ArchiveFormat::kTarGzip, archive);

  REQUIRE(report);
  CHECK(shell("cd " + directory.path() + " && sha256sum --quiet -c a.tar.gz.sha256") == 0);
  CHECK(shell("gzip -t " + archive) == 0);
  CHECK(shell("mkdir " + directory / "out" + " && tar -xzf " + archive + " -C " +
              directory / "out") == 0);
  CHECK(shell("diff -r " + directory / "out/collections " + data + "/collections") == 0);
  CHECK(names_in(*env, directory / "out") == "RESTORE collections ");
}

TEST_CASE("snapshot: extract gives what tar gives", "[snapshot]") {
  const TemporaryDirectory directory;
  const auto env = make_posix_env();
  run_node(*env, directory / "data", 1, 20);
  const std::string archive = directory / "a.tar.gz";
  REQUIRE(
      offline::pack_to_file(*env, directory / "data", archive::ArchiveFormat::kTarGzip, archive));
  const auto source = archive::FileSource::open(*env, archive);
  REQUIRE(source);

  const auto report = snapshot::extract(*env, **source, directory / "ours");

  REQUIRE(report);
  CHECK(report->sound());
  REQUIRE(shell("mkdir " + directory / "tars" + " && tar -xzf " + archive + " -C " +
                directory / "tars") == 0);
  CHECK(shell("diff -r " + directory / "ours" + " " + directory / "tars") == 0);
  const auto again = archive::FileSource::open(*env, archive);
  REQUIRE(again);
  CHECK(snapshot::extract(*env, **again, directory / "ours").error().code ==
        ErrorCode::kFailedPrecondition);
}

TEST_CASE("snapshot: a restore on the real file system opens", "[snapshot]") {
  const TemporaryDirectory directory;
  const auto env = make_posix_env();
  run_node(*env, directory / "data", 1, 20);
  const Bytes archive = packed(*env, directory / "data", archive::ArchiveFormat::kTarZstd);
  const auto content = read_everything(*env, directory / "data");
  run_node(*env, directory / "other", 50, 7);

  REQUIRE(restore(*env, archive, directory / "new/"));
  REQUIRE(restore(*env, archive, directory / "other", kReplaced));

  CHECK(read_everything(*env, directory / "new") == *content);
  CHECK(read_everything(*env, directory / "other") == *content);
}

TEST_CASE("tar restore: the system's tar over a directory with data, then a start",
          "[snapshot][tar]") {
  const TemporaryDirectory directory;
  const auto env = make_posix_env();
  const std::string data = directory / "data";
  const std::string archive = directory / "a.tar.gz";
  run_node(*env, data, 1, 20);
  REQUIRE(offline::pack_to_file(*env, data, archive::ArchiveFormat::kTarGzip, archive));
  const auto then = read_everything(*env, data);
  REQUIRE(then);
  run_node(*env, data, 10, 30, End::kKilled);
  const std::string unpack = "tar -xzf " + archive + " -C ";

  REQUIRE(shell(unpack + data) == 0);
  CHECK(read_everything(*env, data) == *then);

  REQUIRE(shell("rm -rf " + data + "/* && " + unpack + data) == 0);
  CHECK(read_everything(*env, data) == *then);
  CHECK(names_in(*env, data).find("previous-") == std::string::npos);
}

TEST_CASE("tar restore: links and pipes in the place of files are not followed",
          "[snapshot][tar]") {
  const TemporaryDirectory directory;
  const auto env = make_posix_env();
  const std::string data = directory / "data";
  const std::string archive = directory / "a.tar.gz";
  run_node(*env, data, 1, 9);
  REQUIRE(offline::pack_to_file(*env, data, archive::ArchiveFormat::kTarGzip, archive));
  const auto source = archive::FileSource::open(*env, archive);
  REQUIRE(source);
  const auto summary = snapshot::inspect(**source);
  REQUIRE(summary);
  const std::string inside = "collections/" + std::to_string(summary->collections[0].id);
  const std::string file = inside + "/" + env->list(data + "/" + inside)->front().name;
  const std::string away = directory / "away";

  for (const std::string instead :
       {"mv $F $AWAY && ln -s $AWAY $F", "rm $F && mkfifo $F", "rm $F && mkdir $F",
        "mv $C $AWAY && ln -s $AWAY $C", "mv RESTORE $AWAY && ln -s $AWAY RESTORE"}) {
    CAPTURE(instead);
    const std::string fresh = directory / "fresh";
    REQUIRE(shell("rm -rf " + fresh + " " + away + " && mkdir " + fresh + " && tar -xzf " +
                  archive + " -C " + fresh + " && cd " + fresh + " && F=" + file + " C=" + inside +
                  " AWAY=" + away + " && " + instead) == 0);

    const auto opened = open_node(*env, fresh);

    REQUIRE_FALSE(opened);
    const bool marker = instead.find("RESTORE") != std::string::npos;
    CHECK(opened.error().code == (marker ? ErrorCode::kNoData : ErrorCode::kCorruption));
    CHECK_FALSE(env->exists(fresh + "/FORMAT"));
  }
}
