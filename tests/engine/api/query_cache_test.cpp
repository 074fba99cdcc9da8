// The cache by itself: what is found, what is not, and how much it keeps.
#include "engine/api/query_cache.h"

#include <atomic>
#include <random>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

using namespace vz;
using api::CachedRequest;
using api::QueryCache;

namespace {

constexpr std::size_t kMiB = 1u << 20;

CachedRequest request(std::string_view body) {
  return {.op = "search", .parameters = "", .body = body};
}

QueryCache::Version version(Lsn written = 1) {
  return {.collection = 1, .written_lsn = written, .layout = 0};
}

/// The result that is kept for a request; "" without one.
std::string found(QueryCache& cache, const CachedRequest& request,
                  const QueryCache::Version& at = version()) {
  const auto kept = cache.find(request, at);
  return kept == nullptr ? "" : kept->result;
}

}  // namespace

TEST_CASE("query cache: the same request of the same version finds the answer, any other does not",
          "[api][cache]") {
  QueryCache cache;
  cache.resize(kMiB);
  cache.keep(request("{}"), version(), "one", {});

  CHECK(found(cache, request("{}")) == "one");
  CHECK(found(cache, request("{ }")).empty());
  CHECK(found(cache, {.op = "query", .parameters = "", .body = "{}"}).empty());
  CHECK(found(cache, {.op = "search", .parameters = "?x", .body = "{}"}).empty());
  // One text out of the same bytes, cut elsewhere.
  CHECK(found(cache, {.op = "searc", .parameters = "h", .body = "{}"}).empty());
  CHECK(found(cache, request("{}"), {.collection = 2, .written_lsn = 1, .layout = 0}).empty());
  CHECK(found(cache, request("{}")) == "one");
  const auto numbers = cache.numbers();
  CHECK(numbers.hits == 2);
  CHECK(numbers.misses == 5);
  CHECK(numbers.entries == 1);
}

TEST_CASE("query cache: an answer of an older version is removed when it is asked for",
          "[api][cache]") {
  const QueryCache::Version newer =
      GENERATE(QueryCache::Version{.collection = 1, .written_lsn = 2, .layout = 0},
               QueryCache::Version{.collection = 1, .written_lsn = 1, .layout = 1});
  QueryCache cache;
  cache.resize(kMiB);
  cache.keep(request("{}"), version(), "old", {});

  CHECK(found(cache, request("{}"), newer).empty());

  CHECK(cache.numbers().entries == 0);
  CHECK(cache.numbers().bytes == 0);
  cache.keep(request("{}"), newer, "new", {});
  CHECK(found(cache, request("{}"), newer) == "new");
  CHECK(found(cache, request("{}"), version()).empty());
}

TEST_CASE("query cache: kept anew, an answer replaces the one before", "[api][cache]") {
  QueryCache cache;
  cache.resize(kMiB);
  cache.keep(request("{}"), version(), "one", {});
  const auto bytes = cache.numbers().bytes;

  cache.keep(request("{}"), version(), "two", {});

  CHECK(found(cache, request("{}")) == "two");
  CHECK(cache.numbers().entries == 1);
  CHECK(cache.numbers().bytes == bytes);
}

TEST_CASE("query cache: it stays within its bytes, and the answers used last stay",
          "[api][cache]") {
  QueryCache cache;
  cache.resize(kMiB);
  const std::string payload(2'000, 'x');
  const std::string favourite = "favourite";
  cache.keep(request(favourite), version(), payload, {});
  for (int i = 0; i < 5'000; ++i) {
    cache.keep(request(std::to_string(i)), version(), payload, {});
    REQUIRE(cache.numbers().bytes <= kMiB);
    REQUIRE_FALSE(found(cache, request(favourite)).empty());
  }

  const auto numbers = cache.numbers();

  CHECK(numbers.bytes > kMiB / 2);
  CHECK(numbers.entries * payload.size() < kMiB);
  CHECK(numbers.entries > 200);
  CHECK_FALSE(found(cache, request("4999")).empty());
  CHECK(found(cache, request("0")).empty());
}

TEST_CASE("query cache: what would push out too much is not kept", "[api][cache]") {
  QueryCache cache;
  cache.resize(kMiB);
  cache.keep(request("small"), version(), "s", {});

  cache.keep(request("large"), version(), std::string(kMiB / 16, 'x'), {});

  CHECK(found(cache, request("large")).empty());
  CHECK(found(cache, request("small")) == "s");
}

TEST_CASE("query cache: smaller, off and cleared it lets go at once", "[api][cache]") {
  QueryCache cache;
  CHECK_FALSE(cache.enabled());
  cache.keep(request("{}"), version(), "x", {});
  CHECK(cache.numbers().entries == 0);
  cache.resize(4 * kMiB);
  CHECK(cache.enabled());
  const auto fill = [&] {
    for (int i = 0; i < 3'000; ++i)
      cache.keep(request(std::to_string(i)), version(), std::string(1'000, 'x'), {});
  };
  fill();
  CHECK(cache.numbers().bytes > 3 * kMiB);

  cache.resize(kMiB);
  CHECK(cache.numbers().bytes <= kMiB);
  CHECK(cache.numbers().entries > 0);

  cache.clear();
  CHECK(cache.numbers().bytes == 0);
  CHECK(cache.enabled());
  fill();
  CHECK(cache.numbers().entries > 0);

  cache.resize(0);
  CHECK_FALSE(cache.enabled());
  CHECK(cache.numbers().bytes == 0);
  cache.keep(request("{}"), version(), "x", {});
  CHECK(cache.numbers().entries == 0);
}

TEST_CASE(
    "query cache: threads that ask, keep, resize and clear get right answers within the bound",
    "[api][cache]") {
  QueryCache cache;
  cache.resize(kMiB);
  std::atomic<int> wrong{0};
  std::atomic<int> hits{0};
  const auto ask = [&](unsigned seed) {
    std::mt19937 random(seed);
    for (int i = 0; i < 5'000; ++i) {
      const Lsn written = random() % 3;
      const std::string body = std::to_string(random() % 50);
      const std::string right = body + " at " + std::to_string(written) + std::string(500, '.');
      const std::string kept = found(cache, request(body), version(written));
      if (!kept.empty()) ++(kept == right ? hits : wrong);
      cache.keep(request(body), version(written), right, {});
    }
  };
  const auto change = [&] {
    for (int i = 0; i < 200; ++i) {
      cache.resize(i % 3 == 0 ? 0 : (i % 3) * kMiB);
      if (i % 5 == 0) cache.clear();
    }
    cache.resize(kMiB);
  };

  std::vector<std::thread> threads;
  for (unsigned seed = 1; seed <= 3; ++seed) threads.emplace_back(ask, seed);
  threads.emplace_back(change);
  for (std::thread& thread : threads) thread.join();

  CHECK(wrong == 0);
  cache.keep(request("last"), version(), "answer", {});
  CHECK(found(cache, request("last")) == "answer");
  CHECK(cache.numbers().bytes <= kMiB);
  CHECK(cache.numbers().hits == static_cast<std::uint64_t>(hits) + 1);
}
