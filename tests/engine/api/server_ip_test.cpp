// Blocked addresses over HTTP, and what a node asks for before it starts.
#include <chrono>
#include <thread>

#include "tests/engine/api/key_support.h"

using namespace vz;
using namespace vz::api::test;

TEST_CASE("ip rules: a blocked address is cut off, and let in again", "[api][ip]") {
  TestServer server;
  const std::uint16_t port = server.server->port();
  KeepAlive open(port, "127.0.0.2");
  KeepAlive other(port, "127.0.0.3");
  REQUIRE(open.get("/stats") == 200);
  REQUIRE(other.get("/stats") == 200);

  const auto blocked = server.post("/admin/ip-block",
                                   R"({"ips":["::ffff:127.0.0.2","10.0.0.0/8"],"reason":"scan"})");

  CHECK(blocked.status == 200);
  CHECK(json::parse(blocked.body)["count"] == 2);
  CHECK(open.closed());
  CHECK(other.get("/stats") == 200);
  CHECK(KeepAlive(port, "127.0.0.2").get("/livez") == 0);
  CHECK(metric(server, "vectorizer_ip_blocked_requests_total") >= 1);
  const json rules = json::parse(server.get("/admin/ip-block").body)["rules"];
  CHECK(rules[1]["ip"] == "127.0.0.2");
  CHECK(rules[1]["reason"] == "scan");
  CHECK(rules[1]["expires_at"].is_null());

  server.restart([] {});
  CHECK(KeepAlive(server.server->port(), "127.0.0.2").get("/livez") == 0);
  CHECK(
      call(server.server->port(), "DELETE", "/admin/ip-block", R"({"ips":["127.0.0.2"]})").status ==
      200);
  CHECK(KeepAlive(server.server->port(), "127.0.0.2").get("/livez") == 200);
}

TEST_CASE("ip rules: nobody locks himself out unless he says so", "[api][ip]") {
  TestServer server;
  for (const std::string range : {"127.0.0.1", "127.0.0.0/8", "0.0.0.0/0", "::/0"}) {
    CAPTURE(range);
    const auto refused = server.post("/admin/ip-block", json{{"ips", {range}}}.dump());
    CHECK(refused.status == 409);
    CHECK(refused.body.find("force") != std::string::npos);
  }
  CHECK(server.get("/livez").status == 200);
  const auto forced = server.post("/admin/ip-block", R"({"ips":["127.0.0.1"],"force":true})");
  CHECK(forced.status == 200);  // He hears of it.
  CHECK(server.get("/livez").status == 0);
}

TEST_CASE("ip rules: a rule with a time to live ends, and a wrong one names its field",
          "[api][ip]") {
  TestServer server;
  const std::uint16_t port = server.server->port();
  REQUIRE(server.post("/admin/ip-block", R"({"ips":["127.0.0.2"],"ttl_seconds":1})").status == 200);
  CHECK(KeepAlive(port, "127.0.0.2").get("/livez") == 0);
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (KeepAlive(port, "127.0.0.2").get("/livez") == 0 &&
         std::chrono::steady_clock::now() < until)
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  CHECK(KeepAlive(port, "127.0.0.2").get("/livez") == 200);
  CHECK(json::parse(server.get("/admin/ip-block").body)["count"] == 0);

  for (const auto& [body, word] : std::vector<std::pair<std::string, std::string>>{
           {"", "ips"},
           {R"({"ips":[]})", "ips"},
           {R"({"ips":["x"]})", "'x'"},
           {R"({"ips":["1.2.3.4/33"]})", "1.2.3.4/33"},
           {R"({"ips":["1.2.3.4"],"ttl_seconds":0})", "ttl_seconds"},
           {R"({"ips":["1.2.3.4"],"ttl_seconds":1e30})", "ttl_seconds"},
           {R"({"ips":["1.2.3.4"],"ttl":5})", "ttl"}}) {
    CAPTURE(body);
    const auto answer = server.post("/admin/ip-block", body);
    CHECK(answer.status == 400);
    CHECK(answer.body.find(word) != std::string::npos);
  }
}

TEST_CASE("ip rules: behind a trusted proxy it is the client that counts, and no other header",
          "[api][ip]") {
  server::ServerOptions options = test_options();
  options.trusted_proxies = {*security::parse_cidr("127.0.0.0/8")};
  TestServer server(std::move(options));
  const std::uint16_t port = server.server->port();
  const TestKey key = make_key(port, {{"scopes", {"read"}}, {"cidrs", {"9.9.9.0/24"}}});
  REQUIRE(server.post("/admin/ip-block", R"({"ips":["1.2.3.4"]})").status == 200);
  const auto from = [&](const std::string& forwarded) {
    return call(port, "GET", "/collections", "", {key.bearer()[0], {"X-Forwarded-For", forwarded}})
        .status;
  };

  CHECK(from("9.9.9.9") == 200);
  CHECK(from("1.2.3.4, 9.9.9.9") == 200);  // What the client wrote itself.
  CHECK(from("9.9.9.9, 1.2.3.4") == 403);
  CHECK(from("8.8.8.8") == 401);  // Not from where the key may be used.
  CHECK(call(port, "GET", "/collections", "", key.bearer()).status == 401);
}

TEST_CASE("start: beyond this machine only with a key, or when it is said aloud", "[api][keys]") {
  FaultEnv env;
  REQUIRE(env.make_directory("/"));
  server::ServerOptions options = test_options();
  options.listen.address = "0.0.0.0";
  const auto refused = server::Server::start(env, options);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kInvalidArgument);
  CHECK(refused.error().message.find("--bootstrap-key-file") != std::string::npos);

  options.bootstrap_key_file = "/admin.key";
  std::string text;
  {
    auto started = server::Server::start(env, options);
    REQUIRE(started);
    REQUIRE((*started)->wait_until_loaded());
    const auto file = read_file(env, "/admin.key", 1'000);
    REQUIRE(file);
    text = as_text(*file);
    text.pop_back();
    CHECK(call((*started)->port(), "GET", "/admin/keys", "", {{"api-key", text}}).status == 200);
  }
  {
    auto again = server::Server::start(env, options);
    REQUIRE(again);
    REQUIRE((*again)->wait_until_loaded());
    const auto file = read_file(env, "/admin.key", 1'000);
    REQUIRE(file);
    CHECK(as_text(*file) == text + "\n");
  }
  options.bootstrap_key_file.clear();
  CHECK(server::Server::start(env, options));  // There is a key.
}

TEST_CASE("start: without trust in this machine a key is needed, and then it is", "[api][keys]") {
  FaultEnv env;
  REQUIRE(env.make_directory("/"));
  server::ServerOptions options = test_options();
  options.access = api::Access::kKeysOnly;
  CHECK_FALSE(server::Server::start(env, options));

  REQUIRE(env.put_file("/notes", as_bytes("mine\n")));
  options.bootstrap_key_file = "/notes";
  auto other = server::Server::start(env, options);
  const Status loaded =
      other ? (*other)->wait_until_loaded() : Status(tl::unexpected(other.error()));
  REQUIRE_FALSE(loaded);
  CHECK(loaded.error().code == ErrorCode::kFailedPrecondition);
  if (other) other->reset();

  options.bootstrap_key_file = "/admin.key";
  auto started = server::Server::start(env, options);
  REQUIRE(started);
  REQUIRE((*started)->wait_until_loaded());
  CHECK(call((*started)->port(), "GET", "/stats").status == 401);
  CHECK(call((*started)->port(), "GET", "/livez").status == 200);
}

TEST_CASE("start: a damaged security.json is refused, never taken for none", "[api][keys]") {
  FaultEnv env;
  REQUIRE(env.make_directory("/data"));
  REQUIRE(env.put_file("/data/security.json", as_bytes("{}")));

  const auto refused = server::Server::start(env, test_options());

  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kCorruption);
  CHECK(refused.error().message.find("/data/security.json") != std::string::npos);
}
