// A whole node behind real HTTP: the service routes, collections, aliases, fields and settings.
#include <nlohmann/json.hpp>

#include "tests/engine/api/api_support.h"

using namespace vz;
using api::test::call;
using api::test::TestServer;
using nlohmann::json;

namespace {
constexpr const char* kDot4 = R"({"vectors":{"size":4,"distance":"Dot"}})";
}

TEST_CASE("service: health, version and status of a single master", "[api][server]") {
  TestServer node;

  const json health = json::parse(node.get("/health").body);
  CHECK(health.at("status") == "healthy");
  CHECK(health.at("ready") == true);
  CHECK(health.at("version") == "9.9.9");
  CHECK(health.at("role") == "master");
  CHECK(health.at("epoch").is_number_unsigned());
  CHECK(health.at("lsn").is_number_unsigned());
  CHECK(health.at("uptime_seconds").is_number());
  CHECK(!health.at("checks").empty());
  for (const auto& check : health.at("checks")) {
    CHECK(check.at("name").is_string());
    CHECK(check.at("status") == "healthy");
    CHECK(check.at("detail").is_string());
  }
  for (const std::string path : {"/healthz", "/livez", "/readyz", "/qdrant/healthz",
                                 "/qdrant/livez", "/qdrant/readyz", "/health/master"}) {
    CAPTURE(path);
    CHECK(node.get(path).status == 200);
  }
  CHECK(node.get("/health/replica").status == 503);
  CHECK(node.get("/readyz").body == "all shards are ready");
  CHECK(node.get("/readyz").header("Content-Type").starts_with("text/plain"));

  const json version = json::parse(node.get("/qdrant/").body);
  CHECK(version.size() == 3);
  CHECK(version.at("title") == "qdrant - vector search engine");
  CHECK(version.at("version").get<std::string>().starts_with("1.18."));
  CHECK(version.at("commit").get<std::string>().size() == 40);
  CHECK(json::parse(call(node.server->qdrant_port(), "GET", "/").body) == version);

  const json cluster = json::parse(node.get("/cluster/status").body);
  CHECK(cluster.at("enabled") == false);
  CHECK(cluster.at("master") == "127.0.0.1:" + std::to_string(node.server->port()));
  CHECK(cluster.at("nodes").size() == 1);
  const json replication = json::parse(node.get("/replication/status").body);
  CHECK(replication.at("role") == "master");
  CHECK(replication.at("lag_ms") == 0);
  CHECK(replication.at("replicas").empty());
  CHECK(json::parse(node.get("/openapi.json").body).contains("paths"));
}

TEST_CASE("service: a snapshot that tar unpacks shows in health and stats, and the node serves on",
          "[api][server]") {
  auto options = api::test::test_options();
  options.restore_poll = std::chrono::milliseconds(1);
  TestServer node(options);
  const auto pending = [&](const std::string& path) {
    return json::parse(node.get(path).body).value("restore_pending", json());
  };
  CHECK(pending("/health").is_null());
  CHECK(pending("/stats").is_null());

  REQUIRE(node.env.put_file("/data/RESTORE", as_bytes("VZRESTO\nand no more")));

  // Each answer takes longer than a look at the directory.
  for (int i = 0; i < 100'000 && pending("/health").is_null(); ++i) continue;
  CHECK(pending("/health")["files"] == 0);
  CHECK(pending("/stats")["files_present"] == 0);
  CHECK_THAT(pending("/stats")["detail"].get<std::string>(), Catch::Contains("RESTORE"));
  CHECK(node.get("/health").status == 200);
  CHECK(node.put("/collections/c", kDot4).status == 200);

  REQUIRE(node.env.remove("/data/RESTORE"));
  for (int i = 0; i < 100'000 && !pending("/health").is_null(); ++i) continue;
  CHECK(pending("/stats").is_null());
}

TEST_CASE("service: unknown paths, methods and routes that are not built", "[api][server]") {
  TestServer node;

  const auto unknown = node.get("/nope");
  CHECK(unknown.status == 404);
  CHECK(json::parse(unknown.body).at("error").at("code") == "not_found");
  CHECK(json::parse(unknown.body).at("error").at("request_id") == unknown.header("X-Request-Id"));
  const auto method = node.post("/stats");
  CHECK(method.status == 405);
  CHECK(method.header("Allow") == "GET");
  const auto facet = node.post("/qdrant/collections/x/facet");
  CHECK(facet.status == 400);
  CHECK(json::parse(facet.body).at("status").at("error") ==
        "Wrong input: route POST /collections/{collection_name}/facet is not supported yet");
  const auto rebalance = node.post("/cluster/rebalance");
  CHECK(rebalance.status == 400);
  CHECK(json::parse(rebalance.body).at("error").at("message") ==
        "route POST /cluster/rebalance is not supported yet");
  const auto head = call(node.server->port(), "HEAD", "/livez");
  CHECK(head.status == 200);
  CHECK(head.body.empty());
}

TEST_CASE("guard: over a socket, before the body is read", "[api][server]") {
  TestServer node;
  const std::uint16_t port = node.server->port();
  REQUIRE(node.put("/collections/a", kDot4).status == 200);

  const auto browser =
      call(port, "DELETE", "/collections/a", "", {{"Origin", "http://evil.example"}});
  const auto rebound = call(port, "DELETE", "/collections/a", "", {{"Host", "evil.example"}});
  const auto native = call(port, "GET", "/stats", "", {{"Authorization", "Bearer x"}});
  const auto unknown = call(port, "GET", "/nope", "", {{"Via", "1.1 proxy"}});
  const auto expect =
      call(port, "PUT", "/collections/b", kDot4, {{"api-key", "x"}, {"Expect", "100-continue"}});

  CHECK(browser.status == 401);
  CHECK(browser.body == "Must provide an API key or an Authorization bearer token");
  CHECK(rebound.status == 401);
  CHECK(native.status == 401);
  CHECK(json::parse(native.body).at("error").at("code") == "unauthenticated");
  CHECK(unknown.status == 401);
  CHECK(expect.status == 401);
  CHECK(expect.body == "Invalid API key or JWT");
  CHECK(call(port, "GET", "/health", "", {{"Origin", "http://x"}}).status == 200);
  CHECK(json::parse(node.get("/collections/a/exists").body).at("result").at("exists") == true);
}

TEST_CASE("collections: create, list, describe, patch, delete", "[api][server]") {
  TestServer node;

  const auto created = node.put("/collections/docs", R"({"vectors":{"size":4,"distance":"Cosine"},
      "optimizers_config":{"indexing_threshold":7},"metadata":{"a":1,"b":2}})");
  REQUIRE(created.status == 200);
  CHECK(json::parse(created.body).at("result") == true);
  CHECK(json::parse(created.body).at("status") == "ok");
  CHECK(json::parse(created.body).at("time").is_number());
  CHECK(!created.header("X-Vectorizer-Lsn").empty());
  const auto again = node.put("/qdrant/collections/docs", kDot4);
  CHECK(again.status == 409);
  CHECK(json::parse(again.body).at("status").at("error") ==
        "Wrong input: Collection `docs` already exists!");
  CHECK(node.put("/collections/a%3Ab", kDot4).status == 400);
  REQUIRE(node.put("/collections/alpha", kDot4).status == 200);

  const json info = json::parse(node.get("/qdrant/collections/docs").body).at("result");
  CHECK(info.at("status") == "green");
  CHECK(info.at("optimizer_status") == "ok");
  CHECK(info.at("points_count") == 0);
  for (const char* key : {"indexed_vectors_count", "segments_count"})
    CHECK(info.at(key).is_number_unsigned());
  CHECK(info.at("config").at("params").at("vectors") == json{{"size", 4}, {"distance", "Cosine"}});
  CHECK(info.at("config").at("hnsw_config").at("m") == 16);
  CHECK(info.at("config").at("hnsw_config").at("full_scan_threshold").is_number());
  CHECK(info.at("config").at("optimizer_config").at("indexing_threshold") == 7);
  CHECK(info.at("config").at("optimizer_config").at("flush_interval_sec").is_number());
  CHECK(info.at("config").at("wal_config").at("wal_capacity_mb").is_number());
  CHECK(info.at("config").at("quantization_config").is_null());
  CHECK(info.at("config").at("metadata") == json{{"a", 1}, {"b", 2}});
  CHECK(info.at("payload_schema").empty());

  REQUIRE(node.patch("/collections/docs",
                     R"({"metadata":{"a":null,"c":3},"hnsw_config":{"ef_construct":99}})")
              .status == 200);
  const json patched = json::parse(node.get("/collections/docs").body).at("result").at("config");
  CHECK(patched.at("metadata") == json{{"b", 2}, {"c", 3}});
  CHECK(patched.at("hnsw_config").at("ef_construct") == 99);
  CHECK(patched.at("hnsw_config").at("m") == 16);

  CHECK(json::parse(node.get("/qdrant/collections").body).at("result").at("collections") ==
        json::parse(R"([{"name":"alpha"},{"name":"docs"}])"));
  CHECK(json::parse(node.get("/collections").body) == json::parse(R"({"collections":[
      {"name":"alpha","vector_count":0,"dimension":4,"metric":"Dot","status":"green"},
      {"name":"docs","vector_count":0,"dimension":4,"metric":"Cosine","status":"green"}],
      "total_collections":2})"));
  const json full = json::parse(node.get("/collections?include_metadata=true").body);
  REQUIRE(full.is_array());
  REQUIRE(full.size() == 2);
  CHECK(full[0].at("name") == "alpha");
  for (const char* key : {"created_at", "updated_at", "size_bytes", "config"})
    CHECK(full[0].contains(key));
  CHECK(full[0].at("created_at").get<std::string>().size() == 27);

  CHECK(json::parse(node.erase("/collections/docs").body).at("result") == true);
  const auto gone = node.erase("/collections/docs");
  CHECK(gone.status == 200);
  CHECK(json::parse(gone.body).at("result") == false);
  const auto missing = node.get("/collections/docs");
  CHECK(missing.status == 404);
  CHECK(json::parse(missing.body).at("status").at("error") ==
        "Not found: Collection `docs` doesn't exist!");
  CHECK(json::parse(node.get("/collections/docs/exists").body).at("result").at("exists") == false);
}

TEST_CASE("aliases: all or none, and they lead to the collection", "[api][server]") {
  TestServer node;
  REQUIRE(node.put("/collections/a", kDot4).status == 200);
  REQUIRE(node.put("/collections/b", kDot4).status == 200);

  REQUIRE(node.post("/collections/aliases", R"({"actions":[
      {"create_alias":{"collection_name":"a","alias_name":"x"}},
      {"create_alias":{"collection_name":"b","alias_name":"y"}}]})")
              .status == 200);
  const auto half = node.post("/collections/aliases", R"({"actions":[
      {"delete_alias":{"alias_name":"x"}},
      {"create_alias":{"collection_name":"none","alias_name":"z"}}]})");

  CHECK(half.status == 404);
  CHECK(json::parse(node.get("/aliases").body).at("result") == json::parse(R"({"aliases":[
      {"alias_name":"x","collection_name":"a"},{"alias_name":"y","collection_name":"b"}]})"));
  CHECK(json::parse(node.get("/collections/b/aliases").body).at("result").at("aliases") ==
        json::parse(R"([{"alias_name":"y","collection_name":"b"}])"));
  CHECK(node.put("/collections/x/points", R"({"points":[{"id":1,"vector":[1,2,3,4]}]})").status ==
        200);
  CHECK(json::parse(node.post("/collections/a/points/count").body).at("result").at("count") == 1);
  CHECK(node.put("/collections/x", kDot4).status == 409);
}

TEST_CASE("fields: declared, counted, dropped; repeating is no error", "[api][server]") {
  TestServer node;
  REQUIRE(node.put("/collections/a", kDot4).status == 200);
  REQUIRE(node.put("/collections/a/points",
                   R"({"points":[{"id":1,"vector":[1,2,3,4],"payload":{"k":"v"}}]})")
              .status == 200);

  for (int i = 0; i < 2; ++i) {
    const auto declared = node.put("/collections/a/index?wait=true",
                                   R"({"field_name":"k","field_schema":"keyword"})");
    REQUIRE(declared.status == 200);
    CHECK(json::parse(declared.body).at("result").at("status") == "completed");
  }
  const json schema =
      json::parse(node.get("/collections/a").body).at("result").at("payload_schema");
  CHECK(schema.at("k").at("data_type") == "keyword");
  CHECK(schema.at("k").at("points") == 1);
  CHECK(node.erase("/collections/a/index/k").status == 200);
  CHECK(json::parse(node.get("/collections/a").body).at("result").at("payload_schema").empty());
}

TEST_CASE("native config: ef_search is live and shows its effective value", "[api][server]") {
  TestServer node;
  REQUIRE(node.put("/collections/slow", kDot4).status == 200);

  const auto patched = node.patch("/collections/slow/config", R"({"hnsw":{"ef_search":50}})");
  CHECK(patched.status == 200);
  CHECK(json::parse(patched.body).at("hnsw").at("ef_search") == 50);
  CHECK(json::parse(node.get("/collections/slow/config").body).at("hnsw").at("ef_search") == 50);
  const auto bad = node.patch("/collections/slow/config", R"({"hnsw":{"ef":50}})");
  CHECK(bad.status == 400);
  CHECK(json::parse(bad.body).at("error").at("message") == "unknown field 'hnsw.ef'");
  const auto missing = node.get("/collections/none/config");
  CHECK(missing.status == 404);
  CHECK(json::parse(missing.body).at("error").at("message") == "collection 'none' does not exist");
}

TEST_CASE("stats: exact keys, one a line, never null", "[api][server]") {
  TestServer node;
  REQUIRE(node.put("/collections/a", kDot4).status == 200);
  REQUIRE(node.put("/collections/a/points",
                   R"({"points":[{"id":1,"vector":[1,2,3,4]},{"id":2,"vector":[1,2,3,4]}]})")
              .status == 200);
  REQUIRE(node.post("/collections/a/points/search", R"({"vector":[1,2,3,4],"limit":1})").status ==
          200);

  const std::string text = node.get("/stats").body;
  const json stats = json::parse(text);

  CHECK(stats.size() == 9);
  for (const char* key : {"version", "role", "epoch", "lsn", "total_vectors", "total_collections",
                          "size_bytes", "memory_usage_bytes", "collections"})
    CHECK(stats.contains(key));
  CHECK(stats.at("total_vectors") == 2);
  REQUIRE(stats.at("collections").size() == 1);
  const json& one = stats.at("collections")[0];
  CHECK(one.size() == 14);
  for (const char* key :
       {"name", "vectors", "deleted_vectors", "indexed_vectors", "segments", "size_bytes",
        "searches", "avg_search_ms", "p50_search_ms", "p99_search_ms", "created_at", "status",
        "distance_evaluations", "memory_usage_bytes"}) {
    CAPTURE(key);
    REQUIRE(one.contains(key));
    CHECK_FALSE(one.at(key).is_null());
    CHECK(text.find("\n      \"" + std::string(key) + "\": ") != std::string::npos);
  }
  CHECK(one.at("searches") == 1);
  CHECK(one.at("distance_evaluations").get<int>() >= 2);
  CHECK(node.get("/stats").body == text);  // nothing but use and data changes it
}
