// Promise: no bytes, from outside or from a disk, make a decoder crash, read beyond, or give what
// is not valid.
#include <catch2/catch.hpp>

#include "tests/fuzz/target.h"

using namespace vz;

TEST_CASE("fuzz: decoders stand small changes of what the writers make", "[fuzz]") {
  constexpr std::uint64_t kMutations = 400;  // Of each seed.
  const std::uint64_t first = Catch::rngSeed();
  for (const fuzz::Target& target : fuzz::all_targets()) {
    const auto seeds = target.seeds();
    REQUIRE_FALSE(seeds.empty());
    for (const Bytes& seed : seeds) {
      target.run(seed);
      for (std::uint64_t change = first; change < first + kMutations; ++change) {
        CAPTURE(target.name, change);
        Bytes bytes = fuzz::mutated(seed, change);
        target.run(bytes);
        if (target.mend == nullptr) continue;
        target.mend(bytes);
        target.run(bytes);
      }
    }
  }
}
