// Snapshots of a running node over HTTP: made, handed out, put in force, and refused.
#include <fstream>
#include <thread>

#include <nlohmann/json.hpp>
#include <sys/stat.h>

#include "tests/engine/api/real_server.h"

using namespace vz;
using namespace vz::api::test;
using nlohmann::json;

TEST_CASE("snapshots: made, listed, downloaded whole and in parts, deleted", "[api][snapshots]") {
  TestServer node;
  REQUIRE(node.get("/snapshots").body.find(R"("result":[])") != std::string::npos);
  REQUIRE(node.put("/collections/docs", R"({"vectors":{"size":4,"distance":"Dot"}})").status ==
          200);
  put_points(node.server->port(), 1, 10);

  const json made = created(node.post("/qdrant/snapshots"));

  const std::string name = made["name"];
  CHECK_THAT(name, Catch::Matches(R"(snapshot-\d{8}T\d{6}Z\.tar\.gz)"));
  CHECK_THAT(std::string(made["creation_time"]),
             Catch::Matches(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)"));
  CHECK(json::parse(node.get("/snapshots").body)["result"] == json::array({made}));
  const auto whole = node.get("/qdrant/snapshots/" + name);
  CHECK(whole.status == 200);
  REQUIRE(whole.body.size() == made["size"]);
  CHECK(whole.header("Content-Length") == std::to_string(whole.body.size()));
  Sha256 hash;
  hash.update(as_bytes(whole.body));
  CHECK(to_hex(hash.finish()) == made["checksum"]);

  const auto part =
      call(node.server->port(), "GET", "/snapshots/" + name, "", {{"Range", "bytes=10-19"}});
  CHECK(part.status == 206);
  CHECK(part.body == whole.body.substr(10, 10));
  CHECK(part.header("Content-Range") == "bytes 10-19/" + std::to_string(whole.body.size()));
  const auto rest = call(node.server->port(), "GET", "/snapshots/" + name, "",
                         {{"Range", "bytes=-7"}, {"If-Range", whole.header("ETag")}});
  CHECK(rest.status == 206);
  CHECK(rest.body == whole.body.substr(whole.body.size() - 7));
  const auto beyond =
      call(node.server->port(), "GET", "/snapshots/" + name, "", {{"Range", "bytes=999999999-"}});
  CHECK(beyond.status == 416);
  CHECK(beyond.header("Content-Range") == "bytes */" + std::to_string(whole.body.size()));
  const auto changed = call(node.server->port(), "GET", "/snapshots/" + name, "",
                            {{"Range", "bytes=0-1"}, {"If-Range", "\"other\""}});
  CHECK(changed.status == 200);
  CHECK(changed.body == whole.body);

  const json manifest = json::parse(node.get("/snapshots/" + name + ".manifest.json").body);
  CHECK(manifest["lsn"] == 11);
  CHECK(manifest["node"] == node.server->node()->node_id());
  CHECK(manifest["archive"]["sha256"] == made["checksum"]);
  const json listed = json::parse(node.get("/collections").body);
  REQUIRE(manifest["collections"].size() == 1);
  for (const char* key : {"name", "vector_count"})
    CHECK(manifest["collections"][0][key] == listed["collections"][0][key]);
  CHECK(manifest["total_collections"] == listed["total_collections"]);

  const json other = created(node.post("/snapshots", R"({"format":"tar.zst"})"));
  CHECK(std::string(other["name"]).ends_with(".tar.zst"));
  CHECK(node.post("/snapshots", R"({"format":"zip"})").status == 400);
  CHECK_THAT(node.post("/snapshots", R"({"formt":"tar.gz"})").body, Catch::Contains("formt"));
  CHECK(json::parse(node.erase("/snapshots/" + name).body)["result"] == true);
  CHECK(node.get("/snapshots/" + name).status == 404);
  CHECK(node.get("/snapshots/" + name + ".manifest.json").status == 404);
  CHECK(node.erase("/snapshots/" + name).status == 404);
  CHECK(node.env.list("/data/snapshots")->size() == 3);  // The other one, whole.
}

TEST_CASE("snapshots: no name leads out of the folder", "[api][snapshots]") {
  TestServer node;
  created(node.post("/snapshots"));
  REQUIRE(node.env.put_file("/data/canary.tar.gz", as_bytes("canary")));
  REQUIRE(node.env.put_file("/data/snapshots/.hidden.tar.gz", as_bytes("canary")));
  REQUIRE(node.env.put_file("/data/snapshots/plain.txt", as_bytes("canary")));

  for (const std::string name :
       {"..%2fcanary.tar.gz", "%2e%2e%2fcanary.tar.gz", "%252e%252e%252fcanary.tar.gz",
        "../canary.tar.gz", "x%00.tar.gz", "..%5ccanary.tar.gz", "%2fdata%2fcanary.tar.gz",
        ".hidden.tar.gz", "plain.txt", "..%2fcanary.tar.gz.manifest.json", ".manifest.json",
        "%20.tar.gz"}) {
    for (const std::string method : {"GET", "DELETE"}) {
      const auto answer = call(node.server->port(), method, "/qdrant/snapshots/" + name);
      CAPTURE(name, method, answer.body);
      CHECK((answer.status == 400 || answer.status == 404));
      CHECK(answer.body.find("canary\"") == std::string::npos);
      CHECK(answer.body != "canary");
    }
  }
  const std::string longest(300, 'a');
  CHECK(node.get("/snapshots/" + longest + ".tar.gz").status == 400);
  CHECK(node.env.exists("/data/canary.tar.gz"));
  CHECK(node.env.exists("/data/snapshots/.hidden.tar.gz"));
}

TEST_CASE("snapshots: a disk without room is told before anything is written", "[api][snapshots]") {
  TestServer node;
  REQUIRE(node.put("/collections/docs", R"({"vectors":{"size":4,"distance":"Dot"}})").status ==
          200);
  put_points(node.server->port(), 1, 3);
  node.env.set_disk_space({.free_bytes = (64u << 20) + 100, .total_bytes = 1u << 30});

  const auto answer = node.post("/snapshots");

  CHECK(answer.status == 507);
  CHECK_THAT(answer.body, Catch::Contains("67108964"));
  CHECK_FALSE(node.env.exists("/data/snapshots"));
  CHECK(json::parse(node.get("/snapshots").body)["result"].empty());
  put_points(node.server->port(), 4, 4);
}

TEST_CASE("snapshots: recover puts an archive in force and keeps the old content",
          "[api][snapshots]") {
  RealServer node;
  const json made = created(node.post("/snapshots"));
  put_points(node.server->port(), 11, 30);
  const auto before = json::parse(call(node.server->port(), "GET", "/stats").body);
  REQUIRE(node.count() == 30);
  const bool by_uri = GENERATE(true, false);

  const auto answer =
      node.recover((by_uri ? "file://" : "") + node.archive(made["name"]), made["checksum"]);

  INFO(answer.body);
  REQUIRE(answer.status == 200);
  CHECK(json::parse(answer.body)["result"] == true);
  CHECK(node.count() == 10);
  const auto after = json::parse(call(node.server->port(), "GET", "/stats").body);
  CHECK(after["epoch"] > before["epoch"]);
  CHECK(after["lsn"] >= before["lsn"]);
  const auto write = call(node.server->port(), "PUT", "/collections/docs/points", points("99"));
  CHECK(write.status == 200);
  CHECK(std::stoull(write.header("X-Vectorizer-Lsn")) > before["lsn"].get<std::uint64_t>());
  std::size_t kept = 0;
  for (const auto& entry : std::filesystem::directory_iterator(node.directory / "data"))
    kept += entry.path().filename().string().starts_with("previous-") ? 1 : 0;
  CHECK(kept == 1);
  CHECK(std::filesystem::is_empty(node.directory / "data/tmp"));
  CHECK(created(node.post("/snapshots"))["size"] > 0);
}

TEST_CASE("snapshots: what may not be restored is refused and nothing is touched",
          "[api][snapshots]") {
  RealServer node;
  const std::string name = created(node.post("/snapshots"))["name"];
  put_points(node.server->port(), 11, 12);
  const std::string good = node.copy_of(name, "good.tar.gz");
  const std::string cut = node.copy_of(name, "cut.tar.gz");
  std::filesystem::resize_file(cut, std::filesystem::file_size(cut) / 2);
  const std::string altered = node.copy_of(name, "altered.tar.gz");
  {
    std::fstream file(altered, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<long>(std::filesystem::file_size(altered) / 2));
    file.put('\xa5').put('\x5a').put('\xa5').put('\x5a');
  }
  std::ofstream(node.directory / "backups/foreign.tar.gz") << "no archive at all";
  const std::string writable = node.copy_of(name, "writable.tar.gz");
  REQUIRE(::chmod(writable.c_str(), 0666) == 0);
  std::filesystem::create_symlink(good, node.directory / "backups/link.tar.gz");
  std::filesystem::copy_file(good, node.directory / "outside.tar.gz");
  const std::string epoch =
      json::parse(call(node.server->port(), "GET", "/stats").body)["epoch"].dump();

  const std::vector<std::pair<std::string, int>> refused = {
      {node.directory / "backups/absent.tar.gz", 404},
      {cut, 400},
      {altered, 400},
      {node.directory / "backups/foreign.tar.gz", 400},
      {writable, 403},
      {node.directory / "backups/link.tar.gz", 400},
      {node.directory / "backups", 403},
      {node.directory / "backups/../outside.tar.gz", 400},
      {"file://" + (node.directory / "backups/%2e%2e/outside.tar.gz"), 400},
      {node.directory / "outside.tar.gz", 403},
      {"file:///etc/passwd", 403},
      {"/etc/passwd", 403},
      {"../../etc/passwd", 400},
      {"http://127.0.0.1:1/x.tar.gz", 400},
      {"s3://bucket/x.tar.gz", 400},
      {"", 400}};
  for (const auto& [location, status] : refused) {
    const auto answer = node.recover(location);
    CAPTURE(location, answer.body);
    CHECK(answer.status == status);
    CHECK(answer.body.find("root:") == std::string::npos);
    CHECK(node.count() == 12);
  }
  CHECK(node.recover(good, std::string(64, '0')).status == 400);
  CHECK(node.recover(good, "abc").status == 400);
  CHECK(node.post("/snapshots/recover", "{}").status == 400);
  CHECK(node.post("/snapshots/recover", R"({"location":"/tmp/x","api":1})").status == 400);
  CHECK(node.count() == 12);
  CHECK(json::parse(call(node.server->port(), "GET", "/stats").body)["epoch"].dump() == epoch);
  CHECK(std::filesystem::is_empty(node.directory / "data/tmp"));
  put_points(node.server->port(), 13, 13);

  CHECK(node.recover(good).status == 200);
  CHECK(node.count() == 10);
}

TEST_CASE("snapshots: recover under load serves the manifest's counts", "[api][snapshots]") {
  RealServer node;
  std::atomic<bool> stop{false};
  std::atomic<int> failed_reads{0};
  std::thread writer([&] {
    for (int id = 100; !stop.load(); ++id)
      (void)call(node.server->port(), "PUT", "/collections/docs/points",
                 points(std::to_string(id)));
  });
  std::thread reader([&] {
    while (!stop.load()) failed_reads += node.count() == 0 ? 1 : 0;
  });
  const json made = created(node.post("/snapshots"));
  const json manifest = json::parse(
      call(node.server->port(), "GET", "/snapshots/" + std::string(made["name"]) + ".manifest.json")
          .body);

  const auto answer = node.recover(node.archive(made["name"]));
  const Lsn restored = node.server->node()->visible_lsn();
  stop = true;
  writer.join();
  reader.join();

  INFO(answer.body);
  REQUIRE(answer.status == 200);
  CHECK(failed_reads == 0);
  // What was written since is all that may be there besides: one point each.
  const std::uint64_t least = manifest["collections"][0]["vectors"];
  CHECK(node.count() >= least);
  CHECK(node.count() <= least + node.server->node()->visible_lsn() - manifest["lsn"].get<Lsn>());
  CHECK(restored >= manifest["lsn"].get<Lsn>());
}
