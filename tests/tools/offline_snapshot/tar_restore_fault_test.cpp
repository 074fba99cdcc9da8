// A snapshot that tar has unpacked, with failing calls and power cuts at every moment: the old
// content or the new, whole, and the next start completes it.
#include <catch2/catch.hpp>

#include "tests/support/instrumented.h"
#include "tests/tools/offline_snapshot/past.h"

using namespace vz;
using namespace vz::test;

TEST_CASE("tar restore: a failing call and a power cut leave the old content or the new",
          "[snapshot][tar][fault]") {
  const std::uint64_t seed = Catch::rngSeed();
  CAPTURE(seed);
  constexpr std::uint64_t kStep = vz::test::kInstrumented ? 7 : 1;
  for (const std::string directory : {kDataDir, kOther}) {
    const bool over_data = directory == kDataDir;
    const std::uint64_t calls = [&] {
      Past past(4);
      past.untar_durably(directory);
      const auto before = past.env.calls();
      REQUIRE(store::Store::open(past.env, directory));
      return past.env.calls() - before;
    }();
    bool old_seen = false;
    bool new_seen = false;
    for (std::uint64_t fault = seed % kStep; fault < calls; fault += kStep) {
      for (const bool stays : {false, true}) {
        Past past(4);
        past.untar_durably(directory);
        stays ? past.env.fail_from(fault) : past.env.fail_at(fault);
        (void)store::Store::open(past.env, directory);
        past.env.heal();
        switch (fault % 3) {
          case 0:
            past.env.lose_power_worst();
            break;
          case 1:
            past.env.lose_power(seed + fault);
            break;
          default:
            past.env.kill_process();
        }

        INFO("failing call " << fault << " of " << calls << ", stays " << stays);
        if (over_data) {
          const auto image = past.env.crash_image(seed);
          const auto left = read_everything(*image, directory, kLeft);
          INFO((left ? "" : left.error().message));
          REQUIRE(left);
          REQUIRE((*left == past.now || *left == past.then));
          old_seen = old_seen || *left == past.now;
          new_seen = new_seen || *left == past.then;
        }
        REQUIRE(past.read(directory) == past.then);
        CHECK_FALSE(store::swap_pending(past.env, {directory}));
        CHECK_FALSE(store::restore_pending(past.env, {directory}));
        if (over_data) CHECK_FALSE(names_in(past.env, previous_in(past.env, directory)).empty());
      }
    }
    CHECK(old_seen == over_data);
    CHECK(new_seen == over_data);
  }
}

TEST_CASE("tar restore: what a start has put in force is durable, though tar synced nothing",
          "[snapshot][tar][fault]") {
  for (const std::string directory : {kDataDir, kOther}) {
    for (const bool links_refused : {false, true}) {
      CAPTURE(directory, links_refused);
      Past past(4);
      past.env.refuse_links(links_refused);
      past.untar(directory);
      REQUIRE(store::Store::open(past.env, directory));

      past.env.lose_power_worst();

      CHECK(past.read(directory) == past.then);
    }
  }
}

TEST_CASE("tar restore: what the power took of tar's own writing stops the start, or is restored",
          "[snapshot][tar][fault]") {
  const std::uint64_t seed = Catch::rngSeed();
  CAPTURE(seed);
  bool restored = false;
  bool refused = false;
  for (std::uint64_t round = 0; round < 60; ++round) {
    Past past(4);
    past.untar(kDataDir);
    round % 4 == 0 ? past.env.kill_process() : past.env.lose_power(seed + round);

    const auto content = read_everything(past.env, kDataDir);

    CAPTURE(round);
    if (content) {
      restored = restored || *content == past.then;
      REQUIRE((*content == past.then || *content == past.now));  // Or RESTORE itself was lost.
      continue;
    }
    refused = true;
    // Without RESTORE, what tar overwrote by the same bytes and the power took is simply missing.
    if (store::restore_pending(past.env, {kDataDir}))
      REQUIRE(content.error().code == ErrorCode::kCorruption);
  }
  CHECK(restored);
  CHECK(refused);
}
