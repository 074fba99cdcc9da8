// What a search of an index promises: near enough, only rows that pass, in a fixed order.
#include <algorithm>
#include <atomic>
#include <set>
#include <thread>

#include <catch2/catch.hpp>

#include "tests/engine/index/example.h"

using namespace vz;
using index::Candidate;
using index::CandidateStats;
using index::SearchMethod;
using vector::Distance;

namespace {

constexpr unsigned kSeed = 4'711;
constexpr std::uint32_t kDimension = 48;
constexpr std::size_t kRows = 6'000;
constexpr std::size_t kTop = 10;
constexpr std::size_t kWanted = 40;
constexpr Distance kAll[] = {Distance::kCosine, Distance::kDot, Distance::kEuclid,
                             Distance::kManhattan};

/// Built once for each distance: a graph takes a while.
const test::Example& example_of(Distance distance) {
  static std::unique_ptr<test::Example> examples[5];
  auto& example = examples[static_cast<std::size_t>(distance)];
  if (!example) {
    auto made =
        test::make_example(test::clustered(kRows, kDimension, 60, distance, kSeed, kSeed + 1),
                           kDimension, distance, 1'000);
    REQUIRE(made.has_value());
    example = std::move(*made);
  }
  return *example;
}

std::vector<std::vector<float>> queries_of(Distance distance, std::size_t count) {
  return test::clustered(count, kDimension, 60, distance, kSeed, kSeed + 2);
}

std::vector<Candidate> ask(const test::Example& example, std::span<const float> query,
                           const index::RowFilter& filter, CandidateStats& stats,
                           std::size_t wanted = kWanted, std::size_t ef = 128,
                           SearchMethod method = SearchMethod::kByCost) {
  std::vector<Candidate> found;
  const auto status = example.column().candidates(
      {.query = query, .wanted = wanted, .ef = ef, .filter = filter, .method = method}, found,
      stats);
  REQUIRE(status.has_value());
  return found;
}

void check_order(const std::vector<Candidate>& found) {
  std::set<std::uint32_t> rows;
  for (std::size_t i = 0; i < found.size(); ++i) {
    REQUIRE(rows.insert(found[i].row).second);
    if (i == 0) continue;
    REQUIRE((found[i - 1].similarity > found[i].similarity ||
             (found[i - 1].similarity == found[i].similarity && found[i - 1].row < found[i].row)));
  }
}

}  // namespace

TEST_CASE("index: a walk finds the nearest rows for every distance", "[engine][index]") {
  for (const auto distance : kAll) {
    const auto& example = example_of(distance);
    REQUIRE(example.column().has_graph());
    REQUIRE(example.column().codes_on());
    double sum = 0;
    CandidateStats stats;
    const auto queries = queries_of(distance, 100);

    for (const auto& query : queries) {
      const auto found = ask(example, query, {}, stats, kWanted, 128, SearchMethod::kWalk);
      REQUIRE(found.size() == kWanted);
      check_order(found);
      sum += test::recall(example.rescored(query, kTop, found), example.exact(query, kTop));
    }

    CAPTURE(kSeed, vector::distance_name(distance));
    CHECK(sum / 100 >= 0.95);
    CHECK(stats.walks == 100);
    CHECK(stats.scans == 0);
    CHECK(stats.evaluations < 100 * kRows / 2);
  }
}

TEST_CASE("index: a filter lets only passing rows through, as many as there are, and near ones",
          "[engine][index]") {
  const auto method = GENERATE(SearchMethod::kByCost, SearchMethod::kWalk, SearchMethod::kScan);
  for (const auto distance : kAll) {
    const auto& example = example_of(distance);
    const auto queries = queries_of(distance, 20);
    for (const double share : {0.001, 0.01, 0.1, 0.5, 0.99}) {
      std::mt19937 random(kSeed + 3);
      double sum = 0;
      for (const auto& query : queries) {
        index::RowSet allowed(kRows);
        for (std::uint32_t row = 0; row < kRows; ++row) {
          if (random() % 100'000 < share * 100'000) allowed.insert(row);
        }
        const index::RowFilter filter = {.allowed = &allowed, .allowed_count = allowed.count()};
        CandidateStats stats;

        const auto found = ask(example, query, filter, stats, kWanted, 128, method);

        check_order(found);
        CAPTURE(kSeed, vector::distance_name(distance), share, stats.walks, stats.evaluations);
        REQUIRE(found.size() == std::min<std::size_t>(kWanted, allowed.count()));
        for (const auto& candidate : found) REQUIRE(allowed.contains(candidate.row));
        sum +=
            test::recall(example.rescored(query, kTop, found), example.exact(query, kTop, filter));
      }
      CAPTURE(kSeed, vector::distance_name(distance), share);
      CHECK(sum / 20 >= 0.95);
    }
  }
}

TEST_CASE("index: a filter that shuns the query's neighbourhood still gives the best passing rows",
          "[engine][index]") {
  const auto method = GENERATE(SearchMethod::kByCost, SearchMethod::kWalk);
  const auto& example = example_of(Distance::kEuclid);
  double sum = 0;
  const auto queries = queries_of(Distance::kEuclid, 100);
  for (const auto& query : queries) {
    // The far half passes: the walk has to cross everything near first.
    const auto by_nearness = example.exact(query, kRows);
    index::RowSet allowed(kRows);
    for (std::size_t i = kRows / 2; i < kRows; ++i) allowed.insert(by_nearness[i]);
    const index::RowFilter filter = {.allowed = &allowed, .allowed_count = allowed.count()};
    CandidateStats stats;

    const auto found = ask(example, query, filter, stats, kWanted, 128, method);

    REQUIRE(found.size() == kWanted);
    for (const auto& candidate : found) REQUIRE(allowed.contains(candidate.row));
    sum += test::recall(example.rescored(query, kTop, found), example.exact(query, kTop, filter));
  }
  CHECK(sum / 100 >= 0.95);
}

TEST_CASE("index: dead rows are never returned, and rows that die later are until then",
          "[engine][index]") {
  const auto method = GENERATE(SearchMethod::kByCost, SearchMethod::kWalk, SearchMethod::kScan);
  const auto& example = example_of(Distance::kCosine);
  const auto queries = queries_of(Distance::kCosine, 10);
  for (const std::uint32_t modulus : {2u, 3u, 50u, 2'000u}) {
    index::DeadLsns dead(kRows);
    for (std::uint32_t row = 0; row < kRows; ++row) {
      if (row % modulus == 0) dead.mark(row, 100 + row % 2);
    }
    for (const auto& query : queries) {
      // The nearest row dies too.
      dead.mark(example.exact(query, 1)[0], 100);
      for (const Lsn lsn : {Lsn{99}, Lsn{100}, Lsn{101}}) {
        const index::RowFilter filter = {.dead = &dead, .lsn = lsn};
        CandidateStats stats;

        const auto found = ask(example, query, filter, stats, kWanted, 128, method);

        CAPTURE(modulus, lsn);
        REQUIRE(found.size() == kWanted);
        for (const auto& candidate : found) REQUIRE_FALSE(dead.dead_at(candidate.row, lsn));
        CHECK(test::recall(example.rescored(query, kTop, found),
                           example.exact(query, kTop, filter)) >= 0.8);
      }
    }
  }
}

TEST_CASE("index: when all rows around the query have died, the answer is still full",
          "[engine][index]") {
  const auto method = GENERATE(SearchMethod::kByCost, SearchMethod::kWalk);
  const auto& example = example_of(Distance::kEuclid);
  for (const auto& query : queries_of(Distance::kEuclid, 10)) {
    index::DeadLsns dead(kRows);
    for (const std::uint32_t row : example.exact(query, 400)) dead.mark(row, 5);
    const index::RowFilter filter = {.dead = &dead, .lsn = 5};
    CandidateStats stats;

    const auto found = ask(example, query, filter, stats, kWanted, 128, method);

    REQUIRE(found.size() == kWanted);
    for (const auto& candidate : found) REQUIRE_FALSE(dead.dead_at(candidate.row, 5));
    CHECK(test::recall(example.rescored(query, kTop, found), example.exact(query, kTop, filter)) >=
          0.9);
  }
}

TEST_CASE("index: asking for more than there is gives everything once", "[engine][index]") {
  const auto& example = example_of(Distance::kCosine);
  const auto queries = queries_of(Distance::kCosine, 1);
  const auto& query = queries[0];
  CandidateStats stats;

  CHECK(ask(example, query, {}, stats, kRows + 500, 10).size() == kRows);
  CHECK(ask(example, query, {}, stats, 0, 10).empty());

  const index::RowSet none(kRows);
  CHECK(ask(example, query, {.allowed = &none}, stats).empty());
}

TEST_CASE("index: candidates are appended to what is there", "[engine][index]") {
  const auto& example = example_of(Distance::kCosine);
  const auto query = queries_of(Distance::kCosine, 1)[0];
  std::vector<Candidate> found = {{7.0f, 77}};
  CandidateStats stats;
  REQUIRE(example.column()
              .candidates({.query = query, .wanted = 5, .ef = 50, .filter = {}}, found, stats)
              .has_value());
  REQUIRE(found.size() == 6);
  CHECK(found[0].row == 77);
}

TEST_CASE("index: four threads searching at once get what one gets", "[engine][index]") {
  const auto& example = example_of(Distance::kCosine);
  const auto queries = queries_of(Distance::kCosine, 50);
  std::vector<std::vector<Candidate>> expected;
  CandidateStats stats;
  for (const auto& query : queries) {
    expected.push_back(ask(example, query, {}, stats, kWanted, 128, SearchMethod::kWalk));
  }

  std::atomic<int> different{0};
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 4; ++thread) {
      threads.emplace_back([&] {
        for (std::size_t i = 0; i < queries.size(); ++i) {
          std::vector<Candidate> found;
          CandidateStats own;
          const auto status = example.column().candidates({.query = queries[i],
                                                           .wanted = kWanted,
                                                           .ef = 128,
                                                           .filter = {},
                                                           .method = SearchMethod::kWalk},
                                                          found, own);
          const bool same =
              status.has_value() &&
              std::equal(found.begin(), found.end(), expected[i].begin(), expected[i].end(),
                         [](const Candidate& a, const Candidate& b) {
                           return a.row == b.row && a.similarity == b.similarity;
                         });
          if (!same) ++different;
        }
      });
    }
  }
  CHECK(different == 0);
}
