// The query cache of a node: its answers are those that the node would give without it, whatever is
// written meanwhile.
#include <atomic>
#include <optional>
#include <random>
#include <shared_mutex>
#include <thread>

#include <nlohmann/json.hpp>

#include "tests/engine/api/api_support.h"

using namespace vz;
using api::test::call;
using api::test::TestServer;
using nlohmann::json;

namespace {

constexpr const char* kOn = R"({"cache":{"query_cache":{"enabled":true,"size_mb":4}}})";
constexpr const char* kOff = R"({"cache":{"query_cache":{"enabled":false}}})";
constexpr const char* kCreate = R"({"vectors":{"size":2,"distance":"Dot"}})";
constexpr const char* kSearch = R"({"vector":[1,0.5],"limit":5,"with_payload":true})";
const std::string kPoints = "/collections/a/points";

struct CacheNumbers {
  double hits = 0;
  double misses = 0;
  double bytes = 0;
};

CacheNumbers cache_numbers(std::uint16_t port) {
  const std::string page = call(port, "GET", "/metrics").body;
  const auto value = [&](const std::string& series) {
    const std::size_t at = page.find("\n" + series + " ");
    REQUIRE(at != std::string::npos);
    return std::stod(page.substr(at + series.size() + 2));
  };
  return {.hits = value(R"(vectorizer_cache_requests_total{result="hit"})"),
          .misses = value(R"(vectorizer_cache_requests_total{result="miss"})"),
          .bytes = value("vectorizer_cache_bytes")};
}

/// All of an answer but the time it took.
std::string timeless(const api::test::HttpAnswer& answer) {
  return std::to_string(answer.status) + answer.body.substr(0, answer.body.rfind(",\"time\":"));
}

/// The answer of a request that nobody has sent before: it is computed.
std::string uncached(std::uint16_t port, const std::string& path, const std::string& body) {
  static std::atomic<int> asked{0};
  return timeless(call(port, "POST", path + "?fresh=" + std::to_string(++asked), body));
}

void upsert(std::uint16_t port, const std::string& collection, int id, float x, int n) {
  const json point = {{"id", id}, {"vector", {x, 1}}, {"payload", {{"n", n}}}};
  REQUIRE(
      call(port, "PUT", "/collections/" + collection + "/points", json{{"points", {point}}}.dump())
          .status == 200);
}

/// A node with the cache on and five points in "a".
void begin(TestServer& server) {
  REQUIRE(server.put("/collections/a", kCreate).status == 200);
  for (int id = 0; id < 5; ++id) upsert(server.server->port(), "a", id, static_cast<float>(id), id);
  REQUIRE(server.post("/admin/config", kOn).status == 200);
}

}  // namespace

TEST_CASE("server cache: a search asked again is a hit with the same answer, by either route",
          "[api][cache]") {
  TestServer server;
  begin(server);
  const std::uint16_t port = server.server->port();

  const auto first = server.post(kPoints + "/search", kSearch);
  const auto again = server.post(kPoints + "/search", kSearch);
  const auto qdrant = server.post("/qdrant" + kPoints + "/search", kSearch);

  REQUIRE(first.status == 200);
  CHECK(timeless(again) == timeless(first));
  CHECK(timeless(qdrant) == timeless(first));
  CHECK(again.body.find(",\"time\":") != std::string::npos);
  CHECK(cache_numbers(port).hits == 2);
  CHECK(cache_numbers(port).misses == 1);
  CHECK(cache_numbers(port).bytes > 0);
  CHECK(json::parse(server.get("/stats").body)["collections"][0]["searches"] == 1);
}

TEST_CASE("server cache: off there is no look-up, and turned off it is empty at once",
          "[api][cache]") {
  TestServer server;
  begin(server);
  const std::uint16_t port = server.server->port();
  REQUIRE(server.post(kPoints + "/search", kSearch).status == 200);
  REQUIRE(cache_numbers(port).bytes > 0);

  REQUIRE(server.patch("/admin/config", kOff).status == 200);
  CHECK(cache_numbers(port).bytes == 0);
  const auto before = cache_numbers(port);
  for (int i = 0; i < 3; ++i) REQUIRE(server.post(kPoints + "/search", kSearch).status == 200);

  CHECK(cache_numbers(port).hits == before.hits);
  CHECK(cache_numbers(port).misses == before.misses);
  CHECK(cache_numbers(port).bytes == 0);
}

TEST_CASE("server cache: another request, kind of read or parameter is not the same",
          "[api][cache]") {
  TestServer server;
  begin(server);
  const std::uint16_t port = server.server->port();
  const std::vector<std::pair<std::string, std::string>> requests = {
      {"/search", R"({"vector":[1,0],"limit":2})"},
      {"/search", R"({"vector":[1,0],"limit":3})"},
      {"/search", R"({"vector":[1,0],"limit":2,"params":{"exact":true}})"},
      {"/search", R"({"vector":[1,0],"limit":2,"params":{"hnsw_ef":7}})"},
      {"/search", R"({"vector":[1,0],"limit":2,"offset":1})"},
      {"/search", R"({"vector":[1,0],"limit":2,"with_payload":true})"},
      {"/search", R"({"vector":[1,0],"limit":2,"filter":{"must":[{"has_id":[1]}]}})"},
      {"/search?timeout=3", R"({"vector":[1,0],"limit":2})"},
      {"/query", R"({"query":[1,0],"limit":2})"},
      {"/query", "{}"},
      {"/count", "{}"},
      {"/query/batch", R"({"searches":[{"query":[1,0],"limit":2}]})"},
      {"/search/batch", R"({"searches":[{"vector":[1,0],"limit":2}]})"}};

  for (int round = 0; round < 2; ++round) {
    for (const auto& [path, body] : requests) {
      CAPTURE(round, path, body);
      const auto answer = server.post(kPoints + path, body);
      CHECK(answer.status == 200);
      if (path.find('?') == std::string::npos)
        CHECK(timeless(answer) == uncached(port, kPoints + path, body));
    }
  }

  CHECK(cache_numbers(port).hits == static_cast<double>(requests.size()));
}

TEST_CASE("server cache: errors, scrolls and reads by id are not kept", "[api][cache]") {
  TestServer server;
  begin(server);
  const std::uint16_t port = server.server->port();
  for (int i = 0; i < 2; ++i) {
    CHECK(server.post(kPoints + "/search", R"({"vector":[1,2,3],"limit":1})").status == 400);
    CHECK(server.post(kPoints + "/search", "{").status == 400);
    CHECK(server.post(kPoints + "/query", R"({"query":99})").status == 404);
    CHECK(server.post(kPoints + "/scroll", R"({"limit":2})").status == 200);
    CHECK(server.post(kPoints, R"({"ids":[1]})").status == 200);
    CHECK(server.get(kPoints + "/1").status == 200);
  }

  CHECK(cache_numbers(port).hits == 0);
  CHECK(cache_numbers(port).bytes == 0);
}

TEST_CASE("server cache: after each change the answer is the new one", "[api][cache]") {
  TestServer server;
  begin(server);
  const std::uint16_t port = server.server->port();
  const auto cached = [&] { return timeless(server.post(kPoints + "/search", kSearch)); };
  std::string last;
  const auto differs_after = [&](const char* what, const api::test::HttpAnswer& change) {
    CAPTURE(what, change.body);
    CHECK(change.status == 200);
    const std::string now = cached();
    CHECK(now != last);
    CHECK(now == uncached(port, kPoints + "/search", kSearch));
    CHECK(now == cached());
    last = now;
  };
  last = cached();

  differs_after("upsert", server.put(kPoints, R"({"points":[{"id":9,"vector":[9,9]}]})"));
  differs_after("payload",
                server.post(kPoints + "/payload", R"({"payload":{"k":1},"points":[9]})"));
  differs_after("vector",
                server.put(kPoints + "/vectors", R"({"points":[{"id":9,"vector":[10,9]}]})"));
  differs_after("delete", server.post(kPoints + "/delete", R"({"points":[9]})"));
  differs_after("filter",
                server.post(kPoints + "/delete", R"({"filter":{"must":[{"has_id":[4]}]}})"));
  REQUIRE(server.erase("/collections/a").status == 200);
  CHECK(server.post(kPoints + "/search", kSearch).status == 404);
  differs_after("recreated", server.put("/collections/a", kCreate));
  CHECK(last.find("\"id\"") == std::string::npos);
}

TEST_CASE("server cache: another ef_search, an index and an alias are seen at once",
          "[api][cache]") {
  TestServer server;
  begin(server);
  const std::uint16_t port = server.server->port();
  const auto hits_of_next = [&] {
    const double before = cache_numbers(port).hits;
    REQUIRE(server.post(kPoints + "/search", kSearch).status == 200);
    return cache_numbers(port).hits - before;
  };
  CHECK(hits_of_next() == 0);
  CHECK(hits_of_next() == 1);

  REQUIRE(server.patch("/collections/a/config", R"({"hnsw":{"ef_search":50}})").status == 200);
  CHECK(hits_of_next() == 0);
  REQUIRE(server.server->node()->seal());
  CHECK(hits_of_next() == 0);
  REQUIRE(server.post("/collections/a/index/rebuild?wait=true").status == 200);
  CHECK(hits_of_next() == 0);
  CHECK(hits_of_next() == 1);

  // By an alias that goes from one collection to another.
  REQUIRE(server.put("/collections/b", kCreate).status == 200);
  upsert(port, "b", 77, 1, 1);
  const auto point_alias_at = [&](const std::string& target) {
    const json actions = {
        {"actions", {{{"create_alias", {{"collection_name", target}, {"alias_name", "x"}}}}}}};
    REQUIRE(server.post("/collections/aliases", actions.dump()).status == 200);
    return timeless(server.post("/collections/x/points/search", kSearch));
  };
  const std::string of_a = point_alias_at("a");
  const std::string of_b = point_alias_at("b");
  CHECK(of_b.find("\"id\":77") != std::string::npos);
  CHECK(of_a != of_b);
  CHECK(point_alias_at("a") == of_a);
}

TEST_CASE("server cache: random searches are answered as without it, between random writes",
          "[api][cache]") {
  const unsigned seed = 20'261'201;
  CAPTURE(seed);
  TestServer server;
  begin(server);
  const std::uint16_t port = server.server->port();
  // Writers hold it alone, so that a reader's two answers are of one moment.
  std::shared_mutex quiet;
  std::atomic<int> compared{0};
  std::atomic<int> differing{0};
  std::atomic<int> refused{0};

  const auto reader = [&](unsigned stream) {
    std::mt19937 random(seed + stream);
    for (int i = 0; i < 150; ++i) {
      const json filter = {{"must", {{{"key", "n"}, {"range", {{"lt", int(random() % 4)}}}}}}};
      json search = {{"vector", {1, int(random() % 3)}}, {"limit", 3}};
      if (random() % 2 == 0) search["filter"] = filter;
      const bool counts = random() % 4 == 0;
      const std::string path = kPoints + (counts ? "/count" : "/search");
      const std::string body = counts ? json{{"filter", filter}}.dump() : search.dump();
      const std::shared_lock lock(quiet);
      const std::string cached = timeless(call(port, "POST", path, body));
      if (cached != uncached(port, path, body)) ++differing;
      if (cached != timeless(call(port, "POST", path, body))) ++differing;  // A hit.
      ++compared;
    }
  };
  const auto writer = [&](unsigned stream) {
    std::mt19937 random(seed + stream);
    for (int i = 0; i < 60; ++i) {
      const std::lock_guard lock(quiet);
      const std::string id = std::to_string(random() % 8);
      const unsigned kind = random() % 10;
      api::test::HttpAnswer answer;
      if (kind < 5) {
        answer =
            call(port, "PUT", kPoints,
                 R"({"points":[{"id":)" + id + R"(,"vector":[)" + std::to_string(random() % 100) +
                     R"(,1],"payload":{"n":)" + std::to_string(random() % 5) + "}}]}");
      } else if (kind < 8) {
        answer = call(port, "POST", kPoints + "/delete", R"({"points":[)" + id + "]}");
      } else if (kind == 8) {
        answer.status = server.server->node()->settle() ? 200 : 500;
      } else {
        call(port, "DELETE", "/collections/a");
        answer = call(port, "PUT", "/collections/a", kCreate);
      }
      if (answer.status != 200) ++refused;
    }
  };
  std::vector<std::thread> threads;
  for (unsigned stream = 0; stream < 3; ++stream) threads.emplace_back(reader, stream);
  for (unsigned stream = 10; stream < 12; ++stream) threads.emplace_back(writer, stream);
  for (std::thread& thread : threads) thread.join();

  CHECK(refused == 0);
  CHECK(compared == 450);
  CHECK(differing == 0);
  CHECK(cache_numbers(port).hits >= 450);
}

TEST_CASE("server cache: no answer is older than a write acknowledged before it was asked for",
          "[api][cache]") {
  TestServer server;
  begin(server);
  const std::uint16_t port = server.server->port();
  constexpr int kWrites = 300;
  std::atomic<int> acknowledged{0};
  std::atomic<int> stale{0};
  std::atomic<int> failed{0};
  std::atomic<bool> done{false};
  // The point that is always first counts the writes in its payload.
  const std::string body = R"({"vector":[1000,0],"limit":1,"with_payload":["n"]})";
  upsert(port, "a", 1, 1'000, 0);

  const auto ask = [&] {
    while (!done) {
      const int at_least = acknowledged;
      const auto answer = call(port, "POST", kPoints + "/search", body);
      const json parsed = json::parse(answer.body, nullptr, false);
      const json::json_pointer n("/result/0/payload/n");
      if (!parsed.contains(n)) {
        ++failed;
      } else if (parsed[n].get<int>() < at_least) {
        ++stale;
      }
    }
  };
  std::vector<std::thread> readers;
  for (int i = 0; i < 2; ++i) readers.emplace_back(ask);
  for (int n = 1; n <= kWrites; ++n) {
    const json point = {{"id", 1}, {"vector", {1'000, 1}}, {"payload", {{"n", n}}}};
    if (call(port, "PUT", kPoints, json{{"points", {point}}}.dump()).status == 200)
      acknowledged = n;
    if (n % 50 == 0) (void)server.server->node()->seal();
  }
  done = true;
  for (std::thread& thread : readers) thread.join();

  CHECK(acknowledged == kWrites);
  CHECK(failed == 0);
  CHECK(stale == 0);
}

TEST_CASE("server cache: what turns out to be damaged is an error from then on", "[api][cache]") {
  TestServer server;
  REQUIRE(server.put("/collections/a", R"({"vectors":{"size":65536,"distance":"Dot"}})").status ==
          200);
  std::string vector = "1";
  for (int i = 1; i < 65'536; ++i) vector += ",1";  // So large that a start does not read it.
  REQUIRE(server.put(kPoints, R"({"points":[{"id":1,"vector":[)" + vector + "]}]}").status == 200);
  REQUIRE(server.post("/admin/config", kOn).status == 200);
  server.restart([&] { api::test::rot_segments(server.env, "/data/collections/1"); });
  const std::uint16_t port = server.server->port();
  // A start has things to build, each of which makes the collection another one.
  constexpr int kTriesMax = 10'000;
  for (int i = 0; i < kTriesMax && cache_numbers(port).hits == 0; ++i)
    REQUIRE(server.post(kPoints + "/count").status == 200);
  const auto hits = cache_numbers(port).hits;
  REQUIRE(hits == 1);

  REQUIRE(server.get(kPoints + "/1").status == 500);

  CHECK(timeless(server.post(kPoints + "/count")) == uncached(port, kPoints + "/count", ""));
  CHECK(cache_numbers(port).hits == hits);
}

TEST_CASE("server cache: a slow read from the cache says so", "[api][cache][slow]") {
  TestServer server;
  begin(server);
  REQUIRE(server.post("/admin/config", R"({"logging":{"slow_query_threshold_ms":0}})").status ==
          200);
  for (int i = 0; i < 2; ++i) REQUIRE(server.post(kPoints + "/search", kSearch).status == 200);

  const json told = json::parse(server.get("/admin/slow-queries").body)["queries"];

  REQUIRE(told.size() == 2);
  CHECK(told[0]["cached"] == true);
  CHECK(told[1]["cached"] == false);
  CHECK(told[0]["rows"] == 5);
  CHECK(told[0]["limit"] == 5);
}

TEST_CASE("server cache: when memory is short it is given up", "[api][cache]") {
  std::atomic<std::uint64_t> usage{1};
  auto options = api::test::test_options();
  options.node.background = node::NodeOptions::Background::kOn;
  options.node.memory = {.limit_bytes = 1'000'000,
                         .usage = [&usage] { return usage.load(); },
                         .look_every = std::chrono::milliseconds(0)};
  TestServer server(std::move(options));
  begin(server);
  const std::uint16_t port = server.server->port();
  REQUIRE(server.post(kPoints + "/search", kSearch).status == 200);
  REQUIRE(cache_numbers(port).bytes > 0);

  usage = 900'000;  // Beyond 85 %: writes are refused, searches are not.

  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (cache_numbers(port).bytes > 0 && std::chrono::steady_clock::now() < deadline)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  CHECK(cache_numbers(port).bytes == 0);
  CHECK(server.post(kPoints + "/search", kSearch).status == 200);
}
