// The integrity check over HTTP.
#include <thread>

#include <nlohmann/json.hpp>

#include "engine/node/job_file.h"
#include "tests/engine/api/api_support.h"

using namespace vz;
using namespace vz::api::test;
using nlohmann::json;

namespace {

constexpr const char* kCheck = "/admin/integrity-check";
constexpr const char* kStatus = "/admin/integrity-check/status";

/// Two collections of 64 points, sealed, and one point in memory.
void write_data(TestServer& server) {
  for (const std::string name : {"docs", "more"}) {
    REQUIRE(
        server.put("/collections/" + name, R"({"vectors":{"size":2,"distance":"Dot"}})").status ==
        200);
    json points = json::array();
    for (int id = 0; id < 64; ++id) points.push_back({{"id", id}, {"vector", {id, 1}}});
    REQUIRE(
        server.put("/collections/" + name + "/points", json{{"points", points}}.dump()).status ==
        200);
  }
  REQUIRE(server.server->node()->seal());
  REQUIRE(
      server.put("/collections/docs/points", R"({"points":[{"id":99,"vector":[1,1]}]})").status ==
      200);
}

json status_of(TestServer& server) {
  const auto answer = server.get(kStatus);
  INFO(answer.body);
  REQUIRE(answer.status == 200);
  return json::parse(answer.body);
}

/// The last status that is not "running".
json ended(TestServer& server) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  json status = status_of(server);
  while (status["status"] == "running" && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    status = status_of(server);
  }
  return status;
}

double metric(TestServer& server, const std::string& name) {
  const std::string page = server.get("/metrics").body;
  const std::size_t at = page.find("\n" + name + " ");
  REQUIRE(at != std::string::npos);
  return std::stod(page.substr(at + name.size() + 2));
}

/// The log alone takes a minute at this rate.
constexpr const char* kSlow = R"({"rate_limit_mb_per_s":1})";

}  // namespace

TEST_CASE("integrity: never run, then a verdict with every number", "[api][integrity]") {
  TestServer server;
  write_data(server);

  const json before = status_of(server);
  const auto answer = server.post("/admin/integrity-check?wait=true", R"({"deep":true})");
  const json after = status_of(server);

  CHECK(before["status"] == "never_run");
  CHECK(before["errors"] == 0);
  CHECK(before["findings"] == json::array());
  INFO(answer.body);
  REQUIRE(answer.status == 200);
  CHECK(json::parse(answer.body)["job_id"] == "integrity-check-1");
  CHECK(json::parse(answer.body)["checked_vectors"] == 129);
  CHECK(after["status"] == "completed");
  CHECK(after["job_id"] == "integrity-check-1");
  CHECK(after["checked_vectors"] == 129);
  CHECK(after["errors"] == 0);
  CHECK(after["warnings"] == 0);
  CHECK(after["progress"] == 1);
  CHECK(after["duration_seconds"].is_number());
  CHECK(after["findings"] == json::array());
}

TEST_CASE("integrity: a request that is wrong says where", "[api][integrity]") {
  TestServer server;
  write_data(server);
  const auto refused = [&](const std::string& body, int status, const std::string& word) {
    CAPTURE(body);
    const auto answer = server.post(kCheck, body);
    CHECK(answer.status == status);
    CHECK(answer.body.find(word) != std::string::npos);
  };

  refused(R"({"collections":["docs","none"]})", 404, "none");
  refused(R"({"depth":3})", 400, "'depth'");
  refused(R"({"deep":"yes"})", 400, "deep");
  refused(R"({"collections":"docs"})", 400, "collections");
  refused(R"({"collections":[]})", 400, "collections");
  refused(R"({"collections":[1]})", 400, "collections");
  refused(R"({"rate_limit_mb_per_s":0})", 400, "rate_limit_mb_per_s");
  refused(R"({"rate_limit_mb_per_s":100001})", 400, "rate_limit_mb_per_s");
  refused(R"({"rate_limit_mb_per_s":-1})", 400, "rate_limit_mb_per_s");
  refused("{", 400, "");
  refused(json{{"collections", std::vector<std::string>(40, std::string(120, 'a'))}}.dump(), 400,
          "kJobTextBytesMax");
  CHECK(status_of(server)["status"] == "never_run");
}

TEST_CASE("integrity: of one collection, also by its alias, is a job of that collection",
          "[api][integrity]") {
  TestServer server;
  write_data(server);
  REQUIRE(server
              .post("/collections/aliases",
                    R"({"actions":[{"create_alias":{"collection_name":"more","alias_name":"m"}}]})")
              .status == 200);

  const auto answer =
      server.post("/admin/integrity-check?wait=true", R"({"collections":["m","more"]})");

  REQUIRE(answer.status == 200);
  CHECK(json::parse(answer.body)["object"] == "more");
  CHECK(json::parse(answer.body)["checked_vectors"] == 64);
}

TEST_CASE("integrity: damage stands in the verdict, in the numbers and in /health",
          "[api][integrity]") {
  TestServer server;
  write_data(server);
  const std::string id = std::to_string(server.server->node()->find("docs")->id());
  const double before = metric(server, "vectorizer_checksum_errors_total");
  const double indexes_before = metric(server, "vectorizer_index_errors_total");
  const auto files = server.env.list("/data/collections/" + id);
  REQUIRE(files);
  for (const auto& file : *files)
    if (!file.name.ends_with(".seg"))
      REQUIRE(server.env.flip_bit("/data/collections/" + id + "/" + file.name, 0, 3));

  REQUIRE(server.post("/admin/integrity-check?wait=true").status == 200);
  const json found = status_of(server);
  REQUIRE(server.post("/admin/integrity-check?wait=true").status == 200);
  const json again = status_of(server);

  CHECK(found["errors"] == 0);
  CHECK(found["warnings"] == 2);  // .index and .fields
  REQUIRE(found["findings"].size() == 2);
  for (const json& finding : found["findings"]) {
    CAPTURE(finding.dump());
    CHECK(finding["id"] == "VZ-1202");
    CHECK(finding["severity"] == "warning");
    CHECK(finding["damage"] == "derived");
    CHECK(finding["collection"] == "docs");
    CHECK(finding["mended"] == true);
    CHECK(finding["file"].get<std::string>().starts_with("collections/" + id + "/"));
  }
  CHECK(again["warnings"] == 0);
  CHECK(metric(server, "vectorizer_checksum_errors_total") >= before + 2);
  CHECK(metric(server, "vectorizer_index_errors_total") == indexes_before + 1);
}

TEST_CASE("integrity: while it runs there is one, which shows how far it is and can be cancelled",
          "[api][integrity]") {
  TestServer server;
  write_data(server);

  const auto first = server.post(kCheck, kSlow);
  const auto second = server.post(kCheck, kSlow);
  const json running = status_of(server);
  const std::string id = json::parse(first.body)["job_id"];
  const auto cancelled = server.erase("/admin/jobs/" + id);
  const json after = ended(server);

  CHECK(first.status == 202);
  CHECK(json::parse(second.body)["job_id"] == id);
  CHECK(running["status"] == "running");
  CHECK(running["job_id"] == id);
  CHECK(running["progress"] < 1);
  CHECK(running["errors"] == 0);
  CHECK(cancelled.status == 202);
  CHECK(after["status"] == "cancelled");
  CHECK(after["reason"].is_string());
  CHECK(server.server->node()->health().size() >= 4);
}

TEST_CASE("integrity: the end of the node ends it, and the next one says so", "[api][integrity]") {
  TestServer server;
  write_data(server);
  REQUIRE(server.post(kCheck, kSlow).status == 202);

  server.restart([] {});

  const json status = status_of(server);
  CHECK(status["status"] == "interrupted");
  CHECK(status["errors"] == 0);
  CHECK(server.get("/health").status == 200);
}

TEST_CASE("integrity: what a check had found before a kill is still told", "[api][integrity]") {
  TestServer server;
  write_data(server);
  const node::JobInfo orphan{
      .id = "integrity-check-7",
      .kind = "integrity-check",
      .object = "docs",
      .progress = 0.5,
      .started_us = 1'764'039'600'000'000,
      .result = R"({"checked_vectors":64,"errors":1,"warnings":0,"findings":[{"id":"VZ-1201"}]})"};

  server.restart([&] {
    (void)server.env.make_directory("/data/jobs");
    REQUIRE(server.env.put_file("/data/jobs/integrity-check-7.json",
                                as_bytes(node::encode_job(orphan))));
  });

  const json status = status_of(server);
  CHECK(status["status"] == "interrupted");
  CHECK(status["progress"] == 0.5);
  CHECK(status["errors"] == 1);
  CHECK(status["findings"][0]["id"] == "VZ-1201");
  CHECK(json::parse(server.post(kCheck).body)["job_id"] == "integrity-check-8");
}
