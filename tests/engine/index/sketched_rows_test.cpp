// Promise: a shortlist of the share that the build measured holds as many of the nearest rows as it
// says, for queries that the build has not seen; a search of few places is given a shorter one.
#include "engine/index/sketched_rows.h"

#include <algorithm>
#include <random>

#include <catch2/catch.hpp>

#include "engine/vector/distance.h"

using namespace vz;

namespace {

constexpr std::uint32_t kDimension = 96;
constexpr std::size_t kRows = 6'000, kQueries = 100, kNearest = 10;

/// Points around a few hundred centres, of length 1.
std::vector<std::vector<float>> clustered(std::size_t count, std::mt19937_64& random) {
  constexpr std::size_t kCentres = 200;
  std::normal_distribution<float> normal;
  std::vector<std::vector<float>> centres(kCentres, std::vector<float>(kDimension));
  for (auto& centre : centres)
    for (float& value : centre) value = normal(random);
  std::vector<std::vector<float>> out;
  for (std::size_t i = 0; i < count; ++i) {
    auto row = centres[random() % kCentres];
    for (float& value : row) value += 0.7f * normal(random);
    vector::normalize(row);
    out.push_back(std::move(row));
  }
  return out;
}

/// The part of the ten nearest rows that is among the best `share` of the rows by sketches.
double held_by(double share, const index::SketchedRows& sketches,
               std::span<const float* const> rows, std::span<const std::vector<float>> queries) {
  std::vector<std::uint32_t> all(rows.size());
  for (std::uint32_t row = 0; row < all.size(); ++row) all[row] = row;
  std::size_t held = 0;
  for (const auto& query : queries) {
    std::vector<std::pair<float, std::uint32_t>> exact;
    for (const std::uint32_t row : all)
      exact.emplace_back(
          -vector::similarity(vector::Distance::kCosine, query.data(), rows[row], kDimension), row);
    std::partial_sort(exact.begin(), exact.begin() + kNearest, exact.end());
    std::vector<float> ranks(rows.size());
    vector::SketchQuery sketched;
    sketched.assign(vector::CodedQuery(vector::Distance::kCosine, query, 1.0f));
    sketched.ranks_at(sketches.block, all, ranks);
    std::vector<float> sorted = ranks;
    std::sort(sorted.rbegin(), sorted.rend());
    const float least = sorted[static_cast<std::size_t>(share * static_cast<double>(rows.size()))];
    for (std::size_t i = 0; i < kNearest; ++i) held += ranks[exact[i].second] >= least ? 1 : 0;
  }
  return static_cast<double>(held) / static_cast<double>(queries.size() * kNearest);
}

}  // namespace

TEST_CASE("sketches: shortlists hold what the build says, and shorter ones less",
          "[engine][index]") {
  const auto seed = Catch::rngSeed();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  auto points = clustered(kRows + kQueries, random);
  const std::vector<std::vector<float>> queries(points.begin() + kRows, points.end());
  std::vector<const float*> rows;
  for (std::size_t row = 0; row < kRows; ++row) rows.push_back(points[row].data());
  const auto sketches = index::sketch_rows(rows, kDimension, 1);

  const auto shares =
      index::shortlist_shares(sketches, rows, kDimension, vector::Distance::kCosine, 2);

  CHECK(std::is_sorted(shares.begin(), shares.end()));
  CHECK(shares.front() < shares.back());
  for (std::size_t level = 0; level < shares.size(); ++level) {
    const double held = held_by(shares[level], sketches, rows, queries);
    CAPTURE(level, shares[level]);
    CHECK(held >= index::kHeldByShortlist[level] - 0.01);
  }
  CHECK(index::share_at(shares, 1) == shares[0]);
  CHECK(index::share_at(shares, 15) == shares[0]);
  CHECK(index::share_at(shares, 16) == shares[1]);
  CHECK(index::share_at(shares, 48) == shares[2]);
}
