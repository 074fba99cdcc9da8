// Jobs, maintenance and run-time settings over HTTP.
#include <thread>

#include <nlohmann/json.hpp>

#include "tests/engine/api/api_support.h"

using namespace vz;
using namespace vz::api::test;
using nlohmann::json;

namespace {

/// "docs" with three segments of 64 points, a dead one among them.
void write_docs(TestServer& server) {
  REQUIRE(server.put("/collections/docs", R"({"vectors":{"size":2,"distance":"Dot"}})").status ==
          200);
  for (int first = 0; first < 192; first += 64) {
    json points = json::array();
    for (int id = first; id < first + 64; ++id)
      points.push_back({{"id", id}, {"vector", {id, 1}}, {"payload", {{"n", id}}}});
    REQUIRE(server.put("/collections/docs/points", json{{"points", points}}.dump()).status == 200);
    REQUIRE(server.server->node()->seal());
  }
  REQUIRE(server.post("/collections/docs/points/delete", R"({"points":[5]})").status == 200);
}

json nearest(TestServer& server) {
  const auto answer = server.post("/collections/docs/points/search",
                                  R"({"vector":[1,0],"limit":5,"with_payload":true})");
  CHECK(answer.status == 200);
  return json::parse(answer.body)["result"];
}

}  // namespace

TEST_CASE("operations: optimize answers before and after, and searches answer as before",
          "[api][jobs]") {
  TestServer server;
  write_docs(server);
  const json before = nearest(server);

  const auto answer = server.post("/collections/docs/optimize?wait=true");

  INFO(answer.body);
  REQUIRE(answer.status == 200);
  const json result = json::parse(answer.body);
  CHECK(result["status"] == "completed");
  CHECK(result["before"]["segments"] == 3);
  CHECK(result["before"]["deleted_vectors"] == 1);
  CHECK(result["after"]["segments"] == 1);
  CHECK(result["after"]["deleted_vectors"] == 0);
  CHECK(nearest(server) == before);
  CHECK(json::parse(server.get("/stats").body)["collections"][0]["segments"] == 1);
  CHECK(server.post("/collections/none/optimize").status == 404);
  CHECK(server.post("/collections/docs/optimize", R"({"force":true})").status == 400);
}

TEST_CASE("operations: a job is answered with its id, listed, and found when it has ended",
          "[api][jobs]") {
  TestServer server;
  write_docs(server);

  const auto answer = server.post("/collections/docs/index/rebuild");

  REQUIRE(answer.status == 202);
  const std::string id = json::parse(answer.body)["job_id"];
  CHECK(id == "index-rebuild-1");
  json job;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  do {
    job = json::parse(server.get("/admin/jobs/" + id).body);
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  } while (job["status"] == "running" && std::chrono::steady_clock::now() < deadline);
  CHECK(job["status"] == "completed");
  CHECK(job["object"] == "docs");
  CHECK(job["result"]["after"]["segments"] == 3);
  CHECK(json::parse(server.get("/admin/jobs").body)["jobs"][0]["job_id"] == id);
  CHECK(server.get("/admin/jobs/gc-99").status == 404);
  CHECK(server.erase("/admin/jobs/gc-99").status == 404);
  CHECK(server.erase("/admin/jobs/" + id).status == 200);
}

TEST_CASE("operations: compact and gc say what they removed", "[api][jobs]") {
  TestServer server;
  write_docs(server);

  const auto compacted = server.post("/admin/compact?wait=true");
  const auto collected = server.post("/admin/gc?wait=true");

  INFO(compacted.body);
  REQUIRE(compacted.status == 200);
  const json result = json::parse(compacted.body);
  CHECK(result["files_removed"] > 0);
  CHECK(result["size_bytes_after"] < result["size_bytes_before"]);
  CHECK(result["collections"][0]["after"]["segments"] == 1);
  REQUIRE(collected.status == 200);
  CHECK(json::parse(collected.body).contains("freed_bytes"));
}

TEST_CASE("settings: changed live, answered with their origin, and kept", "[api][settings]") {
  TestServer server;

  const auto changed =
      server.post("/admin/config", R"({"storage":{"compression":"zstd","compression_level":3}})");
  const auto refused =
      server.patch("/admin/config", R"({"storage":{"compression_level":4},"listen":"x"})");

  REQUIRE(changed.status == 200);
  CHECK(json::parse(changed.body)["origins"]["storage.compression_level"] == "runtime");
  CHECK(refused.status == 400);
  CHECK(refused.body.find("'listen'") != std::string::npos);
  const json now = json::parse(server.get("/admin/config").body);
  CHECK(now["storage"]["compression_level"] == 3);
  CHECK(now["origins"]["logging.level"] == "default");
  CHECK(server.env.exists("/data/config.json"));
}
