// Promise: what a shortlist leaves out is no better than what it keeps.
#include "engine/index/shortlist.h"

#include <numeric>
#include <random>

#include <catch2/catch.hpp>

using namespace vz;
using index::SearchScratch;
using index::Shortlist;

namespace {

/// The rows that a shortlist of `size` keeps of ranks that are offered in batches.
std::vector<std::uint32_t> kept_of(const std::vector<float>& ranks, std::size_t size) {
  SearchScratch scratch;
  Shortlist shortlist(scratch, size);
  std::vector<std::uint32_t> rows(ranks.size());
  std::iota(rows.begin(), rows.end(), 0u);
  for (std::size_t first = 0; first < ranks.size(); first += SearchScratch::kBatchMax) {
    const std::size_t count = std::min<std::size_t>(SearchScratch::kBatchMax, ranks.size() - first);
    shortlist.offer(std::span(ranks).subspan(first, count), std::span(rows).subspan(first, count));
  }
  const auto kept = shortlist.finish();
  return {kept.begin(), kept.end()};
}

/// At least the best `size` that are numbers, an eighth more at most but for equals, ascending.
void require_best(const std::vector<float>& ranks, std::size_t size) {
  const auto kept = kept_of(ranks, size);
  REQUIRE(std::is_sorted(kept.begin(), kept.end()));
  std::vector<float> sorted;
  std::copy_if(ranks.begin(), ranks.end(), std::back_inserter(sorted),
               [](float rank) { return rank == rank; });
  std::sort(sorted.rbegin(), sorted.rend());
  sorted.resize(std::min(size, sorted.size()));
  std::vector<float> found;
  for (const std::uint32_t row : kept) found.push_back(ranks[row]);
  std::sort(found.rbegin(), found.rend());
  REQUIRE(found.size() >= sorted.size());
  found.resize(sorted.size());
  REQUIRE(found == sorted);
}

}  // namespace

TEST_CASE("shortlist: keeps the best ranks of any order", "[engine][index]") {
  const auto seed = Catch::rngSeed();
  CAPTURE(seed);
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  for (const std::size_t count : {1, 50, 3'000, 40'000}) {
    std::vector<float> ranks(count);
    for (float& rank : ranks) rank = normal(random);
    if (count > 10) ranks[7] = std::numeric_limits<float>::quiet_NaN();
    for (const std::size_t size : {10, 100, 2'000}) require_best(ranks, size);
    std::reverse(ranks.begin(), ranks.end());
    require_best(ranks, 100);
  }
}

TEST_CASE("shortlist: thousands of equal ranks do not push out better ones", "[engine][index]") {
  std::vector<float> ranks(9'000, 0.0f);
  for (std::size_t row = 3'500; row < ranks.size(); row += 500) ranks[row] = 1.0f + 1e-3f * row;
  require_best(ranks, 40);
  require_best(std::vector<float>(9'000, -2.0f), 40);
}
