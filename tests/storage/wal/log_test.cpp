// The log without faults: what is committed reads back, across rotation, reuse, epochs and removal.
#include "storage/wal/log.h"

#include <cstdlib>

#include <catch2/catch.hpp>

#include "tests/storage/wal/log_kit.h"

using namespace vz;
using namespace vz::wal;
using namespace vz::wal::test;

TEST_CASE("log: an empty directory reads as an empty log") {
  FaultEnv env;
  with_directory(env);

  const auto read = read_back(env);

  REQUIRE(read.summary);
  CHECK(read.lsns.empty());
  CHECK(read.summary->first_lsn == 0);
  CHECK(read.summary->last_lsn == 0);
  CHECK_FALSE(read.summary->torn_tail);
}

TEST_CASE("log: committed groups read back across rotation, with the summary right") {
  FaultEnv env;
  with_directory(env);
  auto writer = start_log(env);
  for (std::size_t group = 0; group < 60; ++group) REQUIRE(commit_group(*writer, 1 + group % 4));
  const Lsn last = writer->next_lsn() - 1;
  REQUIRE(log_files(env).size() >= 4);

  const auto read = read_back(env);

  REQUIRE(read.summary);
  CHECK(read.problem.empty());
  CHECK(read.lsns == lsns_between(1, last));
  CHECK(read.summary->first_lsn == 1);
  CHECK(read.summary->last_lsn == last);
  CHECK(read.summary->last_epoch == 1);
  CHECK(read.summary->last_time_us == static_cast<std::int64_t>(last * 10));
  CHECK(read.summary->records == last);
  CHECK(read.summary->bytes == writer->kept_bytes());
  CHECK_FALSE(read.summary->torn_tail);
}

TEST_CASE("log: reading from any lsn gives exactly the records from there on") {
  FaultEnv env;
  with_directory(env);
  auto writer = start_log(env);
  for (std::size_t group = 0; group < 30; ++group) REQUIRE(commit_group(*writer, 3));
  REQUIRE(log_files(env).size() >= 3);

  for (Lsn from = 1; from <= 95; ++from) {
    CAPTURE(from);
    const auto read = read_back(env, from);
    REQUIRE(read.summary);
    CHECK(read.lsns == lsns_between(from, 90));
    CHECK(read.summary->last_lsn == 90);
  }
}

TEST_CASE("log: nothing is written before commit, and an empty commit does nothing") {
  FaultEnv env;
  with_directory(env);
  auto writer = start_log(env);
  const auto calls = env.calls();

  REQUIRE(writer->commit());
  add_record(*writer);
  add_record(*writer);
  CHECK(writer->group_bytes() > 0);
  CHECK(env.calls() == calls);
  REQUIRE(writer->commit());

  CHECK(writer->group_bytes() == 0);
  CHECK(env.calls(FaultCall::kWrite) == 2);  // The header and the group.
  CHECK(env.calls() == calls + 2);           // One write, one sync.
  CHECK(read_back(env).lsns == lsns_between(1, 2));
}

TEST_CASE("log: a group larger than a file gets a larger file, and no file of no records stays") {
  FaultEnv env;
  with_directory(env);
  auto writer = start_log(env);
  const Bytes large(3 * kFileSize, std::byte{0x5A});
  writer->add(format::WalRecordKind::kPoints, 1, 0, large);
  REQUIRE(writer->commit());
  REQUIRE(commit_group(*writer, 2));

  std::vector<std::size_t> sizes;
  const auto summary = replay(env, kDirectory, 1, 0, [&](const format::WalRecord& record) {
    sizes.push_back(record.payload.size());
    return Status{};
  });

  REQUIRE(summary);
  CHECK(sizes ==
        std::vector<std::size_t>{large.size(), payload_of(2).size(), payload_of(3).size()});
  const auto files = log_files(env);
  REQUIRE(files.size() == 2);
  CHECK(files[0].first_lsn == 1);
  CHECK(files[0].size_bytes == format::kWalFileHeaderSize + format::wal_record_size(large.size()));
  CHECK(files[1].first_lsn == 2);
}

TEST_CASE("log: a clean restart goes on in a new file of the same epoch, and of a new epoch") {
  FaultEnv env;
  with_directory(env);
  REQUIRE(commit_group(*start_log(env), 5));
  REQUIRE(commit_group(*start_log(env, 6), 5));
  REQUIRE(commit_group(*start_log(env, 11, 2), 5));
  REQUIRE(commit_group(*start_log(env, 100, 3), 0 + 5));  // A gap is legal where an epoch starts.

  const auto read = read_back(env, 1, 104);

  REQUIRE(read.summary);
  auto expected = lsns_between(1, 15);
  for (Lsn lsn = 100; lsn <= 104; ++lsn) expected.push_back(lsn);
  CHECK(read.lsns == expected);
  CHECK(read.summary->last_epoch == 3);
  CHECK(log_files(env).size() == 4);
}

TEST_CASE("log: a gap within an epoch is corruption, unless nothing before its end is needed") {
  FaultEnv env;
  with_directory(env);
  REQUIRE(commit_group(*start_log(env), 5));
  REQUIRE(commit_group(*start_log(env, 9), 5));

  for (Lsn from = 1; from <= 8; ++from) {
    CAPTURE(from);
    const auto read = read_back(env, from);
    REQUIRE_FALSE(read.summary);
    CHECK(read.summary.error().code == ErrorCode::kCorruption);
    CHECK(read.summary.error().message.find("record 6") != std::string::npos);
  }
  CHECK(read_back(env, 9).lsns == lsns_between(9, 13));
  CHECK(read_back(env, 10).lsns == lsns_between(10, 13));
}

TEST_CASE("log: restarts without a record leave one file, and the log goes on") {
  FaultEnv env;
  with_directory(env);
  REQUIRE(commit_group(*start_log(env), 5));
  for (int i = 0; i < 5; ++i) start_log(env, 6);
  for (Epoch epoch = 2; epoch < 5; ++epoch) start_log(env, 6, epoch);
  CHECK(log_files(env).size() == 2);
  CHECK(read_back(env).summary->last_lsn == 5);

  REQUIRE(commit_group(*start_log(env, 6, 5), 5));

  CHECK(read_back(env).lsns == lsns_between(1, 10));
  CHECK(log_files(env).size() == 2);
}

TEST_CASE("log: a start below records that are there, or in an older epoch, is refused") {
  FaultEnv env;
  with_directory(env);
  REQUIRE(commit_group(*start_log(env), 5));
  REQUIRE(commit_group(*start_log(env, 6, 4), 5));
  const auto start = [&](Lsn lsn, Epoch epoch) {
    const auto writer =
        LogWriter::start(env, kDirectory, epoch, lsn, {.file_size_bytes = kFileSize});
    return writer ? std::string("started") : std::string(error_code_name(writer.error().code));
  };

  CHECK(start(6, 4) == "failed_precondition");
  CHECK(start(1, 4) == "failed_precondition");
  CHECK(start(1, 5) == "failed_precondition");
  CHECK(start(11, 3) == "failed_precondition");
  CHECK(start(0, 4) == "invalid_argument");
  CHECK(start(11, 0) == "invalid_argument");
  CHECK(read_back(env).lsns == lsns_between(1, 10));
  CHECK(start(11, 4) == "started");
}

TEST_CASE("log: remove_below removes exactly the files whose records are all below") {
  FaultEnv env;
  with_directory(env);
  auto writer = start_log(env);
  for (std::size_t group = 0; group < 60; ++group) REQUIRE(commit_group(*writer, 3));
  const auto before = log_files(env);
  REQUIRE(before.size() >= 6);
  const auto kept = writer->kept_bytes();

  REQUIRE(
      writer->remove_below(before[2].first_lsn - 1));  // The second file's last record is needed.
  CHECK(log_files(env).front().first_lsn == before[1].first_lsn);
  REQUIRE(writer->remove_below(before[2].first_lsn));
  CHECK(log_files(env).front().first_lsn == before[2].first_lsn);
  CHECK(writer->kept_bytes() < kept);
  CHECK(read_back(env, before[2].first_lsn).summary->bytes == writer->kept_bytes());
  const auto hole = read_back(env, before[2].first_lsn - 1);
  REQUIRE_FALSE(hole.summary);
  CHECK(hole.summary.error().code == ErrorCode::kCorruption);

  REQUIRE(writer->remove_below(kLsnMax));  // The present file always stays.
  REQUIRE(log_files(env).size() == 1);
  CHECK(log_files(env).front().first_lsn == before.back().first_lsn);
}

TEST_CASE("log: at most two removed files wait to be used again, and what they held is invisible") {
  FaultEnv env;
  with_directory(env);
  auto writer = start_log(env);
  while (log_files(env).size() < 5) REQUIRE(commit_group(*writer, 3));
  REQUIRE(writer->remove_below(writer->next_lsn()));
  CHECK(env.exists(kDirectory + "/spare-1.wal"));
  CHECK(env.exists(kDirectory + "/spare-2.wal"));
  CHECK(env.list(kDirectory)->size() == 3);
  const auto fills = env.calls(FaultCall::kFill);

  while (log_files(env).size() < 3) REQUIRE(commit_group(*writer, 1));

  CHECK(env.calls(FaultCall::kFill) == fills);  // No byte was zero-filled for these files.
  CHECK(env.list(kDirectory)->size() == 3);
  const Lsn first = log_files(env).front().first_lsn;
  const auto read = read_back(env, first);
  REQUIRE(read.summary);
  CHECK(read.lsns == lsns_between(first, writer->next_lsn() - 1));
  CHECK(read.problem.empty());
  // A former life's bytes behind the end are no torn tail.
  CHECK_FALSE(read.summary->torn_tail);
}

TEST_CASE("log: spares outlive a restart, unless their size is not that of a log file") {
  FaultEnv env;
  with_directory(env);
  {
    auto writer = start_log(env);
    while (log_files(env).size() < 5) REQUIRE(commit_group(*writer, 3));
    REQUIRE(writer->remove_below(writer->next_lsn()));
  }
  const Lsn next = read_back(env, log_files(env).front().first_lsn).summary->last_lsn + 1;
  const auto fills = env.calls(FaultCall::kFill);
  { auto writer = start_log(env, next); }
  CHECK(env.calls(FaultCall::kFill) == fills);
  CHECK(env.exists(kDirectory + "/spare-2.wal"));

  { auto writer = start_log(env, next, 1, {.file_size_bytes = 2 * kFileSize}); }

  CHECK_FALSE(env.exists(kDirectory + "/spare-2.wal"));
  CHECK(log_files(env).back().size_bytes == 2 * kFileSize);
}

TEST_CASE("log: a new writer counts what earlier files hold") {
  FaultEnv env;
  with_directory(env);
  std::uint64_t kept = 0;
  Lsn next = 0;
  {
    auto writer = start_log(env);
    for (std::size_t group = 0; group < 40; ++group) REQUIRE(commit_group(*writer, 3));
    kept = writer->kept_bytes();
    next = writer->next_lsn();
  }

  auto writer = start_log(env, next);

  CHECK(writer->kept_bytes() == kept);
  REQUIRE(writer->remove_below(next));
  CHECK(writer->kept_bytes() == 0);
  CHECK(log_files(env).size() == 1);
}

TEST_CASE("log: a log that ends before the last clean shutdown is corruption") {
  FaultEnv env;
  with_directory(env);
  CHECK(read_back(env, 1, 1).summary.error().code == ErrorCode::kCorruption);
  REQUIRE(commit_group(*start_log(env), 5));

  CHECK(read_back(env, 1, 5).summary);
  const auto short_log = read_back(env, 1, 6);
  REQUIRE_FALSE(short_log.summary);
  CHECK(short_log.summary.error().code == ErrorCode::kCorruption);
  { auto writer = start_log(env, 6); }
  CHECK(read_back(env, 1, 5).summary);  // An empty file at 6 shows that the log reached 5.
  CHECK(read_back(env, 6, 5).summary);
}

TEST_CASE("log: the visitor's error ends the reading and is passed on") {
  FaultEnv env;
  with_directory(env);
  REQUIRE(commit_group(*start_log(env), 5));
  int seen = 0;

  const auto summary =
      replay(env, kDirectory, 1, 0, [&](const format::WalRecord& record) -> Status {
        ++seen;
        if (record.lsn == 3) return fail(ErrorCode::kUnsupported, "not this one");
        return {};
      });

  REQUIRE_FALSE(summary);
  CHECK(summary.error().code == ErrorCode::kUnsupported);
  CHECK(seen == 3);
}

TEST_CASE("log: names are exact; whatever else lies in the directory is left alone") {
  CHECK(log_file_name(3, 1200) == "0003-00000000000000001200.wal");
  CHECK(log_file_name(4294967295u, kLsnMax) == "4294967295-18446744073709551615.wal");
  FaultEnv env;
  with_directory(env);
  REQUIRE(commit_group(*start_log(env), 5));
  for (const char* name : {"1-1.wal", "0000-00000000000000000009.wal", "notes.txt", ".wal", "-.wal",
                           "0001-99999999999999999999.wal", "0001-0000000000000000000x.wal"})
    REQUIRE(env.put_file(kDirectory + "/" + name, as_bytes("mine")));

  REQUIRE(commit_group(*start_log(env, 6), 5));

  CHECK(log_files(env).size() == 2);
  CHECK(read_back(env).lsns == lsns_between(1, 10));
  CHECK(env.exists(kDirectory + "/notes.txt"));
  CHECK(env.exists(kDirectory + "/1-1.wal"));
  REQUIRE(env.make_directory(log_path(1, 11)));
  CHECK(read_back(env).summary.error().code == ErrorCode::kCorruption);
}

TEST_CASE("log: the same on the real file system, with larger files") {
  char name[] = "/tmp/vz-log-XXXXXX";
  REQUIRE(mkdtemp(name) != nullptr);
  const std::string directory = std::string(name) + "/wal";
  const auto env = make_posix_env();
  REQUIRE(env->create_directory(directory));
  const Bytes large(1u << 20, std::byte{0x11});
  const auto write = [&](Lsn next, int groups) {
    auto writer = LogWriter::start(*env, directory, 1, next, {.file_size_bytes = 3u << 20});
    INFO((writer ? std::string() : writer.error().message));
    REQUIRE(writer);
    REQUIRE((*writer)->remove_below(next));
    for (int i = 0; i < groups; ++i) {
      (*writer)->add(format::WalRecordKind::kPoints, 1, 0, large);
      (*writer)->add(format::WalRecordKind::kPoints, 1, 0, payload_of(7));
      REQUIRE((*writer)->commit());
    }
  };
  write(1, 8);   // A small first file, then full ones.
  write(17, 2);  // Two become spares, and one of them is used again.
  CHECK(env->exists(directory + "/spare-1.wal") != env->exists(directory + "/spare-2.wal"));

  std::uint64_t bytes = 0;
  const auto summary = replay(*env, directory, 17, 20, [&](const format::WalRecord& record) {
    bytes += record.payload.size();
    return Status{};
  });

  INFO((summary ? std::string() : summary.error().message));
  REQUIRE(summary);
  CHECK(summary->records == 4);
  CHECK(bytes == 2 * (large.size() + payload_of(7).size()));
  CHECK_FALSE(summary->torn_tail);
  const auto entries = env->list(directory);
  REQUIRE(entries);
  for (const auto& entry : *entries) REQUIRE(env->remove(directory + "/" + entry.name));
  REQUIRE(env->remove_directory(directory));
  REQUIRE(env->remove_directory(name));
}
