// Thread pool, gate and histogram: their promises under threads.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <future>
#include <memory>
#include <mutex>
#include <numeric>
#include <random>
#include <set>
#include <stdexcept>
#include <thread>

#include <catch2/catch.hpp>
#include <pthread.h>

#include "engine/runtime/gate.h"
#include "engine/runtime/histogram.h"
#include "engine/runtime/thread_pool.h"

using namespace vz;
using namespace std::chrono_literals;
using runtime::Gate;
using runtime::Histogram;
using runtime::ThreadPool;

TEST_CASE("pool: stop runs everything that was taken, on named threads, and nothing after",
          "[runtime]") {
  std::mutex mutex;
  std::set<std::string> names;
  std::atomic<int> ran{0};
  ThreadPool pool("vz-test", 3, 1'000);
  for (int i = 0; i < 500; ++i) {
    REQUIRE(pool.submit([&] {
      char name[16] = "";
      pthread_getname_np(pthread_self(), name, sizeof name);
      std::lock_guard lock(mutex);
      names.insert(name);
      ++ran;
    }));
  }

  pool.stop();

  CHECK(ran == 500);
  for (const auto& name : names) CHECK_THAT(name, Catch::StartsWith("vz-test-"));
  const auto late = pool.submit([&] { ++ran; });
  REQUIRE_FALSE(late.has_value());
  CHECK(late.error().code == ErrorCode::kUnavailable);
  pool.stop();
  CHECK(ran == 500);
}

TEST_CASE("pool: a full queue refuses, and takes again when there is room", "[runtime]") {
  ThreadPool pool("vz-test", 1, 2);
  std::promise<void> begun;
  std::promise<void> release;
  std::atomic<int> ran{0};
  REQUIRE(pool.submit([&] {
    begun.set_value();
    release.get_future().wait();
  }));
  begun.get_future().wait();
  REQUIRE(pool.submit([&] { ++ran; }));
  REQUIRE(pool.submit([&] { ++ran; }));
  CHECK(pool.queued() == 2);

  const auto refused = pool.submit([&] { ran += 100; });

  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == ErrorCode::kUnavailable);
  CHECK_THAT(refused.error().message, Catch::Contains("vz-test"));
  release.set_value();
  while (pool.queued() > 0) std::this_thread::yield();
  REQUIRE(pool.submit([&] { ++ran; }));
  pool.stop();
  CHECK(ran == 3);
}

TEST_CASE("pool: work that throws harms neither its thread nor what follows", "[runtime]") {
  std::atomic<int> ran{0};
  ThreadPool pool("vz-test", 1, 10);

  REQUIRE(pool.submit([] { throw std::runtime_error("expected by this test"); }));
  REQUIRE(pool.submit([&] { ++ran; }));
  pool.stop();

  CHECK(ran == 1);
}

TEST_CASE("gate: close waits for every guard and lets nobody in meanwhile", "[runtime]") {
  Gate gate;
  auto first = gate.enter();
  auto second = gate.enter();
  REQUIRE((first && second));
  CHECK(gate.inside() == 2);
  std::atomic<bool> closed{false};
  std::thread closer([&] {
    gate.close();
    closed = true;
  });
  while (gate.enter()) std::this_thread::yield();  // Each success leaves again at once.

  first.reset();
  std::this_thread::sleep_for(10ms);
  CHECK_FALSE(closed);
  {
    const Gate::Guard moved = std::move(*second);
    second.reset();  // Moved from: leaves nothing.
    std::this_thread::sleep_for(10ms);
    CHECK_FALSE(closed);
    CHECK(gate.inside() == 1);
  }
  closer.join();

  CHECK(closed);
  CHECK_FALSE(gate.enter().has_value());
  gate.close();
}

TEST_CASE("gate: after close no work runs, however many threads race it", "[runtime]") {
  for (int round = 0; round < 20; ++round) {
    auto gate = std::make_unique<Gate>();
    std::atomic<bool> destroyed{false};
    std::atomic<int> violations{0};
    std::atomic<int> refused{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&, raw = gate.get()] {
        while (true) {
          const auto guard = raw->enter();
          if (!guard) break;
          if (destroyed) ++violations;
        }
        ++refused;
      });
    }
    std::this_thread::sleep_for(1ms);

    gate->close();
    destroyed = true;
    for (auto& thread : threads) thread.join();

    CHECK(violations == 0);
    CHECK(refused == 4);
  }
}

TEST_CASE("histogram: every bucket starts where the one before ends", "[runtime]") {
  for (std::size_t i = 0; i < runtime::kHistogramBuckets; ++i) {
    const std::uint64_t start = runtime::histogram_bucket_start_ns(i);
    const std::uint64_t end = runtime::histogram_bucket_start_ns(i + 1);
    if (runtime::histogram_bucket(start) != i || runtime::histogram_bucket(end - 1) != i ||
        (i >= 16 && (end - start) * 16 > start))
      FAIL("bucket " << i << " is [" << start << ", " << end << ")");
  }
}

TEST_CASE("histogram: quantiles are within a sixteenth of the exact ones", "[runtime]") {
  const unsigned seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  std::lognormal_distribution<double> latency(std::log(250'000.0), 1.5);
  Histogram histogram;
  std::vector<double> all;
  for (int i = 0; i < 20'000; ++i) {
    const auto ns = static_cast<std::int64_t>(latency(random));
    all.push_back(static_cast<double>(ns));
    histogram.record(std::chrono::nanoseconds(ns));
  }
  std::sort(all.begin(), all.end());

  const auto snapshot = histogram.snapshot();

  CHECK(snapshot.count == 20'000);
  CHECK(snapshot.mean_ns == Approx(std::accumulate(all.begin(), all.end(), 0.0) / 20'000));
  for (const double q : {0.01, 0.5, 0.9, 0.99, 0.999}) {
    CAPTURE(q);
    const double exact = all[static_cast<std::size_t>(std::ceil(q * 20'000)) - 1];
    CHECK(snapshot.quantile_ns(q) == Approx(exact).epsilon(1.0 / 14));
  }
}

TEST_CASE("histogram: its ends are clamped and an empty one says zero", "[runtime]") {
  Histogram histogram;
  CHECK(histogram.snapshot().quantile_ns(0.5) == 0.0);
  CHECK(histogram.snapshot().mean_ns == 0.0);

  histogram.record(-5ns);
  histogram.record(1h);

  const auto snapshot = histogram.snapshot();
  CHECK(snapshot.count == 2);
  CHECK(snapshot.sum_ns == runtime::kHistogramNsMax);
  CHECK(snapshot.quantile_ns(-1) < 1.0);
  CHECK(snapshot.quantile_ns(2) == static_cast<double>(runtime::kHistogramNsMax));
}

TEST_CASE("histogram: threads lose no record", "[runtime]") {
  Histogram histogram;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 10'000; ++i) histogram.record(static_cast<std::uint64_t>(i));
    });
  }
  for (auto& thread : threads) thread.join();

  CHECK(histogram.snapshot().count == 40'000);
  CHECK(histogram.snapshot().sum_ns == 4 * (9'999ull * 10'000 / 2));
}
