// Promise: no bytes, from outside or from a disk, make a decoder crash, read beyond, or give what
// is not valid.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include <catch2/catch.hpp>

#include "tests/fuzz/target.h"

using namespace vz;

namespace {

namespace fs = std::filesystem;

const fs::path kCorpus = fs::path(VZ_SOURCE_DIR) / "tests/fuzz/corpus";

Bytes read_input(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  REQUIRE(file);
  return fuzz::bytes_of(text);
}

}  // namespace

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

TEST_CASE("fuzz: decoders stand what libFuzzer has found before", "[fuzz]") {
  for (const fuzz::Target& target : fuzz::all_targets()) {
    const fs::path folder = kCorpus / target.name;
    INFO(folder);
    REQUIRE(fs::is_directory(folder));
    std::size_t inputs = 0;
    for (const auto& entry : fs::directory_iterator(folder)) {
      CAPTURE(entry.path());
      Bytes bytes = read_input(entry.path());
      CHECK(bytes.size() <= fuzz::kCorpusFileBytesMax);
      ++inputs;
      target.run(bytes);
      if (target.mend == nullptr) continue;
      target.mend(bytes);
      target.run(bytes);
    }
    CHECK(inputs > 0);
  }
}

TEST_CASE("fuzz: every folder of the corpus is of a target", "[fuzz]") {
  std::set<std::string> names;
  for (const fuzz::Target& target : fuzz::all_targets())
    CHECK(names.insert(std::string(target.name)).second);
  for (const auto& entry : fs::directory_iterator(kCorpus))
    CHECK(names.contains(entry.path().filename().string()));
}
