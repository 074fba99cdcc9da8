// How much memory a collection takes, as /stats says it, and where on_disk puts its indexes.
#include <nlohmann/json.hpp>

#include "tests/engine/api/api_support.h"

using namespace vz;
using api::test::call;
using api::test::TestServer;
using nlohmann::json;

namespace {

constexpr std::uint32_t kDimension = 32;

/// Point i is nearest to itself.
std::vector<float> vector_of(int i) {
  std::vector<float> values(kDimension);
  for (std::uint32_t d = 0; d < kDimension; ++d)
    values[d] = static_cast<float>((i * 37 + static_cast<int>(d) * (i % 97 + 1)) % 101) - 50.0f;
  return values;
}

std::string points(int begin, int end) {
  json out = json::array();
  for (int i = begin; i < end; ++i)
    out.push_back(
        {{"id", i}, {"vector", vector_of(i)}, {"payload", {{"text", std::string(100, 'x')}}}});
  return json{{"points", out}}.dump();
}

server::ServerOptions memory_options() {
  auto options = api::test::test_options();
  options.node.seal_rows = 100'000;
  return options;
}

json stats_of(std::uint16_t port) {
  return json::parse(call(port, "GET", "/stats").body);
}

std::uint64_t memory_of(std::uint16_t port, const std::string& name) {
  const json stats = stats_of(port);
  std::uint64_t sum = 0;
  std::uint64_t found = 0;
  for (const json& one : stats.at("collections")) {
    REQUIRE(one.at("memory_usage_bytes").is_number_unsigned());
    sum += one.at("memory_usage_bytes").get<std::uint64_t>();
    if (one.at("name") == name) found = one.at("memory_usage_bytes").get<std::uint64_t>();
  }
  CHECK(stats.at("memory_usage_bytes") == sum);
  return found;
}

void create(std::uint16_t port, const std::string& name, const std::string& rest) {
  REQUIRE(call(port, "PUT", "/collections/" + name,
               R"({"vectors":{"size":32,"distance":"Euclid")" + rest + "}")
              .status == 200);
}

void fill(std::uint16_t port, const std::string& name, int begin, int end) {
  REQUIRE(
      call(port, "PUT", "/collections/" + name + "/points?wait=true", points(begin, end)).status ==
      200);
}

/// Share of points whose own vector finds them first.
void check_searches(std::uint16_t port, const std::string& name, int rows) {
  for (int i = 0; i < rows; i += 53) {
    CAPTURE(name, i);
    const json body = {{"vector", vector_of(i)}, {"limit", 1}, {"with_vector", true}};
    const auto answer = call(port, "POST", "/collections/" + name + "/points/search", body.dump());
    REQUIRE(answer.status == 200);
    const json best = json::parse(answer.body).at("result").at(0);
    CHECK(best.at("score") == 0.0f);
    CHECK(best.at("vector") == json(vector_of(i)));
  }
}

json config_of(std::uint16_t port, const std::string& name) {
  return json::parse(call(port, "GET", "/collections/" + name).body).at("result").at("config");
}

}  // namespace

TEST_CASE("memory: it grows with points in memory and falls when the collection is dropped",
          "[api][server]") {
  TestServer node(memory_options());
  const std::uint16_t port = node.server->port();
  CHECK(memory_of(port, "a") == 0);
  create(port, "a", "}");
  create(port, "b", "}");

  const std::uint64_t empty = memory_of(port, "a");
  fill(port, "a", 0, 500);
  const std::uint64_t some = memory_of(port, "a");
  fill(port, "a", 500, 3'000);
  const std::uint64_t many = memory_of(port, "a");

  CHECK(empty < 64'000);
  // What the client sent is in it: vectors, and the payload's text.
  CHECK(some - empty > 500 * (kDimension * sizeof(float) + 100));
  CHECK(many - some > 2'500 * (kDimension * sizeof(float) + 100));
  CHECK(many < 3'000 * 2'000);
  CHECK(memory_of(port, "b") == empty);
  REQUIRE(node.erase("/collections/a").status == 200);
  CHECK(stats_of(port).at("memory_usage_bytes") == empty);
}

TEST_CASE("memory: of a sealed collection, codes count and float32 vectors do not",
          "[api][server]") {
  TestServer node(memory_options());
  const std::uint16_t port = node.server->port();
  create(port, "a", "}");
  fill(port, "a", 0, 3'000);
  const std::uint64_t unsealed = memory_of(port, "a");

  REQUIRE(node.server->node()->settle());

  const std::uint64_t sealed = memory_of(port, "a");
  CHECK(sealed < unsealed / 2);
  CHECK(sealed > 3'000 * kDimension);
  CHECK(sealed < 3'000 * kDimension * sizeof(float));
  REQUIRE(node.post("/collections/a/points/delete?wait=true", R"({"points":[7]})").status == 200);
  CHECK(memory_of(port, "a") > sealed);  // Deaths take room, too.
}

TEST_CASE("on_disk: set at creation, shown, kept over a restart; the index leaves memory",
          "[api][server]") {
  FaultEnv env;
  REQUIRE(env.make_directory("/"));
  for (int run = 0; run < 2; ++run) {
    CAPTURE(run);
    auto started = server::Server::start(env, memory_options());
    REQUIRE(started);
    REQUIRE((*started)->wait_until_loaded());
    const std::uint16_t port = (*started)->port();
    if (run == 0) {
      create(port, "resident", "}");
      create(port, "vectors", R"(,"on_disk":true})");
      create(port, "graph", R"(},"hnsw_config":{"on_disk":true})");
      for (const std::string name : {"resident", "vectors", "graph"}) fill(port, name, 0, 2'000);
      REQUIRE((*started)->node()->settle());
    }

    CHECK_FALSE(config_of(port, "resident").at("params").at("vectors").contains("on_disk"));
    CHECK(config_of(port, "resident").at("hnsw_config").at("on_disk") == false);
    CHECK(config_of(port, "vectors").at("params").at("vectors").at("on_disk") == true);
    CHECK(config_of(port, "graph").at("hnsw_config").at("on_disk") == true);
    const std::uint64_t resident = memory_of(port, "resident");
    CHECK(memory_of(port, "vectors") + 2'000 * kDimension < resident);
    CHECK(memory_of(port, "graph") + 2'000 * kDimension < resident);
    for (const std::string name : {"resident", "vectors", "graph"})
      check_searches(port, name, 2'000);
    CHECK((*started)->stop(std::chrono::milliseconds(1000)));
  }
}

TEST_CASE("on_disk: a patch holds for segments opened or written from then on", "[api][server]") {
  FaultEnv env;
  REQUIRE(env.make_directory("/"));
  std::uint64_t resident = 0;
  for (int run = 0; run < 3; ++run) {
    CAPTURE(run);
    auto started = server::Server::start(env, memory_options());
    REQUIRE(started);
    REQUIRE((*started)->wait_until_loaded());
    const std::uint16_t port = (*started)->port();
    const auto patch = [&](const std::string& body) {
      return call(port, "PATCH", "/collections/a", body);
    };
    if (run == 0) {
      create(port, "a", "}");
      fill(port, "a", 0, 2'000);
      REQUIRE((*started)->node()->settle());
      resident = memory_of(port, "a");
      REQUIRE(patch(R"({"vectors":{"":{"on_disk":true}}})").status == 200);
      const auto unknown = patch(R"({"vectors":{"b":{"on_disk":true}}})");
      CHECK(unknown.status == 400);
      CHECK(json::parse(unknown.body).at("status").at("error") ==
            "Wrong input: Not existing vector name error: b");
      CHECK(memory_of(port, "a") >= resident);
      CHECK(config_of(port, "a").at("params").at("vectors").at("on_disk") == true);
    } else if (run == 1) {
      CHECK(memory_of(port, "a") + 2'000 * kDimension < resident);
      check_searches(port, "a", 2'000);
      REQUIRE(patch(R"({"vectors":{"on_disk":false}})").status == 200);
    } else {
      CHECK(config_of(port, "a").at("params").at("vectors").at("on_disk") == false);
      CHECK(memory_of(port, "a") + 1'000 > resident);
      check_searches(port, "a", 2'000);
    }
    CHECK((*started)->stop(std::chrono::milliseconds(1000)));
  }
}
