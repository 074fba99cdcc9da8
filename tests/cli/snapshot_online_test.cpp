// Snapshots of a running node, with the real binary: a restore that is killed leaves the old
// content or the new.
#include <random>

#include <nlohmann/json.hpp>

#include "tests/cli/http_get.h"
#include "tests/cli/process.h"

using namespace vz::cli::test;
using nlohmann::json;

namespace {

constexpr int kOld = 400;  ///< points that the node holds
constexpr int kNew = 100;  ///< points in the snapshot

json answer_of(int port, const std::string& method, const std::string& path,
               const std::string& body = "") {
  const std::string answer = request(port, method, path, body);
  const std::size_t end = answer.find("\r\n\r\n");
  return end == std::string::npos ? json() : json::parse(answer.substr(end + 4), nullptr, false);
}

void put_points(int port, int first, int last) {
  json points = json::array();
  for (int id = first; id <= last; ++id) points.push_back({{"id", id}, {"vector", {1, 2, 3, id}}});
  const json answer =
      answer_of(port, "PUT", "/collections/docs/points", json{{"points", points}}.dump());
  INFO(answer.dump());
  REQUIRE(answer.value("status", json()) == "ok");
}

/// Of a node that is ready.
int count(int port) {
  for (int i = 0; i < 2000; ++i) {
    const json answer = answer_of(port, "POST", "/collections/docs/points/count", "{}");
    if (answer.is_object() && answer.contains("result")) return answer["result"]["count"];
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return -1;
}

}  // namespace

TEST_CASE("snapshots: kill -9 while one is restored leaves the old content or the new",
          "[cli][snapshot]") {
  const std::string of = GENERATE("", "/collections/docs");  // The whole node; one collection.
  CAPTURE(of);
  const Scratch scratch;
  const std::string data = scratch.file("data");
  const std::vector<std::string> serve = {"serve", "--data-dir", data, "--listen", "127.0.0.1:0"};
  std::string location;
  {
    Process node(scratch, serve);
    const int port = node.port();
    REQUIRE(port > 0);
    for (int i = 0; i < 2000 && request(port, "GET", "/readyz").find("200 OK") == std::string::npos;
         ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    REQUIRE(
        answer_of(port, "PUT", "/collections/docs", R"({"vectors":{"size":4,"distance":"Dot"}})")
            .value("status", json()) == "ok");
    put_points(port, 1, kNew);
    const json made = answer_of(port, "POST", "/qdrant" + of + "/snapshots");
    INFO(made.dump());
    REQUIRE(made["result"]["name"].is_string());
    location = data + "/snapshots" + of + "/" + made["result"]["name"].get<std::string>();
    put_points(port, kNew + 1, kOld);
  }
  std::mt19937 random(20261125);

  for (int round = 0; round < 12; ++round) {
    {
      Process node(scratch, serve);
      const int port = node.port();
      REQUIRE(count(port) == kOld);
      std::thread asks([&] {
        (void)request(port, "POST", "/qdrant" + of + "/snapshots/recover",
                      json{{"location", location}}.dump());
      });
      std::this_thread::sleep_for(std::chrono::microseconds(random() % 120'000));
      node.signal(SIGKILL);
      CHECK(node.wait() == 128 + SIGKILL);
      asks.join();
    }
    Process node(scratch, serve);
    const int found = count(node.port());
    CHECK((found == kOld || found == kNew));
    if (found == kNew) put_points(node.port(), kNew + 1, kOld);
    node.signal(SIGTERM);
    CHECK(node.wait() == 0);
    CHECK(std::filesystem::is_empty(data + "/tmp"));
  }

  Process check(scratch, {"data", "check", "--deep", data});
  CHECK(check.wait() == 0);
}

TEST_CASE("snapshots: no name of a collection leads to the whole node", "[cli][snapshot]") {
  const Scratch scratch;
  Process node(scratch, {"serve", "--data-dir", scratch.file("data"), "--listen", "127.0.0.1:0"});
  const int port = node.port();
  REQUIRE(port > 0);
  const std::string url = "http://127.0.0.1:" + std::to_string(port);
  for (const std::string name : {"..", ".", "../..", "%2e%2e"}) {
    CAPTURE(name);
    Process create(scratch, {"snapshot", "create", "--collection", name, "--endpoint", url});
    CHECK(create.wait() != 0);
  }
  const json list = answer_of(port, "GET", "/snapshots");
  CHECK(list.value("result", json()) == json::array());
}
