// Archives that are damaged or hostile: verify finds it, and restore leaves its target alone.
#include <catch2/catch.hpp>

#include "tests/tools/offline_snapshot/damage_kit.h"

using namespace vz;
using namespace vz::test;
using archive::ArchiveFormat;

namespace {

constexpr const char* kTarget = "/target";

/// Verify says `what`; restore into an absent, an empty and a full directory changes none.
void check_refused(const Bytes& archive, const std::string& what) {
  CAPTURE(what);
  CHECK_THAT(found(archive), Catch::Contains(what));
  FaultEnv env;
  run_node(env, kDataDir, 50, 4);
  const auto before = read_everything(env, kDataDir);
  REQUIRE(env.make_directory("/empty"));
  for (const std::string target : {"/absent", "/empty", kDataDir}) {
    const auto report = restore(env, archive, target, kReplaced);
    CHECK((!report || !report->read.sound()));
  }
  archive::MemorySource source(archive);
  const auto extracted = snapshot::extract(env, source, "/extracted");
  CHECK((!extracted || !extracted->sound()));
  CHECK_FALSE(env.exists("/absent"));
  CHECK_FALSE(env.exists("/extracted"));
  CHECK(names_in(env, "/empty") == "LOCK ");
  const std::string staged = names_in(env, std::string(kDataDir) + "/tmp");
  CHECK((staged == "" || staged == "(absent)"));
  CHECK(read_everything(env, kDataDir) == *before);
}

}  // namespace

TEST_CASE("verify: a sound archive has no findings, and says what it holds", "[snapshot]") {
  Packed sample;
  archive::MemorySource source(sample.archive);

  const auto report = snapshot::verify(source);

  REQUIRE(report);
  CHECK(report->sound());
  CHECK(report->files_checked == sample.members.size() - 1);
  REQUIRE(report->summary);
  CHECK(report->summary->points == 16);
  REQUIRE(report->summary->collections.size() == 2);
  CHECK(report->summary->collections[0].name == "docs");
  CHECK(report->bytes_checked == report->summary->bytes);
  archive::MemorySource again(sample.archive);
  const auto inspected = snapshot::inspect(again);
  REQUIRE(inspected);
  CHECK(inspected->lsn == report->summary->lsn);
  CHECK(inspected->epoch == 1);
  CHECK(inspected->points == 16);
}

TEST_CASE("verify: a flipped bit in any file is found", "[snapshot]") {
  Packed sample;
  for (std::size_t index = 1; index < sample.members.size(); ++index) {
    auto bad = sample.members;
    if (bad[index].content.empty()) continue;
    bad[index].content[bad[index].content.size() / 2] ^= std::byte{4};
    CHECK_THAT(found(tar_of(bad)), Catch::Contains(bad[index].path + ": sha256"));
  }
}

TEST_CASE("verify: a flipped bit of the archive itself is found, or changed nothing",
          "[snapshot]") {
  // A few bits of a compressed stream mean nothing: the time in gzip's header, the window in that
  // of zstd. The sum beside the archive covers them too.
  Packed sample;
  REQUIRE(sample.env.make_directory("/backup"));
  for (const auto format : {ArchiveFormat::kTarGzip, ArchiveFormat::kTarZstd}) {
    const std::string path = "/backup/archive";
    REQUIRE(
        offline::pack_to_file(sample.env, kDataDir, format, path, snapshot::Present::kReplaced));
    const auto read = read_file(sample.env, path, 1u << 30);
    REQUIRE(read);
    int harmless = 0;
    for (std::size_t bit = 0; bit < read->size() * 8; bit += bit < 400 ? 1 : 41) {
      Bytes bad = *read;
      bad[bit / 8] ^= std::byte(1u << (bit % 8));
      REQUIRE(sample.env.put_file(path, bad));
      INFO("flipped bit " << bit << " of " << read->size() * 8);
      const auto report = snapshot::verify_file(sample.env, path);
      REQUIRE((!report || !report->sound()));
      if (found(bad).empty()) {
        ++harmless;
        REQUIRE(members_of(bad) == sample.members);
      }
    }
    CHECK(harmless < 100);
  }
}

TEST_CASE("verify: an archive cut short anywhere is found", "[snapshot]") {
  Packed sample;
  const Bytes& good = sample.archive;
  for (std::size_t size = 0; size < good.size(); size += size + 64 < good.size() ? 53 : 1) {
    INFO("kept " << size << " of " << good.size());
    REQUIRE(found(Bytes(good.begin(), good.begin() + static_cast<long>(size))) != "");
  }
}

TEST_CASE("verify: the sum beside the archive covers every bit of it", "[snapshot]") {
  Packed sample;
  const std::string path = "/backup/a.tar.gz";
  REQUIRE(sample.env.make_directory("/backup"));
  REQUIRE(offline::pack_to_file(sample.env, kDataDir, ArchiveFormat::kTarGzip, path));
  REQUIRE(snapshot::verify_file(sample.env, path)->sound());

  REQUIRE(sample.env.flip_bit(path, 9, 0));  // The system in the gzip header.

  const auto report = snapshot::verify_file(sample.env, path);
  REQUIRE(report);
  REQUIRE(report->findings.size() == 1);
  CHECK_THAT(report->findings[0].problem, Catch::Contains("a.tar.gz.sha256"));
  CHECK(snapshot::verify_file(sample.env, "/absent.tar.gz").error().code == ErrorCode::kNotFound);
}

TEST_CASE("restore: what does not match RESTORE is refused, and the target is untouched",
          "[snapshot]") {
  Packed sample;
  auto members = sample.members;
  SECTION("a file is missing") {
    members.pop_back();
    check_refused(tar_of(members), "it is missing");
  }
  SECTION("a file too many") {
    members.push_back({"collections/9999/0001-00000001.seg", Bytes(100)});
    check_refused(tar_of(members), "RESTORE does not name it");
  }
  SECTION("a file of another size") {
    members.back().content.push_back(std::byte{0});
    check_refused(tar_of(members), "bytes expected");
  }
  SECTION("a file with other content") {
    members.back().content[7] ^= std::byte{1};
    check_refused(tar_of(members), "sha256");
  }
  SECTION("two files exchanged") {
    std::swap(members[1].content, members[2].content);
    check_refused(tar_of(members), members[1].path);
  }
  SECTION("RESTORE is not the first") {
    std::swap(members[0], members[1]);
    check_refused(tar_of(members), "RESTORE expected as the first member");
  }
  SECTION("no RESTORE, nothing at all") {
    check_refused(tar_of({}), "RESTORE expected as the first member");
  }
  SECTION("a file twice") {
    members.push_back(members.back());
    check_refused(tar_of(members), "twice");
  }
}

TEST_CASE("restore: hostile members are refused, and the target is untouched", "[snapshot]") {
  Packed sample;
  const auto with = [&](auto&& add) {
    TarMaker tar;
    for (const auto& member : sample.members) tar.file(member.path, member.content);
    add(tar);
    return tar.finish();
  };
  SECTION("an absolute path") {
    check_refused(with([](TarMaker& tar) { tar.file("/etc/cron.d/x", "x"); }), "absolute");
  }
  SECTION("a path that climbs") {
    check_refused(with([](TarMaker& tar) { tar.file("../../x", "x"); }), "leads out");
  }
  SECTION("CURRENT") {
    check_refused(with([](TarMaker& tar) { tar.file("CURRENT", "x"); }), "is refused");
  }
  SECTION("a symbolic link") {
    check_refused(with([](TarMaker& tar) { tar.symlink("collections/8", "/etc"); }),
                  "symbolic link");
  }
  SECTION("a hard link") {
    check_refused(
        with([](TarMaker& tar) { tar.hardlink("collections/8/0001-00000001.seg", "/etc/passwd"); }),
        "hard link");
  }
  SECTION("a device") {
    check_refused(with([](TarMaker& tar) {
                    tar.special("collections/8/0001-00000001.seg", TarMaker::Special::kBlockDevice);
                  }),
                  "device");
  }
}

TEST_CASE("restore: numbers that no node reaches are refused", "[snapshot]") {
  Packed sample;
  auto image = manifest::load(sample.env, kDataDir);
  REQUIRE(image);
  image->catalog_lsn = kLsnMax;
  const auto contents = store::make_contents(*image);
  REQUIRE(contents);
  auto members = sample.members;
  members[0].content = contents->restore_bytes;
  FaultEnv env;
  run_node(env, kTarget, 50, 4);
  const auto before = read_everything(env, kTarget);

  const auto report = restore(env, tar_of(members), kTarget, kReplaced);

  REQUIRE_FALSE(report);
  CHECK(report.error().code == ErrorCode::kCorruption);
  CHECK(read_everything(env, kTarget) == *before);
}

TEST_CASE("pack: nothing that exists is written over unless that is asked for", "[snapshot]") {
  Packed sample;
  REQUIRE(sample.env.make_directory("/backup"));
  REQUIRE(sample.env.put_file("/backup/a.tar.gz", as_bytes("precious")));

  const auto refused =
      offline::pack_to_file(sample.env, kDataDir, ArchiveFormat::kTarGzip, "/backup/a.tar.gz");

  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kAlreadyExists);
  CHECK(as_text(*read_file(sample.env, "/backup/a.tar.gz", 100)) == "precious");
  CHECK(names_in(sample.env, "/backup") == "a.tar.gz ");
  REQUIRE(offline::pack_to_file(sample.env, kDataDir, ArchiveFormat::kTarGzip, "/backup/a.tar.gz",
                                snapshot::Present::kReplaced));
  const auto report = snapshot::verify_file(sample.env, "/backup/a.tar.gz");
  REQUIRE(report);
  CHECK(report->sound());
}

TEST_CASE("pack: never between the data that is packed", "[snapshot]") {
  Packed sample;
  const auto before = tree_of(sample.env, kDataDir);
  for (const std::string place : {"", "/collections", "/wal", "/collections/../wal"}) {
    const auto refused = offline::pack_to_file(sample.env, kDataDir, ArchiveFormat::kTarGzip,
                                               kDataDir + place + "/a.tar.gz");
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::kInvalidArgument);
  }
  CHECK(tree_of(sample.env, kDataDir) == before);

  REQUIRE(sample.env.make_directory(std::string(kDataDir) + "/snapshots"));
  CHECK(offline::pack_to_file(sample.env, kDataDir, ArchiveFormat::kTarGzip,
                              std::string(kDataDir) + "/snapshots/a.tar.gz"));
}

TEST_CASE("pack: a file that is not what the image says is not packed", "[snapshot]") {
  Packed sample;
  const std::string path = std::string(kDataDir) + "/" + sample.members.back().path;
  REQUIRE(sample.env.flip_bit(path, 11, 3));
  REQUIRE(sample.env.make_directory("/backup"));

  const auto report =
      offline::pack_to_file(sample.env, kDataDir, ArchiveFormat::kTarGzip, "/backup/a.tar.gz");

  REQUIRE_FALSE(report);
  CHECK(report.error().code == ErrorCode::kCorruption);
  CHECK_THAT(report.error().message, Catch::Contains(path));
  CHECK(names_in(sample.env, "/backup") == "");
}

TEST_CASE("pack: a failing call while an archive is replaced leaves the old one or the new",
          "[snapshot][fault]") {
  for (std::uint64_t call = 0;; ++call) {
    Packed sample;
    REQUIRE(sample.env.make_directory("/backup"));
    const auto pack = [&] {
      return offline::pack_to_file(sample.env, kDataDir, ArchiveFormat::kTarGzip,
                                   "/backup/a.tar.gz", snapshot::Present::kReplaced);
    };
    REQUIRE(pack());
    sample.env.fail_from(call);

    const auto packed_again = pack();

    CAPTURE(call);
    const bool hit = sample.env.fault_hit();
    sample.env.heal();
    const auto report = snapshot::verify_file(sample.env, "/backup/a.tar.gz");
    REQUIRE(report);
    CHECK(report->sound());
    REQUIRE(pack());
    CHECK(names_in(sample.env, "/backup") == "a.tar.gz a.tar.gz.sha256 ");
    if (!hit) {
      CHECK(packed_again);
      break;
    }
  }
}
