// What a node answers when its disk or its memory is short, and what its health says then.
#include <atomic>

#include <nlohmann/json.hpp>

#include "tests/engine/api/api_support.h"

using namespace vz;
using api::test::test_options;
using api::test::TestServer;
using nlohmann::json;

namespace {

constexpr std::uint64_t kMib = 1u << 20;
constexpr const char* kCollection = R"({"vectors":{"size":2,"distance":"Dot"}})";
constexpr const char* kOnePoint = R"({"points":[{"id":1,"vector":[1,2]}]})";
constexpr const char* kSearch = R"({"vector":[1,2],"limit":1})";

json check_of(const json& health, const std::string& name) {
  for (const auto& check : health.at("checks"))
    if (check.at("name") == name) return check;
  return {};
}

/// A point of 65,536 dimensions: its segment has blocks that a start need not read.
std::string large_point() {
  std::string body = R"({"points":[{"id":1,"vector":[1)";
  for (int i = 1; i < 65'536; ++i) body += ",1";
  return body + "]}]}";
}

constexpr const char* kLargeCollection = R"({"vectors":{"size":65536,"distance":"Dot"}})";

}  // namespace

TEST_CASE("server: a full disk is 507 with Retry-After for growth, and only for that",
          "[api][overload]") {
  auto options = test_options();
  options.node.disk_look_every = std::chrono::milliseconds(0);
  TestServer node(std::move(options));
  REQUIRE(node.put("/collections/a", kCollection).status == 200);
  REQUIRE(node.put("/collections/a/points", kOnePoint).status == 200);
  CHECK(check_of(json::parse(node.get("/health").body), "disk").at("status") == "healthy");

  node.env.set_disk_space({.free_bytes = 60 * kMib, .total_bytes = 1024 * kMib});
  const auto refused = node.put("/collections/a/points", kOnePoint);
  const auto native = node.patch("/collections/a/config", R"({"hnsw":{"ef_search":50}})");
  const auto health = node.get("/health");

  CHECK(refused.status == 507);
  CHECK(refused.header("Retry-After") == "1");
  CHECK(json::parse(refused.body)
            .at("status")
            .at("error")
            .get<std::string>()
            .starts_with("Insufficient storage: the disk is full"));
  CHECK(native.status == 507);
  CHECK(json::parse(native.body).at("error").at("code") == "no_space");
  CHECK(health.status == 503);
  const json said = json::parse(health.body);
  CHECK(said.at("ready") == true);
  CHECK(said.at("reason").get<std::string>().starts_with("disk: the disk is full"));
  CHECK(check_of(said, "disk").at("status") == "unhealthy");
  CHECK(check_of(said, "log").at("status") == "healthy");
  const auto ready = node.get("/readyz");
  CHECK(ready.status == 200);
  CHECK(ready.body.find("disk is full") != std::string::npos);
  CHECK(node.post("/collections/a/points/search", kSearch).status == 200);
  CHECK(node.post("/collections/a/points/delete", R"({"points":[1]})").status == 200);
  CHECK(node.erase("/collections/a").status == 200);

  node.env.set_disk_space({.free_bytes = 600 * kMib, .total_bytes = 1024 * kMib});
  CHECK(node.put("/collections/a", kCollection).status == 200);
  CHECK(node.get("/health").status == 200);
}

TEST_CASE("server: short memory is 503 for writes, then for searches; health still answers",
          "[api][overload]") {
  std::atomic<std::uint64_t> usage{0};
  auto options = test_options();
  options.node.memory = {.limit_bytes = 1'000,
                         .usage = [&] { return usage.load(); },
                         .look_every = std::chrono::milliseconds(0)};
  TestServer node(std::move(options));
  REQUIRE(node.put("/collections/a", kCollection).status == 200);

  usage = 900;
  const auto write = node.put("/collections/a/points", kOnePoint);
  const auto search = node.post("/collections/a/points/search", kSearch);
  usage = 960;
  const auto late_search = node.post("/collections/a/points/query", R"({"query":[1,2]})");
  const auto health = node.get("/health");
  const auto metrics = node.get("/metrics");
  usage = 100;

  CHECK(write.status == 503);
  CHECK(write.header("Retry-After") == "1");
  CHECK(write.body.find("memory is short") != std::string::npos);
  CHECK(search.status == 200);
  CHECK(late_search.status == 503);
  CHECK(late_search.header("Retry-After") == "1");
  CHECK(health.status == 503);
  CHECK(check_of(json::parse(health.body), "memory").at("status") == "unhealthy");
  CHECK(metrics.status == 200);
  CHECK(metrics.body.find("vectorizer_memory_limit_bytes 1000\n") != std::string::npos);
  CHECK(node.put("/collections/a/points", kOnePoint).status == 200);
  CHECK(node.get("/health").status == 200);
}

TEST_CASE("server: a damaged segment makes health 503 and names the file; the rest is served",
          "[api][overload]") {
  TestServer node;
  REQUIRE(node.put("/collections/a", kLargeCollection).status == 200);
  REQUIRE(node.put("/collections/b", kCollection).status == 200);
  REQUIRE(node.put("/collections/a/points", large_point()).status == 200);
  REQUIRE(node.put("/collections/b/points", kOnePoint).status == 200);
  node.restart([&] { api::test::rot_segments(node.env, "/data/collections/1"); });

  const auto damaged = node.get("/collections/a/points/1");
  const auto health = node.get("/health");

  CHECK(damaged.status == 500);
  CHECK(health.status == 503);
  const json said = json::parse(health.body);
  CHECK(said.at("reason").get<std::string>().starts_with("segments: out of service, corrupt: a: "));
  CHECK(said.at("reason").get<std::string>().find(".seg") != std::string::npos);
  CHECK(said.at("ready") == true);
  CHECK(node.get("/readyz").status == 200);
  CHECK(node.get("/readyz").body.find("corrupt") != std::string::npos);
  CHECK(node.get("/collections/b/points/1").status == 200);
}
