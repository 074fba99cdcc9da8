// Numbers of the benchmarks on values that one can check by hand.
#include "tools/bench/statistics.h"

#include <catch2/catch.hpp>

#include "tools/bench/data_set.h"
#include "tools/bench/score_recall.h"

using namespace vz::bench;
using vz::drive::Scored;

TEST_CASE("recall by score: points as near as the last exact one are right", "[bench]") {
  const std::vector<Scored> exact = {{"1", 0.9}, {"2", 0.8}, {"3", 0.7}};

  const auto recall = [&](const std::vector<Scored>& found) {
    return recall_by_score(found, exact, Order::kLargerIsNearer);
  };

  CHECK(recall(exact) == 1.0);
  CHECK(recall({{"1", 0.9}, {"2", 0.8}, {"4", 0.7}}) == 1.0);  // tied with point 3
  CHECK(recall({{"1", 0.9}, {"2", 0.8}, {"4", 0.6}}) == Approx(2.0 / 3));
  CHECK(recall({{"3", 0.6999}}) == Approx(1.0 / 3));  // the point itself, however it was scored
  CHECK(recall({}) == 0.0);
}

TEST_CASE("recall by score: with distances, smaller is nearer", "[bench]") {
  const std::vector<Scored> exact = {{"1", 0.0}, {"2", 1.5}};

  CHECK(recall_by_score(exact, exact, Order::kSmallerIsNearer) == 1.0);
  const std::vector<Scored> far = {{"1", 0.0}, {"3", 2.0}};
  CHECK(recall_by_score(far, exact, Order::kSmallerIsNearer) == 0.5);
  CHECK(recall_by_score(far, {}, Order::kSmallerIsNearer) == 1.0);
}

TEST_CASE("latency: percentiles in milliseconds, and none of no measurements", "[bench]") {
  std::vector<double> micros;
  for (int i = 100; i >= 0; --i) micros.push_back(1000.0 * i);

  const Latency latency = latency_of(micros);

  CHECK(latency.p50_ms == 50);
  CHECK(latency.p90_ms == 90);
  CHECK(latency.p99_ms == 99);
  CHECK(latency.max_ms == 100);
  std::vector<double> none;
  CHECK(latency_of(none).max_ms == 0);
}

TEST_CASE("histogram: every measurement is in the one bucket that it fits", "[bench]") {
  const auto buckets = histogram_of({0.5, 100, 127, 128, 1000});

  REQUIRE(buckets.size() == 10);
  CHECK(buckets[0].below_ms == Approx(0.002));
  CHECK(buckets[0].count == 1);
  CHECK(buckets[6].below_ms == Approx(0.128));
  CHECK(buckets[6].count == 2);
  CHECK(buckets[7].count == 1);
  CHECK(buckets[8].count == 0);
  CHECK(buckets[9].count == 1);
  CHECK(histogram_of({}).empty());
}

TEST_CASE("clustered vectors: draws in parts are the draw in one", "[bench]") {
  const Matrix whole = ClusteredVectors(5, 7).draw(10);

  ClusteredVectors parts(5, 7);
  Matrix joined = parts.draw(3);
  const Matrix rest = parts.draw(7);
  joined.values.insert(joined.values.end(), rest.values.begin(), rest.values.end());

  CHECK(joined.values == whole.values);
}
