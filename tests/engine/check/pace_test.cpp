#include "engine/check/pace.h"

#include <chrono>
#include <vector>

#include <catch2/catch.hpp>

using namespace vz;

TEST_CASE("pace: says how far it is, of at least what was read", "[check]") {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> told;
  check::Pace pace(
      0, [&](std::uint64_t done, std::uint64_t total) { told.emplace_back(done, total); });
  pace.add_total(10);

  pace.spend(4);
  pace.spend(8);

  CHECK(told == std::vector<std::pair<std::uint64_t, std::uint64_t>>{{4, 10}, {12, 12}});
}

TEST_CASE("pace: takes at least the time that its rate asks for", "[check]") {
  check::Pace pace(100'000, {});
  const auto began = std::chrono::steady_clock::now();

  for (int i = 0; i < 10; ++i) pace.spend(1'000);

  CHECK(std::chrono::steady_clock::now() - began >= std::chrono::milliseconds(99));
}

TEST_CASE("pace: a stop ends the pause that it falls into", "[check]") {
  std::stop_source stop;
  check::Pace pace(
      1, [&](std::uint64_t, std::uint64_t) { stop.request_stop(); }, stop.get_token());
  CHECK_FALSE(pace.stopped());

  pace.spend(1'000'000'000);  // Decades, else.

  CHECK(pace.stopped());
}
