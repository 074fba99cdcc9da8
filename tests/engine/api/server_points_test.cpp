// Points behind real HTTP: every write is seen by the next read.
#include <thread>

#include <nlohmann/json.hpp>

#include "tests/engine/api/api_support.h"

using namespace vz;
using api::test::call;
using api::test::TestServer;
using nlohmann::json;

namespace {

/// A server with collection "a", 4-d Euclid, holding points 1..5 at [i,0,0,0] with payload n, tag.
struct Points : TestServer {
  explicit Points(server::ServerOptions options = api::test::test_options())
      : TestServer(std::move(options)) {
    REQUIRE(put("/collections/a", R"({"vectors":{"size":4,"distance":"Euclid"}})").status == 200);
    json points = json::array();
    for (int i = 1; i <= 5; ++i)
      points.push_back({{"id", i},
                        {"vector", {i, 0, 0, 0}},
                        {"payload", {{"n", i}, {"tag", i % 2 == 0 ? "even" : "odd"}}}});
    REQUIRE(put("/collections/a/points?wait=true", json{{"points", points}}.dump()).status == 200);
  }
  json result(const api::test::HttpAnswer& answer) {
    INFO(answer.body);
    REQUIRE(answer.status == 200);
    return json::parse(answer.body).at("result");
  }
  json ask(const std::string& path, const std::string& body = "") {
    return result(post("/collections/a/points" + path, body));
  }
  json payload_of(int id) {
    return result(get("/collections/a/points/" + std::to_string(id))).at("payload");
  }
};

std::vector<int> ids(const json& points) {
  std::vector<int> out;
  for (const json& point : points) out.push_back(point.at("id").get<int>());
  return out;
}

}  // namespace

TEST_CASE("points: wait chooses the words, the lsn is the operation", "[api][server]") {
  Points node;
  const std::string body = R"({"points":[{"id":9,"vector":[9,0,0,0]}]})";

  const auto absent = node.put("/collections/a/points", body);
  const auto waited = node.put("/collections/a/points?wait=true&ordering=strong&timeout=3", body);

  CHECK(json::parse(absent.body).at("result").at("status") == "acknowledged");
  CHECK(json::parse(waited.body).at("result").at("status") == "completed");
  CHECK(std::to_string(json::parse(waited.body).at("result").at("operation_id").get<int>()) ==
        waited.header("X-Vectorizer-Lsn"));
  CHECK(node.ask("/count").at("count") == 6);
  CHECK(node.put("/collections/a/points?wait=maybe", body).status == 400);
  CHECK(node.put("/collections/a/points?timeout=0", body).status == 422);
  CHECK(node.put("/collections/a/points?ordering=loose", body).status == 400);
}

TEST_CASE("points: get one, get many, count", "[api][server]") {
  Points node;

  CHECK(node.result(node.get("/collections/a/points/2")) ==
        json::parse(R"({"id":2,"payload":{"n":2,"tag":"even"},"vector":[2,0,0,0]})"));
  const auto missing = node.get("/collections/a/points/77");
  CHECK(missing.status == 404);
  CHECK(json::parse(missing.body).at("status").at("error") ==
        "Not found: No point with id 77 found");
  CHECK(node.get("/collections/a/points/x").status == 400);
  CHECK(node.ask("", R"({"ids":[3,99,1],"with_payload":["n"]})") ==
        json::parse(R"([{"id":3,"payload":{"n":3}},{"id":1,"payload":{"n":1}}])"));
  CHECK(node.ask("", R"({"ids":[1],"with_payload":false,"with_vector":true})") ==
        json::parse(R"([{"id":1,"vector":[1,0,0,0]}])"));
  CHECK(node.ask("/count", R"({"filter":{"must":[{"key":"tag","match":{"value":"odd"}}]}})")
            .at("count") == 3);
}

TEST_CASE("points: ids beyond 2^53 and UUIDs stay exact through every route", "[api][server]") {
  Points node;
  REQUIRE(node.put("/collections/a/points", R"({"points":[
      {"id":18446744073709551615,"vector":[0,0,0,0]},{"id":9007199254740993,"vector":[0,0,0,1]},
      {"id":"550E8400E29B41D4A716446655440000","vector":[0,0,0,2]}]})")
              .status == 200);

  const auto scroll = node.post("/collections/a/points/scroll",
                                R"({"offset":9007199254740993,"limit":2,"with_payload":false})");
  const auto search =
      node.post("/collections/a/points/search", R"({"vector":[0,0,0,0],"limit":5})");

  CHECK(scroll.body.starts_with(
      R"({"result":{"points":[{"id":9007199254740993},{"id":18446744073709551615}],)"
      R"("next_page_offset":"550e8400-e29b-41d4-a716-446655440000"})"));
  CHECK(search.body.find("\"id\":18446744073709551615,") != std::string::npos);
  CHECK(search.body.find("\"id\":9007199254740993,") != std::string::npos);
  CHECK(search.body.find("\"id\":\"550e8400-e29b-41d4-a716-446655440000\"") != std::string::npos);
}

TEST_CASE("points: scroll pages to the end", "[api][server]") {
  Points node;

  std::vector<int> seen;
  json offset = nullptr;
  do {
    const json page =
        node.ask("/scroll", json{{"limit", 2}, {"offset", offset}, {"filter", nullptr}}.dump());
    for (const int id : ids(page.at("points"))) seen.push_back(id);
    offset = page.at("next_page_offset");
  } while (!offset.is_null());

  CHECK(seen == std::vector<int>{1, 2, 3, 4, 5});
  CHECK(node.ask("/scroll").at("points")[0].at("payload") == json{{"n", 1}, {"tag", "odd"}});
}

TEST_CASE("points: search and query find the nearest, filtered and thresholded", "[api][server]") {
  Points node;

  const json near = node.ask("/search", R"({"vector":[2.2,0,0,0],"limit":2,"with_payload":["n"]})");
  CHECK(ids(near) == std::vector<int>{2, 3});
  CHECK(near[0].at("score").get<double>() == Approx(0.2));
  CHECK(near[0].at("payload") == json{{"n", 2}});
  CHECK(near[0].at("version").is_number_unsigned());
  CHECK_FALSE(near[0].contains("vector"));
  CHECK(ids(node.ask("/search", R"({"vector":[0,0,0,0],"limit":9,"offset":1,"score_threshold":3.5,
      "filter":{"must":[{"key":"tag","match":{"value":"odd"}}]}})")) == std::vector<int>{3});
  CHECK(ids(node.ask("/query", R"({"query":[5,0,0,0],"limit":2})").at("points")) ==
        std::vector<int>{5, 4});
  CHECK(ids(node.ask("/query", R"({"query":{"nearest":5},"limit":2})").at("points")) ==
        std::vector<int>{4, 3});
  CHECK(ids(node.ask("/query", R"({"limit":2,"offset":2})").at("points")) ==
        std::vector<int>{3, 4});
  const auto missing = node.post("/collections/a/points/query", R"({"query":77})");
  CHECK(missing.status == 404);
  const auto wrong = node.post("/collections/a/points/search", R"({"vector":[1],"limit":1})");
  CHECK(wrong.status == 400);
  CHECK(json::parse(wrong.body).at("status").at("error") ==
        "Wrong input: Vector dimension error: expected dim: 4, got 1");
  const auto named = node.post("/collections/a/points/query", R"({"query":[1,2,3,4],"using":"z"})");
  CHECK(json::parse(named.body).at("status").at("error") ==
        "Wrong input: Not existing vector name error: z");
}

TEST_CASE("points: batches answer in order, from the pool", "[api][server]") {
  Points node;

  const json searches = node.ask("/search/batch", R"({"searches":[
      {"vector":[1,0,0,0],"limit":1},{"vector":[5,0,0,0],"limit":2}]})");
  const json queries =
      node.ask("/query/batch", R"({"searches":[{"query":3,"limit":1},{"limit":1}]})");

  REQUIRE(searches.size() == 2);
  CHECK(ids(searches[0]) == std::vector<int>{1});
  CHECK(ids(searches[1]) == std::vector<int>{5, 4});
  REQUIRE(queries.size() == 2);
  CHECK(ids(queries[0].at("points")) == std::vector<int>{2});
  CHECK(ids(queries[1].at("points")) == std::vector<int>{1});
}

TEST_CASE("points: payload edits", "[api][server]") {
  Points node;

  CHECK(node.post("/collections/a/points/payload", R"({"payload":{"x":1},"points":[1]})").status ==
        200);
  CHECK(node.payload_of(1) == json{{"n", 1}, {"tag", "odd"}, {"x", 1}});
  CHECK(
      node.post("/collections/a/points/payload", R"({"payload":{"y":2},"key":"deep","points":[1]})")
          .status == 200);
  CHECK(node.payload_of(1).at("deep") == json{{"y", 2}});
  CHECK(
      node.put("/collections/a/points/payload",
               R"({"payload":{"z":1},"filter":{"must":[{"key":"tag","match":{"value":"even"}}]}})")
          .status == 200);
  CHECK(node.payload_of(2) == json{{"z", 1}});
  CHECK(node.payload_of(4) == json{{"z", 1}});
  CHECK(node.payload_of(3).at("n") == 3);
  CHECK(node.post("/collections/a/points/payload/delete", R"({"keys":["n","deep.y"],"points":[1]})")
            .status == 200);
  CHECK(node.payload_of(1) == json{{"tag", "odd"}, {"x", 1}, {"deep", json::object()}});
  CHECK(node.post("/collections/a/points/payload/clear", R"({"points":[1]})").status == 200);
  CHECK(node.payload_of(1) == json::object());
}

TEST_CASE("points: deletes by id and by filter, and vectors", "[api][server]") {
  Points node;

  CHECK(node.post("/collections/a/points/delete", R"({"points":[1,99]})").status == 200);
  CHECK(node.get("/collections/a/points/1").status == 404);
  CHECK(node.post("/collections/a/points/delete",
                  R"({"filter":{"must":[{"key":"tag","match":{"value":"even"}}]}})")
            .status == 200);
  CHECK(ids(node.ask("/scroll").at("points")) == std::vector<int>{3, 5});
  CHECK(node.put("/collections/a/points/vectors", R"({"points":[{"id":3,"vector":[0,7,0,0]}]})")
            .status == 200);
  CHECK(node.result(node.get("/collections/a/points/3")).at("vector") == json{0, 7, 0, 0});
  CHECK(node.payload_of(3).at("n") == 3);
  CHECK(
      node.post("/collections/a/points/vectors/delete", R"({"points":[3],"vector":[""]})").status ==
      200);
  CHECK(node.result(node.get("/collections/a/points/3")).at("vector") == json::object());
  CHECK(node.post("/collections/a/points/delete", "{}").status == 400);
  CHECK(node.ask("/count").at("count") == 2);
}

TEST_CASE("points: a batch of operations is one record with one answer each", "[api][server]") {
  Points node;

  const auto answer = node.post("/collections/a/points/batch?wait=true", R"({"operations":[
      {"upsert":{"points":[{"id":10,"vector":[1,1,1,1]}]}},
      {"set_payload":{"payload":{"made":true},"points":[10]}},
      {"delete":{"points":[1]}}]})");

  const json result = node.result(answer);
  REQUIRE(result.size() == 3);
  for (const json& one : result) {
    CHECK(one.at("status") == "completed");
    CHECK(one.at("operation_id") == result[0].at("operation_id"));
  }
  CHECK(node.payload_of(10) == json{{"made", true}});
  CHECK(node.get("/collections/a/points/1").status == 404);
}

TEST_CASE("points: a large body and its errors leave the io thread and come back",
          "[api][server]") {
  Points node;
  std::string body = R"({"points":[)";
  for (int i = 0; i < 2000; ++i)
    body += std::string(i == 0 ? "" : ",") + R"({"id":)" + std::to_string(1000 + i) +
            R"(,"vector":[1,2,3,4],"payload":{"text":")" + std::string(400, 'x') + "\"}}";
  std::string broken = body + "]]";
  body += "]}";

  const auto good = node.put("/collections/a/points", body);
  const auto bad = node.put("/collections/a/points", broken);

  CHECK(good.status == 200);
  CHECK(node.ask("/count").at("count") == 2005);
  CHECK(bad.status == 400);
  CHECK(json::parse(bad.body).at("status").at("error").get<std::string>().starts_with(
      "Format error in JSON body: at byte " + std::to_string(broken.size())));
}

TEST_CASE("points: named and sparse vectors come back as they went in", "[api][server]") {
  TestServer node;
  REQUIRE(node.put("/collections/n", R"({"vectors":{"image":{"size":2,"distance":"Dot"},
      "rows":{"size":2,"distance":"Dot","multivector_config":{"comparator":"max_sim"}}},
      "sparse_vectors":{"words":{}}})")
              .status == 200);
  const json vector = json::parse(
      R"({"image":[1,2],"rows":[[1,2],[3,4]],"words":{"indices":[2,9],"values":[0.5,1.5]}})");
  REQUIRE(
      node.put("/collections/n/points", json{{"points", {{{"id", 1}, {"vector", vector}}}}}.dump())
          .status == 200);

  CHECK(json::parse(node.get("/collections/n/points/1").body).at("result").at("vector") == vector);
  CHECK(json::parse(node.post("/collections/n/points/query",
                              R"({"query":[1,1],"using":"image","with_vector":["image"]})")
                        .body)
            .at("result")
            .at("points")[0]
            .at("vector") == json{{"image", {1, 2}}});
  CHECK(node.post("/collections/n/points/query", R"({"query":[1,1],"using":"words"})").status ==
        400);
}

TEST_CASE("points: many clients at once, every acknowledged point is there", "[api][server]") {
  Points node;
  constexpr int kClients = 4;
  constexpr int kWrites = 40;
  std::vector<std::jthread> clients;
  std::atomic<int> acknowledged{0};
  for (int client = 0; client < kClients; ++client) {
    clients.emplace_back([&, client] {
      for (int i = 0; i < kWrites; ++i) {
        const int id = 1000 + client * kWrites + i;
        const auto answer =
            call(node.server->port(), "PUT", "/collections/a/points",
                 R"({"points":[{"id":)" + std::to_string(id) + R"(,"vector":[1,2,3,4]}]})");
        if (answer.status == 200) ++acknowledged;
      }
    });
  }
  clients.clear();

  CHECK(acknowledged == kClients * kWrites);
  CHECK(node.ask("/count").at("count") == 5 + kClients * kWrites);
}
