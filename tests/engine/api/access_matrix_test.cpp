// Every route of the table against every kind of caller: made from the table, so that a new route
// is in it. What a caller may do is known from the scopes alone; whatever else a route answers to
// an empty body (400, 404, 409, ...) is its own affair, but 401 and 403 come from the guard only.
#include <catch2/catch.hpp>

#include "engine/api/route.h"
#include "tests/engine/api/key_support.h"

using namespace vz;
using namespace vz::api::test;
using api::Reach;
using api::Route;
using api::Scope;

namespace {

/// A caller, and what it should get of a route: 0: let in.
struct CallerKind {
  std::string name;
  Headers headers;
  std::function<int(const Route&)> expected;
};

std::string target_of(const Route& route, const std::string& collection) {
  std::string target(route.pattern);
  for (std::size_t at; (at = target.find('{')) != std::string::npos;) {
    const std::size_t end = target.find('}', at);
    const bool is_collection = target.substr(at, end - at + 1) == "{collection_name}";
    target.replace(at, end - at + 1, is_collection ? collection : "7");
  }
  return route.mount == api::Mount::kQdrant ? "/qdrant" + target : target;
}

int by_scope(const Route& route, Scope scope) {
  security::ScopeSet scopes;
  scopes.add(scope);
  return scopes.allow(route.scope) ? 0 : 403;
}

/// What is left of a route whose effect would disturb the rest of the test.
bool disturbs(const Route& route) {
  return route.pattern == "/admin/compact" || route.pattern == "/admin/gc" ||
         route.pattern == "/admin/integrity-check" || route.receiver != nullptr;
}

std::vector<CallerKind> callers(std::uint16_t port) {
  std::vector<CallerKind> out;
  const auto with_key = [&](const std::string& name, const json& request, auto expected) {
    out.push_back({name, make_key(port, request).bearer(), expected});
  };
  const auto refused = [](const Route&) { return 401; };
  for (const Scope scope : security::key_scopes()) {
    with_key(std::string(scope_name(scope)), {{"scopes", {scope_name(scope)}}},
             [scope](const Route& route) { return by_scope(route, scope); });
  }
  with_key("its collection", {{"scopes", {"write"}}, {"collections", {"mi*"}}},
           [](const Route& route) {
             return route.reach == Reach::kNode ? 403 : by_scope(route, Scope::kWrite);
           });
  with_key("other collection", {{"scopes", {"write"}}, {"collections", {"other", "m"}}},
           [](const Route& route) {
             return route.reach == Reach::kListing ? by_scope(route, Scope::kWrite) : 403;
           });
  with_key("wrong address", {{"scopes", {"admin"}}, {"cidrs", {"10.0.0.0/8", "::1"}}}, refused);
  with_key("right address", {{"scopes", {"admin"}}, {"cidrs", {"10.0.0.0/8", "127.0.0.1"}}},
           [](const Route&) { return 0; });
  const TestKey revoked = make_key(port, {{"scopes", {"admin"}}});
  REQUIRE(revoke(port, revoked.id).status == 200);
  out.push_back({"revoked", revoked.bearer(), refused});
  TestKey wrong = make_key(port, {{"scopes", {"admin"}}});
  const std::string right = wrong.text;
  wrong.text.back() = wrong.text.back() == '0' ? '1' : '0';
  out.push_back({"wrong secret", wrong.bearer(), refused});
  out.push_back({"garbage", {{"Authorization", "Bearer x"}}, refused});
  out.push_back({"another scheme", {{"Authorization", "Basic " + right}}, refused});
  out.push_back({"two keys", {{"api-key", right}, {"Authorization", "Bearer " + right}}, refused});
  out.push_back({"empty key", {{"api-key", ""}}, refused});
  out.push_back({"api-key header", {{"api-key", right}}, [](const Route&) { return 0; }});
  out.push_back({"no key", {{"X-Forwarded-For", "1.2.3.4"}}, refused});
  const TestKey rotated = make_key(port, {{"scopes", {"admin"}}});
  REQUIRE(call(port, "POST", "/admin/keys/rotate",
               json{{"key_id", rotated.id}, {"overlap_seconds", 0}}.dump())
              .status == 201);
  out.push_back({"expired", rotated.bearer(), refused});
  return out;
}

}  // namespace

TEST_CASE("access: every route lets in whom its scope says, and nobody else", "[api][access]") {
  TestServer server;
  const std::uint16_t port = server.server->port();
  REQUIRE(server.put("/collections/mine", kSmallCollection).status == 200);

  for (const CallerKind& caller : callers(port)) {
    for (const Route& route : api::routes()) {
      const bool open = route.scope == Scope::kPublic || route.scope == Scope::kMetrics;
      const int expected = open ? 0 : caller.expected(route);
      if (expected == 0 && disturbs(route)) continue;
      // A request that would change something names a collection that is not there.
      const bool changes = route.method != net::Method::kGet && route.scope != Scope::kRead;
      const std::string method(net::method_name(route.method));
      const std::string target = target_of(route, changes ? "missing" : "mine");
      CAPTURE(caller.name, method, target);

      const HttpAnswer answer = call(port, method, target, "", caller.headers);

      INFO(answer.body);
      if (expected == 0) {
        CHECK(answer.status != 0);
        CHECK(answer.status != 401);
        CHECK(answer.status != 403);
      } else {
        CHECK(answer.status == expected);
        const bool text = answer.header("Content-Type").starts_with("text/plain");
        CHECK(text == (route.envelope == api::Envelope::kQdrant));
        CHECK((answer.header("WWW-Authenticate") == "Bearer") == (expected == 401));
      }
    }
  }
  CHECK(server.get("/collections/mine").status == 200);
}

TEST_CASE("access: a path that does not exist tells a stranger nothing", "[api][access]") {
  TestServer server;
  const std::uint16_t port = server.server->port();
  const TestKey key = make_key(port, {{"scopes", {"read"}}});

  CHECK(call(port, "GET", "/nowhere", "", {{"api-key", "x"}}).status == 401);
  CHECK(call(port, "PUT", "/health", "", {{"api-key", "x"}}).status == 401);
  CHECK(call(port, "GET", "/nowhere", "", key.bearer()).status == 404);
  CHECK(call(port, "PUT", "/health", "", key.bearer()).status == 405);
}
