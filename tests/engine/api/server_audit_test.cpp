// The audit log of a serving node: who did what is durable before the answer, and changes show.
#include <thread>

#include "tests/engine/api/key_support.h"

using namespace vz;
using namespace vz::api::test;

namespace {

server::ServerOptions audited() {
  server::ServerOptions options = test_options();
  options.audit.refusals_every = std::chrono::milliseconds(1);
  return options;
}

json events(TestServer& server, const std::string& query = "") {
  const auto answer = server.get("/admin/audit" + query);
  INFO(answer.body);
  REQUIRE(answer.status == 200);
  return json::parse(answer.body)["events"];
}

/// Until the trail's thread has come to it.
json awaited(TestServer& server, const std::string& query) {
  for (int i = 0; i < 1'000; ++i) {
    json found = events(server, query);
    if (!found.empty()) return found;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return json::array();
}

}  // namespace

TEST_CASE("audit: admin actions and what hands out all content are events, reads are not",
          "[api][audit]") {
  TestServer server(audited());
  const std::uint16_t port = server.server->port();
  REQUIRE(server.put("/collections/a", kSmallCollection).status == 200);
  REQUIRE(server.put("/collections/a/points?wait=true", R"({"points":[{"id":1,"vector":[1,2]}]})")
              .status == 200);
  const TestKey admin = make_key(port, {{"scopes", {"admin"}}});
  REQUIRE(call(port, "POST", "/admin/gc?wait=true", "",
               {{"api-key", admin.text}, {"X-Request-Id", "mine-7"}})
              .status == 200);
  REQUIRE(server.post("/collections/a/points/search", R"({"vector":[1,2],"limit":1})").status ==
          200);
  REQUIRE(server.post("/admin/compact", R"({"nonsense":1})").status >= 200);
  const auto made = server.post("/snapshots");
  REQUIRE(made.status == 200);
  const std::string name = json::parse(made.body)["result"]["name"];
  REQUIRE(server.get("/snapshots/" + name).status == 200);
  REQUIRE(server.erase("/collections/a").status == 200);

  const json all = events(server);

  std::vector<std::string> actions;
  for (const json& event : all) actions.push_back(event["action"]);
  CHECK(actions == std::vector<std::string>{
                       "PUT /collections/{collection_name}", "POST /admin/keys", "POST /admin/gc",
                       "POST /admin/compact", "POST /snapshots", "GET /snapshots/{snapshot_name}",
                       "DELETE /collections/{collection_name}"});
  CHECK(all[0]["actor"] == "loopback");
  CHECK(all[0]["target"] == "/collections/a");
  CHECK(all[1]["detail"] == "key=" + admin.id + " name=test");
  CHECK(all[2]["actor"] == admin.id);
  CHECK(all[2]["request_id"] == "mine-7");
  CHECK(all[2]["ip"] == "127.0.0.1");
  CHECK(events(server, "?actor=" + admin.id).size() == 1);
  CHECK(events(server, "?action=DELETE&limit=1").size() == 1);
  CHECK(events(server, "?since=2999-01-01T00:00:00Z").empty());
  for (const std::string bad : {"?limit=0", "?limit=x", "?since=soon", "?result=bad", "?who=me"})
    CHECK(server.get("/admin/audit" + bad).status == 400);
  // No secret ever stands there.
  const auto entries = server.env.list("/data/log");
  REQUIRE(entries);
  for (const auto& entry : *entries) {
    const auto bytes = read_file(server.env, "/data/log/" + entry.name, 1u << 20);
    REQUIRE(bytes);
    CHECK(as_text(*bytes).find(admin.text.substr(20)) == std::string_view::npos);
  }
}

TEST_CASE("audit: who is turned away is told once, with how often", "[api][audit]") {
  server::ServerOptions options = test_options();
  options.audit.refusals_every = std::chrono::milliseconds(300);
  TestServer server(options);
  const std::uint16_t port = server.server->port();
  for (int i = 0; i < 5; ++i)
    REQUIRE(call(port, "GET", "/collections", "", {{"api-key", "vz_wrong"}}).status == 401);

  const json refused = awaited(server, "?result=refused");

  REQUIRE(refused.size() == 1);
  CHECK(refused[0]["count"] == 5);
  CHECK(refused[0]["actor"] == "unknown");
  CHECK(refused[0]["status"] == 401);
  CHECK(refused[0]["action"] == "GET /collections");
}

TEST_CASE("audit: an answered action is in the log after a power cut", "[api][audit][fault]") {
  TestServer server(audited());
  REQUIRE(server.put("/collections/a", kSmallCollection).status == 200);
  const TestKey key = make_key(server.server->port(), {{"scopes", {"read"}}});
  REQUIRE(revoke(server.server->port(), key.id).status == 200);

  const auto after = server.env.crash_image(7);

  const auto lines = audit::read(*after, "/data/log", {});
  REQUIRE(lines);
  REQUIRE(lines->size() == 3);
  CHECK(lines->back().find("/admin/keys/revoke") != std::string::npos);
  CHECK(audit::verify(*after, "/data/log")->sound());
}

TEST_CASE("audit: the verdict of a log that was changed names the line", "[api][audit]") {
  TestServer server(audited());
  REQUIRE(server.put("/collections/a", kSmallCollection).status == 200);
  REQUIRE(server.erase("/collections/a").status == 200);
  const auto sound = json::parse(server.post("/admin/audit/verify").body);
  CHECK(sound["sound"] == true);
  CHECK(sound["problems"].empty());
  const std::string path = "/data/log/audit-00000000000000000001.jsonl";
  const auto bytes = read_file(server.env, path, 1u << 20);
  REQUIRE(bytes);
  std::string text(as_text(*bytes));
  text.replace(text.find("PUT"), 3, "GET");
  REQUIRE(server.env.put_file(path, as_bytes(text)));

  const auto changed = json::parse(server.post("/admin/audit/verify").body);

  CHECK(changed["sound"] == false);
  REQUIRE_FALSE(changed["problems"].empty());
  CHECK(changed["problems"][0]["file"] == path);
  CHECK(changed["problems"][0]["line"] == 1);
}

TEST_CASE("audit: a node knows that its whole log was removed", "[api][audit]") {
  TestServer server(audited());
  REQUIRE(server.put("/collections/a", kSmallCollection).status == 200);
  const auto entries = server.env.list("/data/log");
  REQUIRE(entries);
  for (const auto& entry : *entries) REQUIRE(server.env.remove("/data/log/" + entry.name));

  const auto verdict = json::parse(server.post("/admin/audit/verify").body);

  CHECK(verdict["sound"] == false);
}
