// Keys over HTTP: made, used, limited to collections, revoked, rotated, and kept through a restore.
#include "tests/engine/api/key_support.h"
#include "tests/engine/api/real_server.h"

using namespace vz;
using namespace vz::api::test;

namespace {

json keys_of(TestServer& server) {
  return json::parse(server.get("/admin/keys").body)["keys"];
}

}  // namespace

TEST_CASE("keys: the secret is shown once, and nothing of it ever again", "[api][keys]") {
  TestServer server;
  const std::uint16_t port = server.server->port();
  const auto made = server.post(
      "/admin/keys",
      R"({"name":"app","scopes":["read","write"],"collections":["docs*"],"cidrs":["127.0.0.0/8"],
          "expires_at":"2999-01-01T00:00:00Z"})");
  REQUIRE(made.status == 201);
  const json key = json::parse(made.body);
  const std::string secret = key["key"];

  const auto listed = server.get("/admin/keys");
  const json shown = json::parse(listed.body)["keys"][0];

  CHECK(made.header("Cache-Control") == "no-store");
  CHECK(!made.header("X-Vectorizer-Lsn").empty());
  CHECK(shown["key_id"] == key["key_id"]);
  CHECK(shown["scopes"] == json{"read", "write"});
  CHECK(shown["collections"] == json{"docs*"});
  CHECK(shown["cidrs"] == json{"127.0.0.0/8"});
  CHECK(shown["expires_at"] == "2999-01-01T00:00:00.000000Z");
  CHECK(shown["status"] == "active");
  CHECK(listed.body.find(secret.substr(20)) == std::string::npos);
  CHECK(listed.body.find("sha256") == std::string::npos);
  const auto file = read_file(server.env, "/data/security.json", 1u << 20);
  REQUIRE(file);
  CHECK(as_text(*file).find(secret.substr(20)) == std::string_view::npos);
  CHECK(call(port, "GET", "/collections", "", {{"api-key", secret}}).status == 200);
}

TEST_CASE("keys: a wrong request changes nothing and names what is wrong", "[api][keys]") {
  TestServer server;
  for (const auto& [body, word] : std::vector<std::pair<std::string, std::string>>{
           {"", "name"},
           {R"({"name":"a"})", "scopes"},
           {R"({"name":"a","scopes":[]})", "scopes"},
           {R"({"name":"a","scopes":["root"]})", "root"},
           {R"({"name":"a","scopes":["public"]})", "public"},
           {R"({"name":"a","scopes":"read"})", "scopes"},
           {R"({"name":"","scopes":["read"]})", "name"},
           {R"({"name":"a\nb","scopes":["read"]})", "name"},
           {R"({"name":"a","scopes":["read"],"key_id":"gggggggggggggggg"})", "key_id"},
           {R"({"name":"a","scopes":["read"],"cidrs":["10.0.0.1/8"]})", "10.0.0.0/8"},
           {R"({"name":"a","scopes":["read"],"expires_at":"2001-01-01T00:00:00Z"})", "past"},
           {R"({"name":"a","scopes":["read"],"expires_at":"soon"})", "expires_at"},
           {R"({"name":"a","scopes":["admin"],"collections":["docs"]})", "collections"},
           {R"({"name":"a","scopes":["read"],"collections":[""]})", "collections"}}) {
    CAPTURE(body);
    const auto answer = server.post("/admin/keys", body);
    CHECK(answer.status == 400);
    CHECK(answer.body.find(word) != std::string::npos);
  }
  CHECK(keys_of(server).empty());
  CHECK(server.post("/admin/keys/revoke", R"({"key_id":"compromised_key_id"})").status == 404);
  CHECK(server.post("/admin/keys/revoke", "{}").status == 400);
  CHECK(server.post("/admin/keys/rotate", R"({"key_id":"unknown"})").status == 404);
  CHECK(server.post("/admin/keys/rotate", R"({"key_id":"x","overlap_seconds":-1})").status == 400);
}

TEST_CASE("keys: a revoked one is refused by the next request, and its connections end",
          "[api][keys]") {
  TestServer server;
  const std::uint16_t port = server.server->port();
  const TestKey key = make_key(port, {{"scopes", {"admin"}}});
  const TestKey other = make_key(port, {{"scopes", {"admin"}}});
  KeepAlive of_key(port, "127.0.0.1");
  KeepAlive of_other(port, "127.0.0.1");
  KeepAlive of_nobody(port, "127.0.0.1");
  REQUIRE(of_key.get("/stats", key.bearer()) == 200);
  REQUIRE(of_other.get("/stats", other.bearer()) == 200);
  REQUIRE(of_nobody.get("/stats") == 200);

  const auto revoked = revoke(port, key.id);

  CHECK(revoked.status == 200);
  CHECK(json::parse(revoked.body)["status"] == "revoked");
  CHECK(call(port, "GET", "/stats", "", key.bearer()).status == 401);
  CHECK(of_key.closed());
  CHECK(of_other.get("/stats", other.bearer()) == 200);
  CHECK(of_nobody.get("/stats") == 200);
  CHECK(revoke(port, key.id).status == 200);  // Once more: it is so already.
  // Whoever revokes with the key itself hears of it.
  const auto own =
      call(port, "POST", "/admin/keys/revoke", json{{"key_id", other.id}}.dump(), other.bearer());
  CHECK(own.status == 200);
  CHECK(call(port, "GET", "/stats", "", other.bearer()).status == 401);
  CHECK(metric(server, "vectorizer_auth_failures_total") == 2);
}

TEST_CASE("keys: rotation gives another secret, and the old one a time to end", "[api][keys]") {
  TestServer server;
  const std::uint16_t port = server.server->port();
  const TestKey old = make_key(port, {{"scopes", {"read"}}, {"collections", {"docs"}}});

  const auto answer =
      server.post("/admin/keys/rotate", json{{"key_id", old.id}, {"overlap_seconds", 60}}.dump());

  REQUIRE(answer.status == 201);
  const json fresh = json::parse(answer.body);
  CHECK(fresh["collections"] == json{"docs"});
  CHECK(fresh["replaces"]["key_id"] == old.id);
  CHECK(fresh["replaces"]["expires_at"].is_string());
  const Headers fresh_header{{"api-key", fresh["key"].get<std::string>()}};
  CHECK(call(port, "GET", "/collections", "", fresh_header).status == 200);
  CHECK(call(port, "GET", "/collections", "", old.bearer()).status == 200);
}

TEST_CASE("keys: one for some collections sees and touches no other, by whatever name",
          "[api][keys]") {
  TestServer server;
  const std::uint16_t port = server.server->port();
  for (const std::string name : {"docs-1", "docs-2", "secret"})
    REQUIRE(server.put("/collections/" + name, kSmallCollection).status == 200);
  REQUIRE(server
              .post("/collections/aliases",
                    R"({"actions":[
    {"create_alias":{"collection_name":"secret","alias_name":"docs-leak"}},
    {"create_alias":{"collection_name":"docs-1","alias_name":"docs-now"}},
    {"create_alias":{"collection_name":"docs-1","alias_name":"hidden"}}]})")
              .status == 200);
  const TestKey key = make_key(port, {{"scopes", {"write"}}, {"collections", {"docs-*"}}});
  const auto get = [&](const std::string& target) {
    return call(port, "GET", target, "", key.bearer());
  };

  CHECK(get("/collections/docs-1").status == 200);
  CHECK(get("/collections/docs-now").status == 200);
  CHECK(get("/collections/secret").status == 403);
  CHECK(get("/collections/docs-leak").status == 403);
  CHECK(get("/collections/hidden").status == 403);
  CHECK(get("/qdrant/collections/docs-leak/exists").status == 403);
  CHECK(get("/stats").status == 403);
  CHECK(call(port, "POST", "/collections/docs-leak/points/scroll", "{}", key.bearer()).status ==
        403);
  CHECK(call(port, "DELETE", "/collections/docs-leak", "", key.bearer()).status == 403);
  CHECK(call(port, "PUT", "/collections/other", kSmallCollection, key.bearer()).status == 403);
  CHECK(call(port, "PUT", "/collections/docs-3", kSmallCollection, key.bearer()).status == 200);
  // Names in a body: only for keys that are for all.
  CHECK(call(port, "POST", "/collections/aliases",
             R"({"actions":[{"create_alias":{"collection_name":"docs-1","alias_name":"docs-x"}}]})",
             key.bearer())
            .status == 403);

  const json listed = json::parse(get("/collections").body);
  CHECK(listed["total_collections"] == 3);
  for (const std::string target :
       {"/collections", "/collections?include_metadata=true", "/qdrant/collections", "/aliases",
        "/collections/docs-1/aliases"}) {
    CAPTURE(target);
    const auto answer = get(target);
    CHECK(answer.status == 200);
    CHECK(answer.body.find("docs-") != std::string::npos);
    for (const std::string hidden : {"secret", "hidden", "docs-leak"})
      CHECK(answer.body.find(hidden) == std::string::npos);
  }
}

TEST_CASE("restore: keys and rules stay as they are; a revoked key does not come back",
          "[api][keys]") {
  const RealServer server;
  const std::uint16_t port = server.server->port();
  const TestKey revoked = make_key(port, {{"scopes", {"read"}}});
  const std::string name = created(server.post("/qdrant/snapshots"))["name"];
  REQUIRE(revoke(port, revoked.id).status == 200);
  const TestKey later = make_key(port, {{"scopes", {"read"}}});
  put_points(port, 11, 12);

  REQUIRE(server.recover(server.archive(name)).status == 200);

  CHECK(server.count() == 10);
  CHECK(call(port, "GET", "/collections", "", revoked.bearer()).status == 401);
  CHECK(call(port, "GET", "/collections", "", later.bearer()).status == 200);
  REQUIRE(revoke(port, later.id).status == 200);
  CHECK(call(port, "GET", "/collections", "", later.bearer()).status == 401);
}
