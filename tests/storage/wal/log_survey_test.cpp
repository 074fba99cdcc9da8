// The survey of the log: the verdicts of replay, on every file, whatever is wrong with the others.
#include "tests/storage/wal/log_kit.h"

using namespace vz;
using namespace vz::wal::test;

namespace {

/// Several files of one epoch. Returns the last lsn.
Lsn write_log(FaultEnv& env) {
  const auto writer = start_log(with_directory(env));
  for (int group = 0; group < 40; ++group) REQUIRE(commit_group(*writer, 3));
  return writer->next_lsn() - 1;
}

wal::LogSurvey survey(Env& env, Lsn from_lsn, Lsn durable_lsn) {
  auto done = wal::survey(env, kDirectory, from_lsn, durable_lsn,
                          [](const format::WalRecord&) { return Status{}; });
  REQUIRE(done);
  return std::move(*done);
}

}  // namespace

TEST_CASE("log survey: a sound log has no damage, and the numbers of replay", "[storage][wal]") {
  FaultEnv env;
  const Lsn last = write_log(env);
  const auto calls = env.calls();

  const auto found = survey(env, 10, last);

  CHECK(found.damage.empty());
  CHECK(found.summary.last_lsn == last);
  CHECK(found.summary.records == last - 9);
  CHECK_FALSE(found.summary.torn_tail);
  CHECK(env.calls() == calls);
}

TEST_CASE("log survey: damage in two files is found in both", "[storage][wal]") {
  FaultEnv env;
  const Lsn last = write_log(env);
  const auto files = log_files(env);
  REQUIRE(files.size() >= 4);
  const auto in_second = places(env, files[1]).at(2);
  const auto in_last = places(env, files.back()).at(0);
  REQUIRE(env.flip_bit(files[1].path, in_second.offset + 20, 3));
  REQUIRE(env.flip_bit(files[2].path, 100, 0));  // Its header.
  REQUIRE(env.flip_bit(files.back().path, in_last.offset, 0));

  const auto found = survey(env, 1, last);

  REQUIRE(found.damage.size() == 3);
  CHECK(found.damage[0].path == files[1].path);
  CHECK(found.damage[0].offset == in_second.offset);
  CHECK(found.damage[0].lsn == in_second.lsn);
  CHECK(found.damage[0].needed);
  CHECK(found.damage[1].path == files[2].path);
  CHECK(found.damage[1].offset == 0);
  CHECK(found.damage[2].path == files.back().path);
  CHECK(found.damage[2].lsn == in_last.lsn);
}

TEST_CASE("log survey: damage before the first needed record is found and told apart",
          "[storage][wal]") {
  FaultEnv env;
  const Lsn last = write_log(env);
  const auto files = log_files(env);
  const auto place = places(env, files[0]).at(1);
  REQUIRE(env.flip_bit(files[0].path, place.offset + 9, 1));

  const auto found = survey(env, last, last);

  REQUIRE(found.damage.size() == 1);
  CHECK(found.damage[0].lsn == place.lsn);
  CHECK_FALSE(found.damage[0].needed);
}

TEST_CASE("log survey: a missing file and a missing log are damage, a torn tail is not",
          "[storage][wal]") {
  FaultEnv env;
  const Lsn last = write_log(env);
  const auto files = log_files(env);
  const auto end = places(env, files.back()).back();
  REQUIRE(env.flip_bit(files.back().path, end.offset + 5, 0));

  const auto torn = survey(env, 1, 0);

  CHECK(torn.damage.empty());
  REQUIRE(torn.summary.torn_tail);
  const auto sound = places(env, files.back());  // The last group has lost its last record or all.
  CHECK(torn.summary.torn_tail->offset == sound.back().offset + sound.back().size);

  REQUIRE(env.remove(files[1].path));
  const auto hole = survey(env, 1, 0);
  REQUIRE(hole.damage.size() == 1);
  CHECK(hole.damage[0].path == files[0].path);

  for (const auto& file : log_files(env)) REQUIRE(env.remove(file.path));
  REQUIRE(survey(env, 1, last).damage.size() == 1);
  CHECK(survey(env, 1, 0).damage.empty());
}
