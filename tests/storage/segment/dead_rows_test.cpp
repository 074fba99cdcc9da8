// Dead rows files: what is written reads back, and damage of any kind is refused.
#include <random>

#include <catch2/catch.hpp>

#include "storage/env/fault_env.h"
#include "storage/segment/segment.h"
#include "tests/storage/segment/memory_env.h"
#include "tests/storage/segment/mend.h"

using namespace vz;
using segment::DeadRows;

namespace {

const std::string kPath = "/data/1-7.dead-3";

DeadRows example(std::uint32_t row_count, std::uint32_t percent, std::uint32_t seed) {
  std::mt19937 random(seed);
  DeadRows dead{.epoch = 2, .seq = 7, .as_of = 900, .row_count = row_count, .rows = {}};
  for (std::uint32_t row = 0; row < row_count; ++row) {
    if (random() % 100 < percent) dead.rows.push_back(row);
  }
  return dead;
}

Result<DeadRows> read_bytes(Bytes file) {
  test::MemoryEnv env;
  env.put(kPath, std::move(file));
  return segment::read_dead_rows(env, kPath);
}

Bytes written(const DeadRows& dead) {
  test::MemoryEnv env;
  const auto info = segment::write_dead_rows(env, kPath, dead);
  REQUIRE(info);
  CHECK(info->size_bytes == env.content(kPath).size());
  return env.content(kPath);
}

}  // namespace

TEST_CASE("dead rows: none, some and all of a segment read back") {
  for (const std::uint32_t row_count : {0u, 1u, 1000u, 100'000u}) {
    for (const std::uint32_t percent : {0u, 3u, 100u}) {
      CAPTURE(row_count, percent);
      const DeadRows dead = example(row_count, percent, 1);

      const auto read = read_bytes(written(dead));

      REQUIRE(read);
      CHECK(read->epoch == dead.epoch);
      CHECK(read->seq == dead.seq);
      CHECK(read->as_of == dead.as_of);
      CHECK(read->row_count == dead.row_count);
      CHECK(read->rows == dead.rows);
    }
  }
}

TEST_CASE("dead rows: every flipped bit and every cut is refused") {
  const Bytes good = written(example(300, 30, 2));
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    CAPTURE(bit);
    const auto read = read_bytes(test::flipped(good, bit));
    REQUIRE_FALSE(read);
    REQUIRE(read.error().code == ErrorCode::kCorruption);
  }
  for (std::size_t size = 0; size < good.size(); ++size) {
    CAPTURE(size);
    REQUIRE_FALSE(
        read_bytes(Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size))));
  }
}

TEST_CASE(
    "dead rows: hostile bytes behind right checksums give ascending rows in range or an error") {
  const auto seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  const Bytes good = test::content_of(written(example(100, 30, 3)));
  int accepted = 0;
  int refused = 0;
  for (int i = 0; i < 5000; ++i) {
    Bytes content = good;
    test::mutate(content, 0, random);
    const auto read =
        read_bytes(test::sealed(content, static_cast<std::uint8_t>(segment::FileKind::kDead), 1));
    if (!read) {
      REQUIRE(read.error().code == ErrorCode::kCorruption);
      REQUIRE(read.error().message.find(kPath) == 0);
      ++refused;
      continue;
    }
    ++accepted;
    for (std::size_t k = 0; k < read->rows.size(); ++k) {
      REQUIRE(read->rows[k] < read->row_count);
      if (k > 0) REQUIRE(read->rows[k - 1] < read->rows[k]);
    }
  }
  CHECK(accepted > 100);
  CHECK(refused > 100);
}

TEST_CASE("dead rows: rows out of range or order are not written") {
  test::MemoryEnv env;
  for (const auto& rows : std::vector<std::vector<std::uint32_t>>{{10}, {3, 3}, {4, 3}}) {
    const DeadRows dead{.epoch = 1, .seq = 1, .as_of = 1, .row_count = 10, .rows = rows};
    CHECK_FALSE(segment::write_dead_rows(env, kPath, dead));
  }
  CHECK(env.files().empty());
}

TEST_CASE("dead rows: a fault at any call leaves no file or a whole one") {
  const DeadRows dead = example(1000, 50, 4);
  for (std::uint64_t fault = 0; fault < 10; ++fault) {
    CAPTURE(fault);
    FaultEnv env;
    REQUIRE(env.make_directory("/data"));
    env.fail_from(fault);
    const auto info = segment::write_dead_rows(env, kPath, dead);
    env.heal();
    env.lose_power(fault);
    const auto read = segment::read_dead_rows(env, kPath);
    if (info) REQUIRE(read);
    if (read) {
      CHECK(read->rows == dead.rows);
    } else {
      CHECK(read.error().code == ErrorCode::kNotFound);
    }
  }
}
