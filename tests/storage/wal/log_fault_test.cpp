// Durability (P1), prefix (P2) and failed syncs (P5) of the log: a fault at every call, then a
// power cut, then recovery, then another power cut.
#include <atomic>
#include <thread>

#include <catch2/catch.hpp>

#include "tests/storage/wal/log_kit.h"

using namespace vz;
using namespace vz::wal;
using namespace vz::wal::test;

namespace {

/// What the world outside knows of a run.
struct Oracle {
  Lsn acknowledged = 0;  ///< last lsn of a commit that returned success
  Lsn attempted = 0;     ///< last lsn that was handed to commit
  Lsn needed_from = 1;   ///< everything below was flushed elsewhere
};

/// Rotation, removal, reuse and a restart, until a call fails. Small files, so that each happens
/// more than once.
Oracle run_script(Env& env) {
  Oracle oracle;
  for (int life = 0; life < 2; ++life) {
    auto started = LogWriter::start(env, kDirectory, 1, oracle.acknowledged + 1,
                                    {.file_size_bytes = kFileSize});
    if (!started) return oracle;
    LogWriter& writer = **started;
    for (std::size_t group = 0; group < 14; ++group) {
      for (std::size_t i = 0; i < 1 + group * 5 % 9; ++i) add_record(writer);
      oracle.attempted = writer.next_lsn() - 1;
      if (const Status committed = writer.commit(); !committed) {
        CHECK_FALSE(writer.commit());
        // Broken for good, unless it was only that a new file had no room.
        CHECK((writer.broken() || committed.error().code == ErrorCode::kNoSpace));
        if (writer.broken()) CHECK_FALSE(writer.remove_below(1));
        return oracle;
      }
      oracle.acknowledged = oracle.attempted;
      if (group % 4 != 3) continue;
      oracle.needed_from = oracle.acknowledged > 20 ? oracle.acknowledged - 20 : 1;
      if (!writer.remove_below(oracle.needed_from)) return oracle;
    }
  }
  return oracle;
}

struct Recovery {
  Lsn last = 0;
  std::uint64_t torn_tails = 0;
};

/// Replay and cut: what a node does at boot. Empty, or what broke a promise.
std::string recover(FaultEnv& env, const Oracle& oracle, Recovery& recovery) {
  Lsn& last = recovery.last;
  const auto read = read_back(env, oracle.needed_from);
  if (!read.summary) return "replay: " + read.summary.error().message;
  if (!read.problem.empty()) return read.problem;
  last = std::max(read.summary->last_lsn, oracle.needed_from - 1);
  if (last < oracle.acknowledged) return "lost record " + std::to_string(last + 1);
  if (last > oracle.attempted) return "invented record " + std::to_string(last);
  if (read.lsns != lsns_between(oracle.needed_from, last)) return "a hole";
  if (read.summary->torn_tail) {
    ++recovery.torn_tails;
    const auto cut = cut_torn_tail(env, *read.summary->torn_tail, "/data/tail");
    if (!cut) return "cut: " + cut.error().message;
  }
  return {};
}

/// recover; start a writer; lose power before it writes: all that was read must still be there.
/// Then one more group, and all must read back.
std::string recover_twice(FaultEnv& env, Oracle oracle) {
  Recovery recovery;
  const Lsn& last = recovery.last;
  std::string problem = recover(env, oracle, recovery);
  if (!problem.empty()) return problem;
  {
    const auto writer =
        LogWriter::start(env, kDirectory, 1, last + 1, {.file_size_bytes = kFileSize});
    if (!writer) return "start: " + writer.error().message;
  }
  env.lose_power_worst();
  oracle.acknowledged = last;
  problem = recover(env, oracle, recovery);
  if (!problem.empty()) return "second boot: " + problem;
  auto writer = LogWriter::start(env, kDirectory, 1, last + 1, {.file_size_bytes = kFileSize});
  if (!writer) return "second start: " + writer.error().message;
  if (!commit_group(**writer, 3)) return "the new writer cannot write";
  env.lose_power_worst();
  oracle.acknowledged = oracle.attempted = last + 3;
  problem = recover(env, oracle, recovery);
  return problem.empty() ? problem : "third boot: " + problem;
}

std::uint64_t calls_of_script() {
  FaultEnv env;
  with_directory(env);
  const auto before = env.calls();
  const Oracle oracle = run_script(env);
  REQUIRE(oracle.acknowledged == oracle.attempted);
  REQUIRE(oracle.acknowledged > 100);
  REQUIRE(env.calls(FaultCall::kRename) > env.calls(FaultCall::kFill));  // Files were used again.
  return env.calls() - before;
}

}  // namespace

TEST_CASE("log faults: every acknowledged record survives a fault at any call and a power cut") {
  const std::uint64_t calls = calls_of_script();
  CAPTURE(calls);
  REQUIRE(calls > 60);
  Recovery recovery;
  for (std::uint64_t call = 0; call <= calls; ++call) {
    for (const ShortWrite short_write : {ShortWrite::kNothing, ShortWrite::kHalf}) {
      const bool half = short_write == ShortWrite::kHalf;
      FaultEnv env;
      with_directory(env);
      env.fail_from(call, {.code = half ? ErrorCode::kNoSpace : ErrorCode::kIoError,
                           .short_write = short_write});
      const Oracle oracle = run_script(env);
      env.heal();
      CAPTURE(call, half, oracle.acknowledged, oracle.attempted, oracle.needed_from);

      for (std::uint64_t seed = 0; seed < (half ? 10u : 50u); ++seed) {
        const auto image = env.crash_image(seed);
        const std::string problem =
            seed < 2 ? recover_twice(*image, oracle) : recover(*image, oracle, recovery);
        INFO("seed " << seed << ": " << problem);
        REQUIRE(problem.empty());
      }
      if (half) {
        env.kill_process();
      } else {
        env.lose_power_worst();
      }
      const std::string problem = recover_twice(env, oracle);
      INFO((half ? "killed: " : "worst: ") << problem);
      REQUIRE(problem.empty());
    }
  }
  CHECK(recovery.torn_tails > 100);  // The images did hold torn tails.
}

TEST_CASE("log faults: a single failed call breaks the writer although later calls would work") {
  const std::uint64_t calls = calls_of_script();
  for (std::uint64_t call = 0; call <= calls; ++call) {
    FaultEnv env;
    with_directory(env);
    env.fail_at(call);
    const Oracle oracle = run_script(env);
    CAPTURE(call, oracle.acknowledged, oracle.attempted);
    if (call < calls) CHECK(env.fault_hit());

    env.lose_power_worst();
    env.heal();

    const std::string problem = recover_twice(env, oracle);
    INFO(problem);
    REQUIRE(problem.empty());
  }
}

TEST_CASE("log faults: a full disk breaks nothing before a new file has its name") {
  for (const FaultCall call : {FaultCall::kFill, FaultCall::kCreate}) {
    CAPTURE(static_cast<int>(call));
    FaultEnv env;
    with_directory(env);
    auto writer = start_log(env);
    env.fail_from(0, {.code = ErrorCode::kNoSpace, .short_write = ShortWrite::kHalf, .only = call});
    Status committed;
    for (int group = 0; group < 100 && committed; ++group) committed = commit_group(*writer, 3);
    REQUIRE_FALSE(committed);
    CHECK(committed.error().code == ErrorCode::kNoSpace);
    CHECK_FALSE(writer->broken());
    CHECK_FALSE(writer->commit());

    env.heal();
    REQUIRE(writer->commit());  // The same group, which was kept.
    const Lsn last = writer->next_lsn() - 1;
    env.fail_from(0, {.code = ErrorCode::kNoSpace, .only = call});
    CHECK_FALSE(writer->make_room(kFileSize));
    CHECK_FALSE(writer->broken());
    env.heal();
    REQUIRE(writer->make_room(kFileSize));
    REQUIRE(commit_group(*writer, 1));
    env.lose_power_worst();

    const ReadBack read = read_back(env);
    INFO(read.problem);
    CHECK(read.problem.empty());
    CHECK(read.lsns == lsns_between(1, last + 1));
  }
}

TEST_CASE("log faults: without room for a new file of the usual size a smaller one does") {
  FaultEnv env;
  with_directory(env);
  auto writer = start_log(env);
  while (env.calls(FaultCall::kFill) < 2) REQUIRE(commit_group(*writer, 3));
  env.fail_at(0, {.code = ErrorCode::kNoSpace, .only = FaultCall::kFill});
  for (int group = 0; group < 20; ++group) REQUIRE(commit_group(*writer, 3));
  CHECK(env.fault_hit());
  const Lsn last = writer->next_lsn() - 1;
  env.lose_power_worst();

  CHECK(read_back(env).lsns == lsns_between(1, last));
}

TEST_CASE("log faults: after a failed sync nothing more is written, and the error stays") {
  FaultEnv env;
  with_directory(env);
  auto writer = start_log(env);
  REQUIRE(commit_group(*writer, 2));
  env.fail_at(0, {.only = FaultCall::kSync});
  const auto failed = commit_group(*writer, 2);
  REQUIRE_FALSE(failed);
  const auto calls = env.calls();

  for (int i = 0; i < 3; ++i) {
    const auto again = commit_group(*writer, 1);
    REQUIRE_FALSE(again);
    CHECK(again.error().message == failed.error().message);
  }
  CHECK_FALSE(writer->remove_below(kLsnMax));
  CHECK(env.calls() == calls);
}

TEST_CASE(
    "log faults: what a killed process wrote but did not sync is durable once read and started") {
  FaultEnv env;
  with_directory(env);
  Lsn last = 0;
  {
    auto writer = start_log(env);
    REQUIRE(commit_group(*writer, 5));
    env.fail_at(0, {.only = FaultCall::kSync});
    REQUIRE_FALSE(commit_group(*writer, 5));
    env.kill_process();
    last = 10;
  }
  REQUIRE(read_back(env).summary->last_lsn == last);  // It reads well: the kernel still has it.
  { auto writer = start_log(env, last + 1); }

  env.lose_power_worst();

  CHECK(read_back(env).lsns == lsns_between(1, last));
}

TEST_CASE("log faults: a power cut at any call of cut_torn_tail leaves the tail in one place") {
  for (std::uint64_t call = 0; call < 8; ++call) {
    FaultEnv env;
    with_directory(env);
    {
      auto writer = start_log(env);
      // The cut is on a sector's edge: FaultEnv may zero the whole sector that a cut goes through.
      writer->add(format::WalRecordKind::kPoints, 0, 0, Bytes(512 - format::kWalRecordHeaderSize));
      REQUIRE(commit_group(*writer, 5));
    }
    const auto record = places(env, log_files(env).front())[1];
    Bytes torn = file_bytes(env, log_path(1, 1));
    torn[record.offset + 50] ^= std::byte{1};
    REQUIRE(env.put_file(log_path(1, 1), torn));
    const TornTail tail = *read_back(env).summary->torn_tail;
    const Bytes expected(torn.begin() + static_cast<std::ptrdiff_t>(tail.offset),
                         torn.begin() + static_cast<std::ptrdiff_t>(tail.offset + tail.size));
    env.fail_from(call);
    const auto cut = cut_torn_tail(env, tail, "/data/tail");
    env.heal();

    for (std::uint64_t seed = 0; seed < 50; ++seed) {
      CAPTURE(call, seed);
      const auto image = env.crash_image(seed);
      const auto read = read_back(*image);
      REQUIRE(read.summary);
      CHECK(read.lsns == lsns_between(1, 1));
      if (read.summary->torn_tail) {
        CHECK_FALSE(cut);
        REQUIRE(cut_torn_tail(*image, *read.summary->torn_tail, "/data/tail"));
      }
      CHECK(file_bytes(*image, "/data/tail") == expected);
    }
  }
}

TEST_CASE("log faults: the checks above notice a sync that does nothing") {
  FaultEnv files;
  with_directory(files);
  files.ignore_file_syncs(true);
  const Oracle lost_content = run_script(files);
  files.lose_power_worst();
  CHECK_FALSE(recover_twice(files, lost_content).empty());

  FaultEnv names;
  with_directory(names);
  names.ignore_directory_syncs(true);
  const Oracle lost_names = run_script(names);
  names.lose_power_worst();
  CHECK_FALSE(recover_twice(names, lost_names).empty());
}

TEST_CASE("log faults: removal and counting run beside the writer") {
  FaultEnv env;
  with_directory(env);
  auto writer = start_log(env);
  std::atomic<Lsn> committed{0};
  std::atomic<bool> done{false};
  std::string removal_problem;
  std::thread remover([&] {
    while (!done) {
      const Lsn limit = committed;
      const auto removed = writer->remove_below(limit > 30 ? limit - 30 : 1);
      if (!removed) removal_problem = removed.error().message;
      if (writer->kept_bytes() > (1u << 24)) removal_problem = "kept_bytes is off";
    }
  });
  for (int group = 0; group < 300; ++group) {
    const auto written = commit_group(*writer, 4);
    if (!written) FAIL(written.error().message);
    committed = writer->next_lsn() - 1;
  }
  done = true;
  remover.join();

  CHECK(removal_problem.empty());
  REQUIRE(writer->remove_below(committed - 30));
  const auto read = read_back(env, committed - 30);
  REQUIRE(read.summary);
  CHECK(read.lsns == lsns_between(committed - 30, committed));
  const auto all = read_back(env, log_files(env).front().first_lsn);
  CHECK(all.summary->bytes == writer->kept_bytes());
}

TEST_CASE("log: a crash while an empty file is replaced leaves a log file", "[storage][wal]") {
  for (std::uint64_t call = 0;; ++call) {
    FaultEnv env;
    Lsn next = 1;
    {
      const auto writer = start_log(with_directory(env));
      REQUIRE(commit_group(*writer, 2));
      next = writer->next_lsn();
    }
    REQUIRE(start_log(env, next)->remove_below(next));
    REQUIRE(log_files(env).size() == 1);
    CAPTURE(call);
    env.fail_from(call);
    (void)wal::LogWriter::start(env, kDirectory, 1, next, {.file_size_bytes = kFileSize});
    const bool hit = env.fault_hit();
    env.heal();
    env.lose_power_names_kept();

    const auto read = read_back(env, next, next - 1);

    INFO((read.summary ? std::string() : read.summary.error().message));
    REQUIRE(read.summary);
    if (!hit) break;
  }
}
