// P7 for the data directory: whichever call fails, and whatever the power cut takes, opening again
// gives the old image or the new one with all its files, and never a directory nobody can open.
#include <catch2/catch.hpp>

#include "storage/base/log.h"
#include "tests/storage/store/store_fixture.h"

using namespace vz;
using namespace vz::test;

namespace {

constexpr std::uint64_t kSeeds = 40;

/// Ends the life of the process and what the disk remembers of it, in the `way`-th manner.
void crash(FaultEnv& env, std::uint64_t way) {
  if (way == 0) {
    env.lose_power_worst();
  } else if (way == 1) {
    env.kill_process();
  } else {
    env.lose_power(way);
  }
  env.heal();
}

/// Mutating calls of `run` when nothing fails.
template <typename Run>
std::uint64_t calls_of(FaultEnv& env, const Run& run) {
  const std::uint64_t before = env.calls();
  REQUIRE(run(env));
  return env.calls() - before;
}

}  // namespace

TEST_CASE("store: a creation cut short at any call can be begun again", "[storage][store][fault]") {
  FaultEnv whole;
  REQUIRE(whole.make_directory("/srv"));
  const auto create = [](FaultEnv& env) { return store::Store::open(env, kData).has_value(); };
  const std::uint64_t calls = calls_of(whole, create);
  REQUIRE(calls > 15);

  for (std::uint64_t call = 0; call <= calls; ++call) {
    for (std::uint64_t way = 0; way < kSeeds; ++way) {
      CAPTURE(call, way);
      FaultEnv env;
      REQUIRE(env.make_directory("/srv"));
      env.fail_from(call, {.short_write = ShortWrite::kHalf});
      std::string cluster_id;
      if (auto created = store::Store::open(env, kData)) {
        cluster_id = (*created)->identity().cluster_id;
      }
      crash(env, way);

      auto store = open_store(env);

      CHECK(store->opened_manifest() == manifest::Manifest{.number = 1});
      if (!cluster_id.empty()) CHECK(store->identity().cluster_id == cluster_id);
      // And it stays, with what is built on it: nothing under it is still volatile.
      cluster_id = store->identity().cluster_id;
      env.lose_power_worst();
      store = open_store(env);
      CHECK(store->identity().cluster_id == cluster_id);
      REQUIRE(write_files(*store, image(2, 1)));
      REQUIRE(store->publish(image(2, 1)));
      env.lose_power_worst();
      store = open_store(env);
      CHECK(store->identity().cluster_id == cluster_id);
      CHECK(store->opened_manifest() == image(2, 1));
      CHECK(files_are_whole(env, image(2, 1)));
    }
  }
}

TEST_CASE("store: a call that fails once while opening does no harm", "[storage][store][fault]") {
  FaultEnv whole;
  REQUIRE(whole.make_directory("/srv"));
  const auto create = [](FaultEnv& env) { return store::Store::open(env, kData).has_value(); };
  const std::uint64_t calls = calls_of(whole, create);

  for (std::uint64_t call = 0; call < calls; ++call) {
    for (const ErrorCode code : {ErrorCode::kIoError, ErrorCode::kNoSpace}) {
      CAPTURE(call, error_code_name(code));
      FaultEnv env;
      REQUIRE(env.make_directory("/srv"));
      env.fail_at(call, {.code = code});
      const auto created = store::Store::open(env, kData);
      if (!created) CHECK(created.error().code == code);
      if (created) continue;  // Only the name in LOCK could not be written.
      CHECK(open_store(env)->opened_manifest() == manifest::Manifest{.number = 1});
    }
  }
}

TEST_CASE("store: a publish cut short at any call leaves the old image or the new one, whole",
          "[storage][store][fault]") {
  const auto prepare = [](FaultEnv& env) {
    REQUIRE(env.make_directory(kData));
    auto store = open_store(env);
    for (std::uint64_t number = 2; number <= 3; ++number) {
      REQUIRE(write_files(*store, image(number, number)));
      REQUIRE(store->publish(image(number, number)));
    }
    return store;
  };
  const auto run = [](store::Store& store) {
    return write_files(store, image(4, 4)) && store.publish(image(4, 4));
  };
  FaultEnv whole;
  const auto whole_store = prepare(whole);
  const std::uint64_t calls = calls_of(whole, [&](FaultEnv&) { return run(*whole_store); });
  REQUIRE(calls > 20);

  configure_log(LogLevel::kError, LogFormat::kText);  // Not a line per file that stays.
  int kept_old = 0;
  int kept_new = 0;
  for (std::uint64_t call = 0; call <= calls; ++call) {
    for (std::uint64_t way = 0; way < kSeeds; ++way) {
      CAPTURE(call, way);
      FaultEnv env;
      auto store = prepare(env);
      env.fail_from(call, {.short_write = ShortWrite::kHalf});
      const bool published = run(*store);
      crash(env, way);

      auto again = open_store(env);

      const manifest::Manifest opened = again->opened_manifest();
      REQUIRE((opened == image(3, 3) || opened == image(4, 4)));
      if (published) CHECK(opened == image(4, 4));
      CHECK(files_are_whole(env, opened));
      (opened.number == 3 ? kept_old : kept_new) += 1;
      // Leftovers go, nothing that counts goes with them, and the next publish works.
      REQUIRE(again->remove_leftovers());
      CHECK(files_are_whole(env, opened));
      CHECK(again->remove_leftovers()->empty());
      REQUIRE(write_files(*again, image(5, 5)));
      REQUIRE(again->publish(image(5, 5)));
      env.lose_power_worst();
      again = open_store(env);
      CHECK(again->opened_manifest() == image(5, 5));
      CHECK(files_are_whole(env, image(5, 5)));
      CHECK(files_are_whole(env, opened));
    }
  }
  CHECK(kept_old > 0);
  CHECK(kept_new > 0);
}

TEST_CASE("store: if syncs did nothing these tests would see it", "[storage][store][fault]") {
  int broken = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    for (const bool files : {true, false}) {
      FaultEnv env;
      REQUIRE(env.make_directory(kData));
      auto store = open_store(env);
      env.ignore_file_syncs(files);
      env.ignore_directory_syncs(!files);
      REQUIRE(write_files(*store, image(2, 2)));
      REQUIRE(store->publish(image(2, 2)));
      env.lose_power(seed);
      const auto again = store::Store::open(env, kData);
      const bool kept =
          again && (*again)->opened_manifest() == image(2, 2) && files_are_whole(env, image(2, 2));
      if (!kept) ++broken;
    }
  }
  CHECK(broken > 20);
}
