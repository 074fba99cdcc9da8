// GET /metrics: what it counts, how its labels stay bounded, and that promtool finds nothing.
#include <cmath>
#include <cstdio>
#include <fstream>
#include <sstream>

#include <nlohmann/json.hpp>

#include "engine/limits.h"
#include "tests/engine/api/api_support.h"
#include "tests/storage/env/temporary_directory.h"

using namespace vz;
using api::test::TestServer;
using nlohmann::json;

namespace {

/// Value of the line that begins with `series`; NaN if there is none.
double value_of(const std::string& page, const std::string& series) {
  const std::size_t at = ("\n" + page).find("\n" + series + " ");
  if (at == std::string::npos) return std::nan("");
  return std::stod(page.substr(at + series.size() + 1));
}

std::string metrics(TestServer& node) {
  const auto answer = node.get("/metrics");
  REQUIRE(answer.status == 200);
  return answer.body;
}

void create(TestServer& node, const std::string& name) {
  REQUIRE(node.put("/collections/" + name, R"({"vectors":{"size":2,"distance":"Dot"}})").status ==
          200);
}

constexpr const char* kSearch = R"({"vector":[1,2],"limit":1})";
constexpr const char* kOnePoint = R"({"points":[{"id":1,"vector":[1,2]}]})";

/// A point of 65,536 dimensions: its segment has blocks that a start need not read.
std::string large_point() {
  std::string body = R"({"points":[{"id":1,"vector":[1)";
  for (int i = 1; i < 65'536; ++i) body += ",1";
  return body + "]}]}";
}

}  // namespace

TEST_CASE("metrics: searches, inserts and the log are counted where they happen", "[metrics]") {
  TestServer node;
  create(node, "a");
  REQUIRE(node.put("/collections/a/points", kOnePoint).status == 200);
  for (int i = 0; i < 3; ++i)
    REQUIRE(node.post("/collections/a/points/search", kSearch).status == 200);
  REQUIRE(node.post("/collections/a/points/search", R"({"vector":[1,2,3],"limit":1})").status ==
          400);

  const std::string page = metrics(node);

  const std::string of_a = R"({collection="a",status=)";
  CHECK(value_of(page, "vectorizer_search_requests_total" + of_a + "\"ok\"}") == 3);
  CHECK(value_of(page, "vectorizer_search_requests_total" + of_a + "\"error\"}") == 1);
  CHECK(value_of(page, R"(vectorizer_search_latency_seconds_count{collection="a"})") == 3);
  CHECK(value_of(page, R"(vectorizer_search_latency_seconds_bucket{collection="a",le="+Inf"})") ==
        3);
  CHECK(value_of(page, R"(vectorizer_search_latency_seconds_bucket{collection="a",le="1"})") == 3);
  CHECK(page.find(R"(vectorizer_search_latency_seconds_bucket{collection="a",le="0.001"})") !=
        std::string::npos);
  CHECK(value_of(page, R"(vectorizer_insert_requests_total{status="ok"})") == 1);
  CHECK(value_of(page, "vectorizer_insert_latency_seconds_count") == 1);
  CHECK(value_of(page, "vectorizer_wal_fsync_seconds_count") == 2);
  CHECK(value_of(page, "vectorizer_wal_lsn") == 2);
  CHECK(value_of(page, "vectorizer_wal_bytes") > 0);
  CHECK(value_of(page, "vectorizer_vectors_total") == 1);
  CHECK(value_of(page, "vectorizer_collections_total") == 1);
  CHECK(value_of(page, "vectorizer_disk_total_bytes") > 0);
  CHECK(value_of(page, "vectorizer_memory_usage_bytes") > 0);
  CHECK(value_of(page, "vectorizer_memory_limit_bytes") >
        value_of(page, "vectorizer_memory_usage_bytes"));
  CHECK(value_of(page, "process_open_fds") > 0);
}

TEST_CASE("metrics: /stats and /metrics tell of the same searches", "[metrics]") {
  TestServer node;
  create(node, "a");
  for (int i = 0; i < 20; ++i)
    REQUIRE(node.post("/collections/a/points/search", kSearch).status == 200);

  const json stats = json::parse(node.get("/stats").body)["collections"][0];
  const std::string page = metrics(node);

  CHECK(value_of(page, R"(vectorizer_search_latency_seconds_count{collection="a"})") ==
        stats["searches"]);
  const double sum = value_of(page, R"(vectorizer_search_latency_seconds_sum{collection="a"})");
  CHECK(sum * 1'000 / 20 == Approx(stats["avg_search_ms"].get<double>()));
}

TEST_CASE("metrics: answers are counted by route, method and status", "[metrics]") {
  TestServer node;
  create(node, "a");
  node.get("/collections/a/points/1");
  node.get("/collections/a/points/2");
  node.get("/collections");
  node.get("/qdrant/collections");
  node.get("/no/such/path");
  node.erase("/health");
  api::test::call(node.server->port(), "GET", "/stats", "", {{"Origin", "http://elsewhere"}});

  const std::string page = metrics(node);

  const auto count = [&](const std::string& route, const char* method, const char* status) {
    return value_of(page, "vectorizer_http_requests_total{route=\"" + route + "\",method=\"" +
                              method + "\",status=\"" + status + "\"}");
  };
  CHECK(count("/collections/{collection_name}/points/{id}", "GET", "404") == 2);
  CHECK(count("/collections/{collection_name}", "PUT", "200") == 1);
  CHECK(count("/collections", "GET", "200") == 1);
  CHECK(count("/qdrant/collections", "GET", "200") == 1);
  CHECK(count("unmatched", "GET", "404") == 1);
  CHECK(count("unmatched", "DELETE", "405") == 1);
  CHECK(count("/stats", "GET", "401") == 1);
  CHECK(value_of(page, "vectorizer_auth_failures_total") == 1);
  CHECK(
      value_of(page,
               "vectorizer_http_request_seconds_count{route=\"/collections/{collection_name}\"}") ==
      1);
}

TEST_CASE("metrics: a dropped collection's series go, and so many have their own at most",
          "[metrics]") {
  TestServer node;
  const std::size_t count = limits::kMetricCollectionsMax + 3;
  for (std::size_t i = 0; i < count; ++i) create(node, "c" + std::to_string(i));
  const std::string last = "c" + std::to_string(count - 1);
  for (const std::string& name : {std::string("c0"), last, "c" + std::to_string(count - 2)})
    REQUIRE(node.post("/collections/" + name + "/points/search", kSearch).status == 200);

  const std::string before = metrics(node);
  REQUIRE(node.erase("/collections/c0").status == 200);
  const std::string after = metrics(node);

  const auto ok = [](const std::string& page, const std::string& name) {
    return value_of(page,
                    "vectorizer_search_requests_total{collection=\"" + name + "\",status=\"ok\"}");
  };
  CHECK(ok(before, "c0") == 1);
  CHECK(ok(before, "other") == 2);
  CHECK(std::isnan(ok(before, last)));
  CHECK(std::isnan(ok(after, "c0")));
  CHECK(after.find("\"c0\"") == std::string::npos);
}

TEST_CASE("metrics: a checksum that does not match is counted", "[metrics]") {
  TestServer node;
  REQUIRE(node.put("/collections/a", R"({"vectors":{"size":65536,"distance":"Dot"}})").status ==
          200);
  REQUIRE(node.put("/collections/a/points", large_point()).status == 200);
  const double before = value_of(metrics(node), "vectorizer_checksum_errors_total");
  node.restart([&] { api::test::rot_segments(node.env, "/data/collections/1"); });

  const auto answer = node.get("/collections/a/points/1");

  CHECK(answer.status == 500);
  CHECK(value_of(metrics(node), "vectorizer_checksum_errors_total") > before);
}

TEST_CASE("metrics: promtool finds nothing to complain about", "[metrics]") {
  TestServer node;
  create(node, "a");
  REQUIRE(node.put("/collections/a/points", kOnePoint).status == 200);
  REQUIRE(node.post("/collections/a/points/search", kSearch).status == 200);
  const test::TemporaryDirectory scratch;
  const std::string page = scratch.path() + "/page";
  const std::string verdict = scratch.path() + "/verdict";
  std::ofstream(page) << metrics(node);

  const int status =
      std::system(("promtool check metrics <" + page + " >" + verdict + " 2>&1").c_str());

  std::ifstream file(verdict);
  std::stringstream said;
  said << file.rdbuf();
  INFO(said.str());
  CHECK(status == 0);
  CHECK(said.str().empty());
}
