// Snapshots of one collection over HTTP: it comes back under any name, and all others go on.
#include <fstream>

#include "tests/engine/api/upload_server.h"

using namespace vz;
using namespace vz::api::test;
using nlohmann::json;

namespace {

constexpr const char* kDefinition = R"({"vectors":{"size":4,"distance":"Dot"}})";

/// Beside "docs", which has ten points in its snapshot and 30 now, a collection "other" of one.
struct CollectionServer : RealServer {
  json made;

  CollectionServer() {
    made = created(post("/collections/docs/snapshots"));
    put_points(server->port(), 11, 30);
    REQUIRE(put("/collections/other", kDefinition).status == 200);
    REQUIRE(put("/collections/other/points", points("1")).status == 200);
  }
  HttpAnswer put(const std::string& target, const std::string& body) const {
    return call(server->port(), "PUT", target, body);
  }
  HttpAnswer get(const std::string& target) const { return call(server->port(), "GET", target); }
  [[nodiscard]] std::string file() const {
    return directory / ("data/snapshots/collections/docs/" + made["name"].get<std::string>());
  }
  HttpAnswer recover_as(const std::string& collection, const std::string& location) const {
    return put("/collections/" + collection + "/snapshots/recover",
               json{{"location", location}, {"priority", "snapshot"}}.dump());
  }
  [[nodiscard]] std::uint64_t count_of(const std::string& collection) const {
    const auto answer = post("/collections/" + collection + "/points/count", "{}");
    INFO(answer.body);
    REQUIRE(answer.status == 200);
    return json::parse(answer.body)["result"]["count"];
  }
  [[nodiscard]] json stats() const { return json::parse(get("/stats").body); }
  /// As if nothing had been asked.
  void check_untouched(const json& before) const {
    CHECK(count_of("docs") == 30);
    CHECK(count_of("other") == 1);
    CHECK(stats()["total_collections"] == before["total_collections"]);
    CHECK(stats()["epoch"] == before["epoch"]);
    CHECK(std::filesystem::is_empty(directory / "data/tmp"));
  }
};

}  // namespace

TEST_CASE("collection snapshots: made, listed, downloaded and deleted beside those of the node",
          "[api][snapshots]") {
  CollectionServer node;
  const std::string name = node.made["name"];
  const std::string base = "/qdrant/collections/docs/snapshots";

  CHECK(json::parse(node.get(base).body)["result"] == json::array({node.made}));
  CHECK(json::parse(node.get("/snapshots").body)["result"].empty());
  CHECK(json::parse(node.get("/collections/other/snapshots").body)["result"].empty());
  CHECK(node.get("/collections/absent/snapshots").status == 404);
  CHECK(node.post("/collections/absent/snapshots").status == 404);
  CHECK(node.get("/snapshots/" + name).status == 404);
  CHECK(node.get("/collections/other/snapshots/" + name).status == 404);
  CHECK(sha256_of(node.get(base + "/" + name).body) == node.made["checksum"]);
  const json manifest = json::parse(node.get(base + "/" + name + ".manifest.json").body);
  REQUIRE(manifest["collections"].size() == 1);
  CHECK(manifest["collections"][0]["name"] == "docs");
  CHECK(manifest["collections"][0]["vectors"] == 10);

  CHECK(call(node.server->port(), "DELETE", base + "/" + name).status == 200);
  CHECK(node.get(base + "/" + name).status == 404);
  CHECK(json::parse(node.get(base).body)["result"].empty());
}

TEST_CASE("collection snapshots: recover replaces that collection alone", "[api][snapshots]") {
  CollectionServer node;
  REQUIRE(node.post("/collections/aliases",
                    R"({"actions":[{"create_alias":{"collection_name":"docs","alias_name":"d"}}]})")
              .status == 200);
  const json before = node.stats();

  const auto answer = node.recover_as("docs", node.file());

  INFO(answer.body);
  REQUIRE(answer.status == 200);
  CHECK(json::parse(answer.body)["result"] == true);
  CHECK(node.count_of("docs") == 10);
  CHECK(node.count_of("d") == 10);  // The alias leads to the new one.
  CHECK(node.count_of("other") == 1);
  CHECK(node.stats()["epoch"] == before["epoch"]);  // Nothing else has happened to the node.
  CHECK(node.stats()["total_collections"] == 2);
  CHECK(std::filesystem::is_empty(node.directory / "data/tmp"));
  CHECK(node.put("/collections/docs/points?wait=true", points("99")).status == 200);
  const json hits = json::parse(
      node.post("/collections/docs/points/search", R"({"vector":[1,2,3,4],"limit":20})").body);
  CHECK(hits["result"].size() == 11);
  // Its old files go with the images that name them; "other" has no file yet.
  CHECK(node.post("/admin/gc?wait=true").status == 200);
  std::size_t directories = 0;
  for (const auto& entry : std::filesystem::directory_iterator(node.directory / "data/collections"))
    directories += entry.is_directory() ? 1 : 0;
  CHECK(directories == 1);
}

TEST_CASE("collection snapshots: it comes back under another name, and once it is dropped",
          "[api][snapshots]") {
  CollectionServer node;
  const std::string odd = "caf%C3%A9%20%23%25..";

  REQUIRE(node.recover_as("copy", node.file()).status == 200);
  CHECK(node.count_of("copy") == 10);
  CHECK(node.count_of("docs") == 30);
  REQUIRE(call(node.server->port(), "DELETE", "/collections/docs").status == 200);
  CHECK(json::parse(node.get("/collections/docs/snapshots").body)["result"].size() == 1);
  REQUIRE(node.recover_as("docs", node.file()).status == 200);
  CHECK(node.count_of("docs") == 10);
  // One of the copy's has its name, not the one that its content once had; of any name.
  REQUIRE(node.recover_as(odd, node.file()).status == 200);
  const json made = created(node.post("/collections/" + odd + "/snapshots"));
  CHECK(json::parse(node.get("/collections/" + odd + "/snapshots").body)["result"] ==
        json::array({made}));
  const std::string path = "/collections/" + odd + "/snapshots/" + made["name"].get<std::string>();
  CHECK(sha256_of(node.get(path).body) == made["checksum"]);
}

TEST_CASE("collection snapshots: one collection comes out of a snapshot of the node",
          "[api][snapshots]") {
  CollectionServer node;
  const json made = created(node.post("/snapshots"));
  put_points(node.server->port(), 31, 40);

  REQUIRE(node.recover_as("docs", node.archive(made["name"])).status == 200);

  CHECK(node.count_of("docs") == 30);
  CHECK(node.count_of("other") == 1);
  const auto absent = node.recover_as("third", node.archive(made["name"]));
  CHECK(absent.status == 404);
  CHECK_THAT(absent.body, Catch::Contains("third"));
}

TEST_CASE("collection snapshots: an upload replaces it too", "[api][snapshots][upload]") {
  CollectionServer node;
  const std::string archive = bytes_of_file(node.file());
  const std::string checksum = node.made["checksum"];

  CHECK(call(node.server->port(), "POST",
             "/qdrant/collections/docs/snapshots/upload?priority=snapshot&checksum=" + checksum,
             form_of(archive), kForm)
            .status == 200);
  CHECK(node.count_of("docs") == 10);
  CHECK(call(node.server->port(), "PUT", "/collections/fresh/snapshots/upload", archive, kRaw)
            .status == 200);
  CHECK(node.count_of("fresh") == 10);
}

TEST_CASE("collection snapshots: of another node, whose lsns are far ahead", "[api][snapshots]") {
  CollectionServer node;
  RealServer other;
  for (int round = 0; round < 60; ++round) put_points(other.server->port(), 1, 10);
  put_points(other.server->port(), 11, 13);
  const json made = created(other.post("/collections/docs/snapshots"));
  const std::string from =
      other.directory / ("data/snapshots/collections/docs/" + made["name"].get<std::string>());
  REQUIRE(other.server->node()->visible_lsn() > node.server->node()->visible_lsn() + 500);
  std::filesystem::copy_file(from, node.directory / "backups/other.tar.gz");

  REQUIRE(node.recover_as("docs", node.directory / "backups/other.tar.gz").status == 200);

  CHECK(node.count_of("docs") == 13);
  const json page =
      json::parse(node.post("/collections/docs/points/scroll", R"({"limit":100})").body);
  CHECK(page["result"]["points"].size() == 13);
  // Nor do their versions lie ahead of the log: a delete must be younger than what it deletes, and
  // a manifest that is made again from the files must not take the log for older than they are.
  const json hits = json::parse(
      node.post("/collections/docs/points/search", R"({"vector":[1,2,3,4],"limit":20})").body);
  REQUIRE(hits["result"].size() == 13);
  for (const json& hit : hits["result"])
    CHECK(hit["version"].get<Lsn>() <= node.server->node()->visible_lsn());
  CHECK(node.put("/collections/docs/points?wait=true", points("5")).status == 200);
  CHECK(node.count_of("docs") == 13);
}

TEST_CASE("collection snapshots: what may not be is refused, and nothing is touched",
          "[api][snapshots]") {
  CollectionServer node;
  REQUIRE(node.post("/collections/aliases",
                    R"({"actions":[{"create_alias":{"collection_name":"docs","alias_name":"d"}}]})")
              .status == 200);
  const json before = node.stats();
  std::string bytes = bytes_of_file(node.file());
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  std::ofstream(node.directory / "backups/altered.tar.gz", std::ios::binary) << bytes;

  // A node must not take one collection for all that it has.
  const auto whole = node.recover(node.file());
  CHECK(whole.status == 400);
  CHECK_THAT(whole.body, Catch::Contains("one collection"));
  CHECK(call(node.server->port(), "POST", "/snapshots/upload", bytes_of_file(node.file()), kRaw)
            .status == 400);
  CHECK(node.recover_as("docs", node.directory / "backups/altered.tar.gz").status == 400);
  CHECK(node.recover_as("docs", node.directory / "backups/absent.tar.gz").status == 404);
  CHECK(node.recover_as("docs", "/etc/passwd").status == 403);
  CHECK(node.recover_as("d", node.file()).status == 409);
  CHECK(node.recover_as("a%2Fb", node.file()).status == 400);
  CHECK(node.put("/collections/docs/snapshots/recover", "{}").status == 400);
  CHECK(node.put("/collections/docs/snapshots/recover",
                 json{{"location", node.file()}, {"checksum", std::string(64, '0')}}.dump())
            .status == 400);
  std::ofstream(node.directory / "canary.tar.gz") << "canary";
  for (const std::string name : {"..%2f..%2f..%2f..%2fcanary.tar.gz", "%2e%2e", "x%00.tar.gz"}) {
    for (const std::string method : {"GET", "DELETE"}) {
      for (const std::string& path : {"/collections/docs/snapshots/" + name,
                                      "/collections/" + name + "/snapshots/canary.tar.gz"}) {
        CAPTURE(method, path);
        const int status = call(node.server->port(), method, path).status;
        CHECK((status == 400 || status == 404));
      }
    }
  }
  CHECK(std::filesystem::exists(node.directory / "canary.tar.gz"));
  node.check_untouched(before);
}
