// Packing and restoring: the same points come out, numbers only grow, and a fault or a power cut at
// any call leaves the old content or the new.
#include <catch2/catch.hpp>

#include "storage/store/swap.h"
#include "storage/wal/log_file.h"
#include "tests/tools/offline/refusing_env.h"
#include "tests/tools/offline_snapshot/snapshot_fixture.h"
#include "tools/offline/check.h"

using namespace vz;
using namespace vz::test;
using archive::ArchiveFormat;
using offline::RestoreOptions;

namespace {

struct Sample {
  FaultEnv env;
  Everything content;
  Bytes archive;

  explicit Sample(ArchiveFormat format = ArchiveFormat::kTarGzip) {
    run_node(env, kDataDir, 1, 20);
    archive = packed(env, kDataDir, format);
    const auto read = read_everything(env, kDataDir);
    REQUIRE(read);
    content = *read;
  }
};

}  // namespace

TEST_CASE("snapshot: an empty directory restored holds the same points and digests", "[snapshot]") {
  for (const auto format : {ArchiveFormat::kTarGzip, ArchiveFormat::kTarZstd}) {
    Sample sample(format);

    const auto report = restore(sample.env, sample.archive, kOther);

    REQUIRE(report);
    CHECK(report->read.sound());
    CHECK_FALSE(report->replaces);
    CHECK(names_in(sample.env, kOther) == "CURRENT FORMAT LOCK MANIFEST-" +
                                              std::to_string(image_of(sample.env, kOther).number) +
                                              " collections quarantine tmp wal ");
    CHECK(sample.content == read_everything(sample.env, kOther));
    const auto checked = offline::check(sample.env, kOther, {.level = check::Level::kContents});
    REQUIRE(checked);
    CHECK(checked->findings.empty());
    run_node(sample.env, kOther, 100, 10);  // It goes on.
    CHECK(read_everything(sample.env, kOther)->points["docs"].size() ==
          sample.content.points["docs"].size() + 9);
  }
}

TEST_CASE("snapshot: a copy of a directory, without its LOCK, can be packed and judged",
          "[snapshot]") {
  Sample sample;
  const Bytes with_lock = packed(sample.env, kDataDir);
  REQUIRE(sample.env.remove(std::string(kDataDir) + "/LOCK"));

  CHECK(packed(sample.env, kDataDir) == with_lock);
  archive::MemorySource source(sample.archive);
  const auto judged = offline::restore(sample.env, source,
                                       {.data_dir = kDataDir,
                                        .existing = RestoreOptions::Existing::kReplaced,
                                        .run = RestoreOptions::Run::kDry});
  REQUIRE(judged);
  CHECK(judged->replaces);
  CHECK_FALSE(sample.env.exists(std::string(kDataDir) + "/LOCK"));
}

TEST_CASE("snapshot: the same directory gives the same bytes", "[snapshot]") {
  Sample sample;

  CHECK(packed(sample.env, kDataDir) == packed(sample.env, kDataDir));
}

TEST_CASE("snapshot: restoring over data keeps it aside, and no number goes back", "[snapshot]") {
  Sample sample;
  run_node(sample.env, kOther, 500, 33);
  run_node(sample.env, kOther, 700, 5);
  const auto before = image_of(sample.env, kOther);

  const auto refused = restore(sample.env, sample.archive, kOther);
  const auto report = restore(sample.env, sample.archive, kOther, kReplaced);

  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kFailedPrecondition);
  REQUIRE(report);
  CHECK(report->replaces);
  CHECK(names_in(sample.env, report->previous).starts_with("CURRENT MANIFEST-"));
  CHECK(names_in(sample.env, report->previous).ends_with("collections wal "));
  const auto after = image_of(sample.env, kOther);
  CHECK(after.number > before.number);
  CHECK(after.next_seq >= before.next_seq);
  CHECK(after.epochs.back().kind == manifest::EpochKind::kRestore);
  CHECK(after.epochs.back().epoch == report->epoch);
  CHECK(report->epoch > store::last_epoch(before));
  CHECK(report->first_lsn > before.clean_lsn);
  CHECK(sample.content == read_everything(sample.env, kOther));
}

TEST_CASE("snapshot: a rerun knows its own work, but not while another snapshot waits",
          "[snapshot]") {
  Sample sample;
  REQUIRE(restore(sample.env, sample.archive, kOther));

  const auto again = restore(sample.env, sample.archive, kOther);
  untar(sample.env, members_of(sample.archive).front(), kOther);  // RESTORE
  const auto waiting = restore(sample.env, sample.archive, kOther);

  REQUIRE(again);
  CHECK(again->in_force_already);
  REQUIRE_FALSE(waiting);
  CHECK(waiting.error().code == ErrorCode::kFailedPrecondition);
}

TEST_CASE("snapshot: a directory can go back to its own past", "[snapshot]") {
  Sample sample;
  run_node(sample.env, kDataDir, 15, 20, End::kKilled);

  const auto report = restore(sample.env, sample.archive, kDataDir, kReplaced);

  REQUIRE(report);
  CHECK(sample.content == read_everything(sample.env, kDataDir));
}

TEST_CASE("snapshot: a damaged directory can be replaced", "[snapshot]") {
  for (const std::string broken : {"CURRENT", "MANIFEST", "wal"}) {
    Sample sample;
    run_node(sample.env, kOther, 500, 9, End::kKilled);
    const auto number = image_of(sample.env, kOther).number;
    if (broken == "CURRENT") REQUIRE(sample.env.flip_bit(std::string(kOther) + "/CURRENT", 3, 1));
    if (broken == "MANIFEST") {
      REQUIRE(sample.env.flip_bit(std::string(kOther) + "/" + manifest::file_name(number), 50, 1));
    }
    if (broken == "wal") {
      const auto logs = sample.env.list(std::string(kOther) + "/wal");
      REQUIRE(logs);
      REQUIRE(sample.env.flip_bit(std::string(kOther) + "/wal/" + logs->back().name, 100, 1));
    }
    CAPTURE(broken);

    const auto report = restore(sample.env, sample.archive, kOther, kReplaced);

    REQUIRE(report);
    CHECK(sample.content == read_everything(sample.env, kOther));
  }
}

TEST_CASE("snapshot: what may not be read stops a restore, for its numbers count", "[snapshot]") {
  Sample sample;
  run_node(sample.env, kOther, 500, 9);
  const auto before = read_everything(sample.env, kOther);
  const auto logs = wal::list_log_files(sample.env, std::string(kOther) + "/wal");
  REQUIRE(logs);
  REQUIRE_FALSE(logs->empty());
  const std::string image =
      kOther + ("/" + manifest::file_name(image_of(sample.env, kOther).number));
  for (const std::string& path : {image, logs->back().path}) {
    for (const ErrorCode code : {ErrorCode::kExhausted, ErrorCode::kPermissionDenied}) {
      CAPTURE(path, error_code_name(code));
      RefusingEnv env(sample.env, path, code);

      const auto report = restore(env, sample.archive, kOther, kReplaced);

      REQUIRE_FALSE(report);
      CHECK(report.error().code == code);
      CHECK(report.error().message.find(path) != std::string::npos);
    }
  }
  CHECK(*read_everything(sample.env, kOther) == *before);
}

TEST_CASE("snapshot: unflushed records are not left out of an archive in silence", "[snapshot]") {
  FaultEnv env;
  run_node(env, kDataDir, 1, 20, End::kKilled);
  archive::MemorySink sink;

  const auto refused = offline::pack(env, kDataDir, ArchiveFormat::kTarGzip, sink);

  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kFailedPrecondition);
  CHECK(refused.error().message.find("records that no segment holds") != std::string::npos);
  REQUIRE(read_everything(env, kDataDir));  // A start and a stop in good order.
  CHECK(offline::pack(env, kDataDir, ArchiveFormat::kTarGzip, sink));
}

TEST_CASE("snapshot: neither pack nor restore touches a running node", "[snapshot]") {
  Sample sample;
  const auto node = open_node(sample.env, kDataDir);
  REQUIRE(node);
  archive::MemorySink sink;

  const auto pack = offline::pack(sample.env, kDataDir, ArchiveFormat::kTarGzip, sink);
  const auto restored = restore(sample.env, sample.archive, kDataDir, kReplaced);

  REQUIRE_FALSE(pack);
  CHECK(pack.error().code == ErrorCode::kLocked);
  REQUIRE_FALSE(restored);
  CHECK(restored.error().code == ErrorCode::kLocked);
}

TEST_CASE("snapshot: directories that cannot be packed or restored into say why", "[snapshot]") {
  Sample sample;
  REQUIRE(sample.env.make_directory("/home/user"));
  REQUIRE(sample.env.put_file("/home/user/letter.txt", as_bytes("dear")));
  archive::MemorySink sink;
  const auto pack = [&](const char* directory) {
    const auto report = offline::pack(sample.env, directory, ArchiveFormat::kTarGzip, sink);
    REQUIRE_FALSE(report);
    return report.error().code;
  };
  REQUIRE(sample.env.make_directory("/empty"));

  CHECK(pack("/absent") == ErrorCode::kNoData);
  CHECK(pack("/empty") == ErrorCode::kNoData);
  CHECK(pack("/home/user") == ErrorCode::kNoData);
  CHECK(restore(sample.env, sample.archive, "/home/user", kReplaced).error().code ==
        ErrorCode::kNoData);
  sample.env.set_disk_space({.free_bytes = 100, .total_bytes = 1000});
  CHECK(restore(sample.env, sample.archive, "/absent").error().code == ErrorCode::kNoSpace);
  CHECK_FALSE(sample.env.exists("/absent"));
}

TEST_CASE("snapshot: a dry run judges and writes nothing", "[snapshot]") {
  Sample sample;
  run_node(sample.env, kOther, 500, 9);
  const auto dry = [&](const char* directory, RestoreOptions::Existing existing) {
    archive::MemorySource source(sample.archive);
    return offline::restore(
        sample.env, source,
        {.data_dir = directory, .existing = existing, .run = RestoreOptions::Run::kDry});
  };
  const auto calls = sample.env.calls(FaultCall::kCreate) + sample.env.calls(FaultCall::kRename);

  const auto refused = dry(kOther, RestoreOptions::Existing::kRefused);
  const auto replacing = dry(kOther, kReplaced);
  const auto fresh = dry("/absent", RestoreOptions::Existing::kRefused);

  CHECK(refused.error().code == ErrorCode::kFailedPrecondition);
  REQUIRE(replacing);
  CHECK(replacing->replaces);
  REQUIRE(fresh);
  CHECK_FALSE(sample.env.exists("/absent"));
  CHECK(sample.env.calls(FaultCall::kCreate) + sample.env.calls(FaultCall::kRename) == calls);
  const auto real = restore(sample.env, sample.archive, kOther, kReplaced);
  REQUIRE(real);
  CHECK(real->epoch == replacing->epoch);
  CHECK(real->first_lsn == replacing->first_lsn);
}

TEST_CASE("snapshot: a failing call and a power cut leave the old content or the new",
          "[snapshot][fault]") {
  const std::uint64_t seed = Catch::rngSeed();
  CAPTURE(seed);
  FaultEnv source;
  run_node(source, kDataDir, 1, 4);
  const Bytes archive = packed(source, kDataDir);
  const auto fresh = read_everything(source, kDataDir);
  REQUIRE(fresh);
  const std::uint64_t calls = [&] {
    FaultEnv env;
    run_node(env, kOther, 50, 4);
    const auto before = env.calls();
    REQUIRE(restore(env, archive, kOther, kReplaced));
    return env.calls() - before;
  }();
  bool old_seen = false;
  bool new_seen = false;
  for (std::uint64_t fault = 0; fault < calls; ++fault) {
    for (const bool stays : {false, true}) {
      FaultEnv env;
      run_node(env, kOther, 50, 4);
      const auto old = read_everything(env, kOther);
      REQUIRE(old);
      stays ? env.fail_from(fault) : env.fail_at(fault);
      const auto report = restore(env, archive, kOther, kReplaced);
      env.heal();
      switch (fault % 3) {
        case 0:
          env.lose_power_worst();
          break;
        case 1:
          env.lose_power(seed + fault);
          break;
        default:
          env.kill_process();
      }

      const auto now = read_everything(env, kOther);

      INFO("failing call " << fault << " of " << calls << ", stays " << stays);
      INFO((now ? "" : now.error().message));
      REQUIRE(now);
      REQUIRE((*now == *old || *now == *fresh));
      if (report) REQUIRE(*now == *fresh);
      old_seen = old_seen || *now == *old;
      new_seen = new_seen || *now == *fresh;
      CHECK_FALSE(store::swap_pending(env, {kOther}));
      const auto again = restore(env, archive, kOther, kReplaced);
      REQUIRE(again);
      CHECK(read_everything(env, kOther) == *fresh);
    }
  }
  CHECK(old_seen);
  CHECK(new_seen);
}

TEST_CASE("snapshot: a rerun after a kill keeps the old content once", "[snapshot][fault]") {
  FaultEnv source;
  run_node(source, kDataDir, 1, 4);
  const Bytes archive = packed(source, kDataDir);
  const auto previous_in = [](Env& env) {
    const auto entries = env.list(kOther);
    REQUIRE(entries);
    std::vector<std::string> names;
    for (const auto& entry : *entries)
      if (entry.name.starts_with("previous-")) names.push_back(entry.name);
    return names;
  };
  std::uint64_t cut = 0;
  for (bool done = false; !done; ++cut) {
    CAPTURE(cut);
    FaultEnv env;
    run_node(env, kOther, 50, 4);
    env.fail_from(cut);
    done = restore(env, archive, kOther, kReplaced).has_value();
    env.heal();
    env.kill_process();

    const auto again = restore(env, archive, kOther, kReplaced);

    REQUIRE(again);
    REQUIRE(again->read.sound());
    CHECK(again->in_force_already == again->previous.empty());
    const auto previous = previous_in(env);
    REQUIRE(previous.size() == 1);
    CHECK(names_in(env, kOther + ("/" + previous[0])).starts_with("CURRENT MANIFEST-"));
    CHECK(names_in(env, std::string(kOther) + "/tmp").empty());
  }
  CHECK(cut > 20);
}

TEST_CASE("snapshot: a restore that was cut short is no damage: check and pack say what it is",
          "[snapshot]") {
  Sample sample;
  REQUIRE(sample.env.put_file(std::string(kDataDir) + "/SWAP", as_bytes("a restore")));
  archive::MemorySink sink;

  const auto checked = offline::check(sample.env, kDataDir, {});
  const auto pack = offline::pack(sample.env, kDataDir, ArchiveFormat::kTarGzip, sink);

  REQUIRE_FALSE(checked);
  CHECK(checked.error().code == ErrorCode::kFailedPrecondition);
  REQUIRE_FALSE(pack);
  CHECK(pack.error().code == ErrorCode::kFailedPrecondition);
}

TEST_CASE("snapshot: a damaged SWAP stops an open, and changes nothing", "[snapshot]") {
  Sample sample;
  REQUIRE(sample.env.put_file(std::string(kDataDir) + "/SWAP",
                              as_bytes("tmp/restore-1 ../../etc 00000000\n")));

  const auto opened = open_node(sample.env, kDataDir);

  REQUIRE_FALSE(opened);
  CHECK(opened.error().code == ErrorCode::kCorruption);
}
