// Beginning and end of a server: loading, refusal to listen, restart, a failing log.
#include <condition_variable>
#include <mutex>
#include <thread>

#include <nlohmann/json.hpp>

#include "storage/env/forwarding_env.h"
#include "tests/engine/api/api_support.h"

using namespace vz;
using api::test::call;
using api::test::TestServer;
using nlohmann::json;

namespace {

/// An Env whose first call waits until the test lets it through, so that a node loads slowly. Who
/// may call is known before: security.json is let through.
class GateEnv final : public ForwardingEnv {
 public:
  using ForwardingEnv::ForwardingEnv;

  void open_gate() {
    {
      const std::lock_guard lock(mutex_);
      open_ = true;
    }
    opened_.notify_all();
  }
  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override {
    if (!path.ends_with("/security.json")) wait();
    return ForwardingEnv::open(path, mode);
  }
  Result<std::vector<DirectoryEntry>> list(const std::string& path) override {
    wait();
    return ForwardingEnv::list(path);
  }

 private:
  void wait() {
    std::unique_lock lock(mutex_);
    opened_.wait(lock, [this] { return open_; });
  }

  std::mutex mutex_;
  std::condition_variable opened_;
  bool open_ = false;
};

}  // namespace

TEST_CASE("server: while the node loads it is alive, not ready, and refuses data",
          "[api][server]") {
  FaultEnv disk;
  REQUIRE(disk.make_directory("/"));
  GateEnv gate(disk);
  auto started = server::Server::start(gate, api::test::test_options());
  REQUIRE(started);
  auto& server = **started;
  const std::uint16_t port = server.port();

  CHECK(server.phase() == server::Phase::kLoading);
  CHECK(call(port, "GET", "/livez").status == 200);
  const auto ready = call(port, "GET", "/readyz");
  CHECK(ready.status == 503);
  CHECK(ready.body.find("loading") != std::string::npos);
  const auto health = call(port, "GET", "/health");
  CHECK(health.status == 503);
  CHECK(json::parse(health.body).at("ready") == false);
  CHECK(json::parse(health.body).at("checks")[0].at("name") == "loading");
  const auto data = call(port, "GET", "/collections");
  CHECK(data.status == 503);
  CHECK(data.header("Retry-After") == "1");
  CHECK(json::parse(data.body).at("error").at("code") == "unavailable");

  gate.open_gate();
  REQUIRE(server.wait_until_loaded());
  CHECK(server.phase() == server::Phase::kServing);
  CHECK(call(port, "GET", "/readyz").status == 200);
  CHECK(call(port, "GET", "/collections").status == 200);
}

TEST_CASE("server: it does not listen beyond this machine without --insecure", "[api][server]") {
  FaultEnv env;
  for (const std::string address : {"0.0.0.0", "::", "192.0.2.1"}) {
    CAPTURE(address);
    auto options = api::test::test_options();
    options.listen.address = address;
    const auto main = server::Server::start(env, options);
    auto second = api::test::test_options();
    second.qdrant_listen->address = address;
    const auto qdrant = server::Server::start(env, second);

    REQUIRE(!main);
    CHECK(main.error().code == ErrorCode::kInvalidArgument);
    CHECK(main.error().message.find("--insecure") != std::string::npos);
    REQUIRE(!qdrant);
    CHECK(qdrant.error().code == ErrorCode::kInvalidArgument);
  }
}

TEST_CASE("server: a taken port is a conflict and leaves the directory free", "[api][server]") {
  TestServer first;
  FaultEnv env;
  auto options = api::test::test_options();
  options.listen.port = first.server->port();

  const auto second = server::Server::start(env, options);

  REQUIRE(!second);
  CHECK(second.error().code == ErrorCode::kFailedPrecondition);
  CHECK(server::Server::start(env, api::test::test_options()));
}

TEST_CASE("server: a second one on the same directory is told who holds it", "[api][server]") {
  TestServer first;

  const auto second = server::Server::start(first.env, api::test::test_options());

  REQUIRE(!second);
  CHECK(second.error().code == ErrorCode::kLocked);
}

TEST_CASE("server: what was written is there after a restart", "[api][server]") {
  FaultEnv env;
  REQUIRE(env.make_directory("/"));
  std::string before;
  for (int run = 0; run < 3; ++run) {
    CAPTURE(run);
    auto started = server::Server::start(env, api::test::test_options());
    REQUIRE(started);
    REQUIRE((*started)->wait_until_loaded());
    const std::uint16_t port = (*started)->port();
    if (run == 0) {
      REQUIRE(call(port, "PUT", "/collections/a", R"({"vectors":{"size":2,"distance":"Dot"}})")
                  .status == 200);
      REQUIRE(call(port, "PUT", "/collections/a/points",
                   R"({"points":[{"id":1,"vector":[1,2],"payload":{"a":"b"}}]})")
                  .status == 200);
      before = json::parse(call(port, "GET", "/collections/a/points/1").body).at("result").dump();
    }
    CHECK(json::parse(call(port, "GET", "/collections/a/points/1").body).at("result").dump() ==
          before);
    CHECK((*started)->stop(std::chrono::milliseconds(1000)));
    CHECK((*started)->stop(std::chrono::milliseconds(1000)));
    CHECK(call(port, "GET", "/livez").status == 0);
  }
}

TEST_CASE("server: after a failed sync writes get 503, reads go on, health says why",
          "[api][server]") {
  TestServer node;
  REQUIRE(node.put("/collections/a", R"({"vectors":{"size":2,"distance":"Dot"}})").status == 200);
  REQUIRE(node.put("/collections/a/points", R"({"points":[{"id":1,"vector":[1,2]}]})").status ==
          200);
  node.env.fail_from(0, {.only = FaultCall::kSync});

  const auto failed = node.put("/collections/a/points", R"({"points":[{"id":2,"vector":[1,2]}]})");
  node.env.heal();
  const auto later = node.put("/collections/a/points", R"({"points":[{"id":3,"vector":[1,2]}]})");

  CHECK(failed.status >= 500);
  CHECK(later.status == 503);
  CHECK(later.header("Retry-After") == "1");
  CHECK(node.server->node()->poisoned());
  CHECK(node.get("/collections/a/points/1").status == 200);
  CHECK(node.get("/collections/a/points/2").status == 404);
  const auto health = node.get("/health");
  CHECK(health.status == 503);
  CHECK(json::parse(health.body).at("status") == "unhealthy");
  CHECK(json::parse(health.body).at("reason").get<std::string>().starts_with("log"));
  CHECK(node.get("/readyz").status == 503);
  CHECK(node.get("/livez").status == 200);
}
