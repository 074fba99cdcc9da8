// The table, the guard, and the map from errors to answers: no server needed.
#include "engine/api/route.h"

#include <set>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "engine/api/access.h"
#include "engine/api/json_text.h"
#include "storage/base/utc.h"

using namespace vz;
using api::ListenerKind;
using net::Method;

namespace {

std::vector<std::string> split(std::string_view path) {
  std::vector<std::string> parts;
  std::string part;
  for (const char c : path) {
    if (c != '/') {
      part += c;
    } else if (!part.empty()) {
      parts.push_back(std::exchange(part, ""));
    }
  }
  if (!part.empty()) parts.push_back(part);
  return parts;
}
const api::Route* found(ListenerKind listener, Method method, std::string_view path) {
  const auto match = api::match_route(listener, method, split(path));
  const auto* route = std::get_if<api::RouteMatch>(&match);
  return route == nullptr ? nullptr : route->route;
}

net::RequestHead local_head() {
  net::RequestHead head;
  head.headers = {{"host", "localhost:15002"}};
  head.peer_address = "127.0.0.1";
  head.peer_is_loopback = true;
  head.local_port = 15002;
  return head;
}

/// Why a caller is refused who needs to be known, while the node has no key.
std::optional<api::Refusal> refuse(const net::RequestHead& head, api::Access access) {
  const security::State nothing;
  const auto caller =
      api::authenticate(head, {.access = access, .trusted_proxies = {}, .state = nothing});
  if (caller) return std::nullopt;
  CHECK(caller.error().status == 401);
  return caller.error();
}

// A row that does not say who may call it does not compile.
static_assert(!std::is_constructible_v<api::Route, Method, std::string_view, api::Mount,
                                       api::Envelope, api::Needs, api::Handler, std::string_view>);
static_assert(!std::is_default_constructible_v<api::Route>);

}  // namespace

TEST_CASE("routes: data routes are found under both mounts with the same handler", "[api][route]") {
  for (const auto& [method, path] : std::vector<std::pair<Method, std::string>>{
           {Method::kPut, "/collections/a"},
           {Method::kGet, "/collections/a"},
           {Method::kPut, "/collections/a/points"},
           {Method::kPost, "/collections/a/points/search"},
           {Method::kPost, "/collections/a/points/query/batch"},
           {Method::kGet, "/collections/a/points/7"},
           {Method::kPost, "/collections/aliases"},
           {Method::kDelete, "/collections/a/index/field"}}) {
    CAPTURE(path);
    const api::Route* root = found(ListenerKind::kMain, method, path);
    REQUIRE(root != nullptr);
    CHECK(found(ListenerKind::kMain, method, "/qdrant" + path) == root);
    CHECK(found(ListenerKind::kQdrant, method, path) == root);
    CHECK(root->envelope == api::Envelope::kQdrant);
  }
}

TEST_CASE("routes: the list of collections is native at the root, Qdrant's elsewhere",
          "[api][route]") {
  const api::Route* root = found(ListenerKind::kMain, Method::kGet, "/collections");
  const api::Route* qdrant = found(ListenerKind::kMain, Method::kGet, "/qdrant/collections");

  REQUIRE(root != nullptr);
  REQUIRE(qdrant != nullptr);
  CHECK(root->envelope == api::Envelope::kNative);
  CHECK(qdrant->envelope == api::Envelope::kQdrant);
  CHECK(found(ListenerKind::kQdrant, Method::kGet, "/collections") == qdrant);
  CHECK(found(ListenerKind::kQdrant, Method::kGet, "/stats") == nullptr);
  CHECK(found(ListenerKind::kMain, Method::kGet, "/qdrant/stats") == nullptr);
}

TEST_CASE("routes: a known path with another method says which are allowed", "[api][route]") {
  const auto match =
      api::match_route(ListenerKind::kMain, Method::kOptions, split("/collections/a"));

  REQUIRE(std::holds_alternative<api::NoSuchMethod>(match));
  CHECK(std::get<api::NoSuchMethod>(match).allow == "GET, PUT, PATCH, DELETE");
  CHECK(std::holds_alternative<api::NoSuchPath>(
      api::match_route(ListenerKind::kMain, Method::kGet, split("/collections/a/b/c/d"))));
}

TEST_CASE("routes: parts in braces take exactly one segment, decoded", "[api][route]") {
  const auto match =
      api::match_route(ListenerKind::kMain, Method::kGet,
                       std::vector<std::string>{"collections", "a/b", "points", "7"});

  REQUIRE(std::holds_alternative<api::RouteMatch>(match));
  CHECK(std::get<api::RouteMatch>(match).arguments == std::vector<std::string>{"a/b", "7"});
}

TEST_CASE("routes: every write needs more than the read scope, and admin is admin",
          "[api][route]") {
  const std::set<std::string_view> reads_by_post{"scroll", "count",  "search", "query",
                                                 "batch",  "groups", "points"};
  for (const api::Route& route : api::routes()) {
    CAPTURE(route.pattern, static_cast<int>(route.method));
    CHECK(route.handler != nullptr);
    CHECK(!route.summary.empty());
    if (route.pattern.starts_with("/admin/")) CHECK(route.scope == api::Scope::kAdmin);
    if (route.method == Method::kPut || route.method == Method::kPatch ||
        route.method == Method::kDelete)
      CHECK(static_cast<int>(route.scope) >= static_cast<int>(api::Scope::kWrite));
    if (route.scope == api::Scope::kPublic) CHECK(route.method == Method::kGet);
  }
  CHECK(found(ListenerKind::kMain, Method::kPost, "/collections/a/points/delete")->scope ==
        api::Scope::kWrite);
  CHECK(found(ListenerKind::kMain, Method::kPost, "/collections/a/points/batch")->scope ==
        api::Scope::kWrite);
}

TEST_CASE("openapi: valid JSON that holds every route once", "[api][route]") {
  const auto document = nlohmann::json::parse(api::openapi_json("1.2.3"));
  std::size_t operations = 0;
  for (const auto& path : document.at("paths")) operations += path.size();
  std::size_t expected = 0;
  for (const api::Route& route : api::routes())
    expected += route.mount == api::Mount::kBoth ? 2 : 1;

  CHECK(operations == expected);
  CHECK(document.at("info").at("version") == "1.2.3");
  const auto& search = document.at("paths").at("/collections/{collection_name}/points/search");
  CHECK(search.at("post").at("x-scope") == "read");
  CHECK(search.at("post").at("parameters").at(0).at("name") == "collection_name");
}

TEST_CASE("guard: a direct local caller is trusted under each loopback name", "[api][access]") {
  for (const std::string host :
       {"localhost:15002", "127.0.0.1:15002", "[::1]:15002", "LOCALHOST:15002"}) {
    CAPTURE(host);
    auto head = local_head();
    head.headers = {{"host", host}, {"user-agent", "curl"}};
    CHECK_FALSE(refuse(head, api::Access::kLoopbackOnly));
  }
}

TEST_CASE("guard: each sign of a browser or a proxy voids the trust", "[api][access]") {
  for (const std::string name :
       {"origin", "referer", "sec-fetch-site", "sec-fetch-mode", "cookie", "via", "forwarded",
        "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"}) {
    CAPTURE(name);
    auto head = local_head();
    head.headers.emplace_back(name, "x");
    const auto refusal = refuse(head, api::Access::kLoopbackOnly);
    REQUIRE(refusal);
    CHECK(refusal->reason.find(name) != std::string::npos);
  }
}

TEST_CASE("guard: a Host that is not loopback with our port voids the trust", "[api][access]") {
  for (const std::string host :
       {"evil.example:15002", "localhost", "localhost:15003", "127.0.0.1.evil.example:15002",
        "localhost.evil.example:15002", "", "127.0.0.2:15002"}) {
    CAPTURE(host);
    auto head = local_head();
    head.headers = {{"host", host}};
    CHECK(refuse(head, api::Access::kLoopbackOnly));
  }
  auto none = local_head();
  none.headers.clear();
  CHECK(refuse(none, api::Access::kLoopbackOnly));
}

TEST_CASE("guard: a key is wrong while none exist, and a remote peer needs one", "[api][access]") {
  for (const std::string name : {"authorization", "api-key"}) {
    CAPTURE(name);
    auto head = local_head();
    head.headers.emplace_back(name, "Bearer x");
    CHECK(refuse(head, api::Access::kLoopbackOnly));
    CHECK(refuse(head, api::Access::kInsecure));
  }
  auto remote = local_head();
  remote.peer_is_loopback = false;
  CHECK(refuse(remote, api::Access::kLoopbackOnly));
  CHECK_FALSE(refuse(remote, api::Access::kInsecure));
  CHECK(refuse(local_head(), api::Access::kKeysOnly));
}

TEST_CASE("guard: public routes and numbers are open to all, and nothing else is",
          "[api][access]") {
  for (const api::Route& route : api::routes())
    CHECK(api::is_open(route) ==
          (route.scope == api::Scope::kPublic || route.scope == api::Scope::kMetrics));
}

TEST_CASE("routes: what no key for some collections may do is said by each row", "[api][route]") {
  std::set<std::string_view> listings;
  for (const api::Route& route : api::routes()) {
    CAPTURE(route.pattern);
    const bool names_one = route.pattern.find("{collection_name}") != std::string_view::npos;
    if (names_one) CHECK(route.reach == api::Reach::kCollection);
    if (route.reach == api::Reach::kListing) {
      CHECK(route.method == Method::kGet);
      listings.insert(route.pattern);
    }
  }
  CHECK(listings == std::set<std::string_view>{"/aliases", "/cluster", "/collections"});
}

TEST_CASE("guard: X-Forwarded-For counts from listed proxies only, from its end", "[api][access]") {
  const std::vector<security::Cidr> proxies{*security::parse_cidr("10.0.0.0/8")};
  struct Row {
    std::string peer;
    std::vector<std::string> forwarded;
    std::string expected;  ///< "": nothing
  };
  for (const Row& row : std::vector<Row>{{"9.9.9.9", {"1.2.3.4"}, "9.9.9.9"},
                                         {"10.0.0.1", {}, "10.0.0.1"},
                                         {"10.0.0.1", {"1.2.3.4"}, "1.2.3.4"},
                                         {"10.0.0.1", {"6.6.6.6, 1.2.3.4"}, "1.2.3.4"},
                                         {"10.0.0.1", {"6.6.6.6, 1.2.3.4, 10.0.0.7"}, "1.2.3.4"},
                                         {"10.0.0.1", {"6.6.6.6", "1.2.3.4"}, "1.2.3.4"},
                                         {"10.0.0.1", {"::ffff:1.2.3.4"}, "1.2.3.4"},
                                         {"10.0.0.1", {"1.2.3.4, garbage"}, ""},
                                         {"10.0.0.1", {"1.2.3.4,"}, ""},
                                         {"10.0.0.1", {"10.0.0.2, 10.0.0.3"}, "10.0.0.2"}}) {
    CAPTURE(row.peer, row.forwarded);
    auto head = local_head();
    head.peer_address = row.peer;
    for (const std::string& value : row.forwarded)
      head.headers.emplace_back("x-forwarded-for", value);
    const auto address = api::client_address(head, proxies);
    CHECK((address ? to_text(*address) : "") == row.expected);
  }
  auto many = local_head();
  many.peer_address = "10.0.0.1";
  std::string hops = "1.2.3.4";
  for (int i = 0; i < 100; ++i) hops += ",10.0.0.2";
  many.headers.emplace_back("x-forwarded-for", hops);
  CHECK_FALSE(api::client_address(many, proxies));
}

TEST_CASE("errors: every code has a status and a text in both grammars", "[api][errors]") {
  using enum ErrorCode;
  struct Row {
    ErrorCode code;
    int qdrant;
    std::string text;
    int native;
    std::string native_code;
  };
  for (const Row& row : std::vector<Row>{
           {kInvalidArgument, 400, "Wrong input: m", 400, "invalid_argument"},
           {kOutOfRange, 422, "Validation error in JSON body: [m]", 400, "invalid_argument"},
           {kUnsupported, 400, "Wrong input: m", 400, "invalid_argument"},
           {kNotFound, 404, "Not found: m", 404, "not_found"},
           {kAlreadyExists, 409, "Wrong input: m", 409, "already_exists"},
           {kFailedPrecondition, 409, "Wrong input: m", 409, "failed_precondition"},
           {kTooLarge, 413, "Wrong input: m", 413, "too_large"},
           {kRateLimited, 429, "Rate limiting exceeded: m", 429, "rate_limited"},
           {kUnavailable, 503, "Shard temporarily unavailable: m", 503, "unavailable"},
           {kExhausted, 503, "Shard temporarily unavailable: m", 503, "unavailable"},
           {kNoSpace, 507, "Insufficient storage: m", 507, "no_space"},
           {kDeadline, 408, "Timeout: m", 408, "deadline"},
           {kCorruption, 500, "Service internal error: m", 500, "internal"},
           {kIoError, 500, "Service internal error: m", 500, "internal"},
           {kInternal, 500, "Service internal error: m", 500, "internal"}}) {
    CAPTURE(row.text, row.native_code);
    const Error error{row.code, "m"};
    const auto qdrant = api::error_response(error, api::Envelope::kQdrant, "id-1", 0.5);
    const auto native = api::error_response(error, api::Envelope::kNative, "id-1", 0.5);

    CHECK(qdrant.status == row.qdrant);
    CHECK(nlohmann::json::parse(qdrant.body) ==
          nlohmann::json{{"status", {{"error", row.text}}}, {"time", 0.5}});
    CHECK(native.status == row.native);
    CHECK(nlohmann::json::parse(native.body) ==
          nlohmann::json{
              {"error", {{"code", row.native_code}, {"message", "m"}, {"request_id", "id-1"}}}});
    const bool retry = row.native == 429 || row.native == 503 || row.native == 507;
    CHECK(native.headers.empty() != retry);
  }
}

TEST_CASE("json text: strings are valid JSON whatever bytes they hold", "[api][json]") {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  for (const std::string& text :
       {all, std::string("caf\xC3\xA9 \xF0\x9F\x98\x80"), std::string("\xED\xA0\x80"),
        std::string("\xC0\x80"), std::string("\xF4\x90\x80\x80"), std::string("\xE2\x82")}) {
    std::string out;
    api::append_string(out, text);
    INFO(out);
    CHECK_NOTHROW(nlohmann::json::parse(out));
  }
  std::string good;
  api::append_string(good, "a\"b\\c\n\x01 caf\xC3\xA9");
  CHECK(good == "\"a\\\"b\\\\c\\n\\u0001 caf\xC3\xA9\"");
}

TEST_CASE("json text: numbers read back as the same value", "[api][json]") {
  for (const float value : {0.1f, 1.0f, -3.4028235e38f, 1e-45f, 0.333333343f}) {
    std::string out;
    api::append_number(out, value);
    CHECK(std::strtof(out.c_str(), nullptr) == value);
  }
  std::string infinite;
  api::append_number(infinite, std::numeric_limits<float>::infinity());
  CHECK(infinite == "3.4028235e+38");
  CHECK(vz::rfc3339(0) == "1970-01-01T00:00:00.000000Z");
  CHECK(vz::rfc3339(1'705'314'600'123'456) == "2024-01-15T10:30:00.123456Z");
  CHECK(vz::rfc3339(-1) == "1969-12-31T23:59:59.999999Z");
}
