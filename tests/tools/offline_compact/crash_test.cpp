// Promise: whatever call fails and whenever the power is cut, compaction and the building of
// indexes leave a sound directory with every point, and a rerun ends what they began.
#include "tests/support/instrumented.h"
#include "tests/tools/offline_compact/compact_kit.h"
#include "tools/offline/index_rebuild.h"

using namespace vz;
using namespace vz::test;
using check::Level;

namespace {

constexpr std::uint64_t kStride = vz::test::kInstrumented ? 5 : 1;

void crash(FaultEnv& env, std::uint64_t way, std::uint64_t seed) {
  switch (way % 4) {
    case 0:
      return env.lose_power_worst();
    case 1:
      return env.lose_power(seed + way);
    case 2:
      return env.lose_power_names_kept();
    default:
      return env.kill_process();
  }
}

using Work = std::function<bool(FaultEnv&)>;

/// Lets each call of `work` fail, once or for good, cuts the power, and looks what is left.
void try_every_call(const Work& work, const std::function<bool(const manifest::Manifest&)>& done) {
  const std::uint64_t seed = Catch::rngSeed();
  CAPTURE(seed);
  FaultEnv sample;
  make_scattered(sample, Ending::kKilled);
  const Everything before = read_copy(sample);
  const auto calls_before = sample.calls();
  REQUIRE(work(sample));
  REQUIRE(done(image_of(sample)));
  const std::uint64_t calls = sample.calls() - calls_before;
  REQUIRE(calls > 20);
  bool old_seen = false;
  bool new_seen = false;
  for (std::uint64_t fault = seed % kStride; fault < calls; fault += kStride) {
    for (const bool stays : {false, true}) {
      FaultEnv env;
      make_scattered(env, Ending::kKilled);
      stays ? env.fail_from(fault) : env.fail_at(fault);
      const bool reported = work(env);
      env.heal();
      crash(env, fault + (stays ? 2 : 0), seed);

      INFO("failing call " << fault << " of " << calls << ", stays " << stays);
      {
        const auto report = checked(env, Level::kContents);
        INFO(text_of(report.findings));
        REQUIRE_FALSE(report.damaged());
      }
      const bool is_done = done(image_of(env));
      if (reported) REQUIRE(is_done);
      old_seen = old_seen || !is_done;
      new_seen = new_seen || is_done;
      REQUIRE(read_copy(env) == before);
      REQUIRE(work(env));
      REQUIRE(done(image_of(env)));
      REQUIRE_FALSE(checked(env, Level::kContents).damaged());
      REQUIRE(read_everything(env) == before);
    }
  }
  CHECK(old_seen);
  CHECK(new_seen);
}

}  // namespace

TEST_CASE("compact: a failing call and a power cut at every call leave old or new, whole",
          "[offline][fault]") {
  try_every_call(
      [](FaultEnv& env) {
        return offline::compact(env, kDataDir, {.run = offline::CompactOptions::Run::kApply})
            .has_value();
      },
      [](const manifest::Manifest& image) {
        for (const auto& entry : image.collections)
          if (entry.segments.size() != 1 || entry.segments[0].dead_rows != 0) return false;
        return true;
      });
}

TEST_CASE("compact: a failing call and a power cut at every call by way of a work directory",
          "[offline][fault]") {
  try_every_call(
      [](FaultEnv& env) {
        const auto plan = offline::compact(env, kDataDir, {});
        if (!plan) return false;
        std::uint64_t room = 0;
        for (const auto& one : plan->collections) room = std::max(room, one.space_with_workdir);
        TwoDisks disks(env, room, std::uint64_t{1} << 34);
        const auto done = offline::compact(
            disks, kDataDir,
            {.run = offline::CompactOptions::Run::kApply, .workdir = TwoDisks::kWorkdir});
        return done.has_value();
      },
      [](const manifest::Manifest& image) {
        for (const auto& entry : image.collections)
          if (entry.segments.size() != 1 || entry.segments[0].dead_rows != 0 ||
              !entry.segments[0].index || !entry.segments[0].fields)
            return false;
        return true;
      });
}

TEST_CASE("rebuild-index: a failing call and a power cut at every call leave old files or new",
          "[offline][fault]") {
  std::uint64_t first = 0;
  {
    FaultEnv env;
    make_scattered(env, Ending::kKilled);
    first = image_of(env).next_file_number;
  }
  try_every_call(
      [](FaultEnv& env) {
        return offline::rebuild_index(env, kDataDir, {.run = offline::RebuildOptions::Run::kApply})
            .has_value();
      },
      [first](const manifest::Manifest& image) {
        for (const auto& entry : image.collections)
          for (const auto& part : entry.segments)
            if (!part.index || part.index->number < first) return false;
        return true;
      });
}
