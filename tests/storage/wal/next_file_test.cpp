// The log goes on in a new file when it is asked to, and does without files that somebody removed.
#include <catch2/catch.hpp>

#include "tests/storage/wal/log_kit.h"

using namespace vz;
using namespace vz::wal;
using namespace vz::wal::test;

TEST_CASE("log: goes on in a new file when asked, once the present one holds a record") {
  FaultEnv env;
  with_directory(env);
  auto writer = start_log(env);

  REQUIRE(writer->begin_next_file());
  const auto empty = log_files(env).size();
  REQUIRE(commit_group(*writer, 3));
  REQUIRE(writer->begin_next_file());
  const auto begun = log_files(env);
  REQUIRE(commit_group(*writer, 2));
  REQUIRE(writer->remove_below(4));

  CHECK(empty == 1);
  REQUIRE(begun.size() == 2);
  CHECK(begun.back().first_lsn == 4);
  CHECK(log_files(env).size() == 1);
  const auto read = read_back(env, 4);
  REQUIRE(read.summary);
  CHECK(read.lsns == lsns_between(4, 5));
}

TEST_CASE("log: a closed file that somebody removed is let go of like any other") {
  FaultEnv env;
  with_directory(env);
  auto writer = start_log(env);
  for (int file = 0; file < 3; ++file) {
    REQUIRE(commit_group(*writer, 1));
    REQUIRE(writer->begin_next_file());
  }
  REQUIRE(commit_group(*writer, 1));
  REQUIRE(env.remove(log_files(env).front().path));

  REQUIRE(writer->remove_below(4));

  const auto files = log_files(env);
  REQUIRE(files.size() == 1);
  CHECK(files.front().first_lsn == 4);
  REQUIRE(commit_group(*writer, 1));
  const auto read = read_back(env, 4);
  REQUIRE(read.summary);
  CHECK(read.lsns == lsns_between(4, 5));
}
