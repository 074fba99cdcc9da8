// Slow reads: what counts as slow, what is kept and told of them, and how many lines a log gets.
#include "engine/api/slow_queries.h"

#include <nlohmann/json.hpp>

#include "tests/engine/api/api_support.h"

using namespace vz;
using namespace std::chrono_literals;
using api::SlowQueries;
using api::SlowQuery;
using api::test::call;
using api::test::TestServer;
using nlohmann::json;

namespace {

SlowQuery query(std::int64_t took_us) {
  return {.time_us = 1,
          .collection = "a",
          .facts = {.op = "search"},
          .took_us = took_us,
          .status = 200,
          .request_id = "r"};
}

void set_threshold(TestServer& server, std::int64_t ms) {
  const json body = {{"logging", {{"slow_query_threshold_ms", ms}}}};
  REQUIRE(server.post("/admin/config", body.dump()).status == 200);
}

/// "a" with points 0 to 4, of which 0, 2 and 4 are even.
void write_points(TestServer& server) {
  REQUIRE(server.put("/collections/a", R"({"vectors":{"size":2,"distance":"Dot"}})").status == 200);
  json points = json::array();
  for (int id = 0; id < 5; ++id)
    points.push_back({{"id", id}, {"vector", {id, 1}}, {"payload", {{"even", id % 2 == 0}}}});
  REQUIRE(server.put("/collections/a/points", json{{"points", points}}.dump()).status == 200);
}

json slow_queries(TestServer& server, const std::string& parameters = "") {
  const auto answer = server.get("/admin/slow-queries" + parameters);
  INFO(answer.body);
  REQUIRE(answer.status == 200);
  return json::parse(answer.body);
}

}  // namespace

TEST_CASE("slow queries: from the threshold on, all at 0, and none below it", "[api][slow]") {
  SlowQueries slow;
  CHECK_FALSE(slow.is_slow(1h));

  slow.set_threshold(100);
  CHECK(slow.is_slow(100ms));
  CHECK_FALSE(slow.is_slow(100ms - 1ns));

  slow.set_threshold(0);
  CHECK(slow.is_slow(0ns));

  slow.set_threshold(-1);
  CHECK_FALSE(slow.is_slow(1h));
}

TEST_CASE("slow queries: the newest are kept, in memory that is bounded", "[api][slow]") {
  SlowQueries slow;
  const std::size_t count = limits::kSlowQueriesKept + 5;
  for (std::size_t i = 0; i < count; ++i) slow.add(query(static_cast<std::int64_t>(i)));

  const auto all = slow.newest(count);
  const auto three = slow.newest(3);

  CHECK(all.total == count);
  REQUIRE(all.queries.size() == limits::kSlowQueriesKept);
  CHECK(all.queries.front().took_us == static_cast<std::int64_t>(count) - 1);
  CHECK(all.queries.back().took_us == 5);
  REQUIRE(three.queries.size() == 3);
  CHECK(three.queries[2].took_us == static_cast<std::int64_t>(count) - 3);
}

TEST_CASE(
    "slow queries: a log gets so many lines at once and one a second, and the rest is counted",
    "[api][slow]") {
  SlowQueries slow;
  const SlowQueries::Clock::time_point start{1h};
  const auto add = [&](int count, SlowQueries::Clock::time_point now) {
    for (int i = 0; i < count; ++i) slow.add(query(1), now);
    return slow.newest(0).lines_missing;
  };

  CHECK(add(SlowQueries::kLinesAtOnce, start) == 0);
  CHECK(add(10, start) == 10);
  CHECK(add(10, start + 999ms) == 20);
  CHECK(add(3, start + 2s) == 21);                               // Two seconds earned two lines.
  CHECK(add(SlowQueries::kLinesAtOnce + 1, start + 24h) == 22);  // A quiet day earns no more.
  CHECK(slow.total() == 2 * SlowQueries::kLinesAtOnce + 24);
}

TEST_CASE("slow queries: each kind of read is told with what it asked for and found",
          "[api][slow]") {
  TestServer server;
  write_points(server);
  set_threshold(server, 0);
  const std::string points = "/collections/a/points";
  const std::string filter = R"("filter":{"must":[{"key":"even","match":{"value":true}}]})";
  const auto one = [&](const std::string& path, const std::string& body) {
    const auto answer =
        call(server.server->port(), "POST", points + path, body, {{"X-Request-Id", "mine-1"}});
    CHECK(answer.status == 200);
    const json told = slow_queries(server, "?limit=1")["queries"][0];
    CHECK(told["collection"] == "a");
    CHECK(told["status"] == 200);
    CHECK(told["request_id"] == "mine-1");
    CHECK(told["duration_ms"] > 0);
    CHECK(told["time"].get<std::string>().starts_with("20"));
    CHECK(told.dump().find("vector") == std::string::npos);
    return told;
  };

  const json search =
      one("/search", R"({"vector":[1,0],"limit":4,"params":{"hnsw_ef":33},)" + filter + "}");
  CHECK(search["op"] == "search");
  CHECK(search["limit"] == 4);
  CHECK(search["ef"] == 33);
  CHECK(search["filter"] == true);
  CHECK(search["exact"] == false);
  CHECK(search["rows"] == 3);
  const json exact = one("/query", R"({"query":[1,0],"params":{"exact":true}})");
  CHECK(exact["op"] == "query");
  CHECK(exact["exact"] == true);
  CHECK(exact["ef"] == 0);
  CHECK(exact["filter"] == false);
  CHECK(exact["rows"] == 5);
  const json batch = one("/search/batch", R"({"searches":[{"vector":[1,0],"limit":2},)"
                                          R"({"vector":[1,0],"limit":3}]})");
  CHECK(batch["op"] == "search-batch");
  CHECK(batch["searches"] == 2);
  CHECK(batch["limit"] == 3);
  CHECK(batch["rows"] == 5);
  CHECK(one("/query/batch", R"({"searches":[{"query":[1,0]}]})")["op"] == "query-batch");
  const json count = one("/count", "{" + filter + "}");
  CHECK(count["op"] == "count");
  CHECK(count["rows"] == 3);
  CHECK(one("/scroll", R"({"limit":2})")["op"] == "scroll");
  CHECK(one("", R"({"ids":[1,77]})")["rows"] == 1);
  REQUIRE(server.get(points + "/1").status == 200);
  CHECK(slow_queries(server)["queries"][0]["op"] == "get");
  CHECK(slow_queries(server)["total"] == 8);
  CHECK(server.get("/metrics").body.find("\nvectorizer_slow_queries_total 8\n") !=
        std::string::npos);
}

TEST_CASE("slow queries: off, or with a bad limit, or of what is no read, there are none",
          "[api][slow]") {
  TestServer server;
  write_points(server);
  set_threshold(server, 0);
  CHECK(server.get("/collections").status == 200);
  CHECK(server.post("/collections/none/points/count").status == 404);
  CHECK(server.post("/collections/a/points/search", R"({"vector":7})").status == 400);
  CHECK(slow_queries(server)["total"] == 0);
  set_threshold(server, -1);
  CHECK(server.post("/collections/a/points/count").status == 200);

  const json none = slow_queries(server);

  CHECK(none["threshold_ms"] == -1);
  CHECK(none["total"] == 0);
  CHECK(none["queries"].empty());
  for (const std::string limit : {"0", "257", "-1", "x", "1x", ""}) {
    CAPTURE(limit);
    CHECK(server.get("/admin/slow-queries?limit=" + limit).status == 400);
  }
  CHECK(server.post("/admin/config", R"({"logging":{"slow_query_threshold_ms":-2}})").status ==
        400);
}
