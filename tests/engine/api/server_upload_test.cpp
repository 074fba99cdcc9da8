// Snapshots uploaded to a running node: put in force whole, or refused with nothing changed and
// nothing left.
#include <vector>

#include "tests/engine/api/upload_server.h"
#include "tests/engine/net/raw_client.h"

using namespace vz;
using namespace vz::api::test;
using Catch::Contains;
using net::test::eventually;
using net::test::RawClient;
using nlohmann::json;

TEST_CASE("upload: an archive becomes the content, however it is sent", "[api][upload]") {
  struct Way {
    std::string method, target;
    Headers headers;
    bool form;
  };
  const auto way =
      GENERATE(Way{"POST", "/qdrant/snapshots/upload", kRaw, false},
               Way{"PUT", "/snapshots/upload", {{"Content-Type", "application/gzip"}}, false},
               Way{"POST", "/snapshots/upload", {{"Content-Type", ""}}, false},
               Way{"POST", "/snapshots/upload", kForm, true},
               Way{"PUT", "/qdrant/snapshots/upload", kForm, true});
  const bool zstd = GENERATE(false, true);
  CAPTURE(way.method, way.target, way.form, zstd);
  const UploadServer node(zstd ? "tar.zst" : "tar.gz");
  const std::string body = way.form ? form_of(node.archive) : node.archive;

  const auto answer = call(node.server->port(), way.method,
                           way.target + "?wait=true&checksum=" + node.checksum, body, way.headers);

  INFO(answer.body);
  REQUIRE(answer.status == 200);
  CHECK(json::parse(answer.body)["result"] == true);
  CHECK(node.count() == 10);
  CHECK(node.stats()["epoch"] > node.before["epoch"]);
  CHECK(node.stats()["lsn"] >= node.before["lsn"]);
  CHECK(node.arriving() == 0);
  CHECK(node.kept_before() == 1);
  CHECK(std::filesystem::is_empty(node.directory / "data/tmp"));
  put_points(node.server->port(), 99, 99);
  CHECK(node.count() == 11);
}

TEST_CASE("upload: without a wish for it the answer does not wait", "[api][upload]") {
  const UploadServer node;

  const auto answer = node.upload(node.archive, kRaw, "?wait=false");

  INFO(answer.body);
  CHECK(answer.status == 202);
  CHECK(eventually([&] { return node.count() == 10; }));
  CHECK(eventually([&] { return node.arriving() == 0; }));
}

TEST_CASE("upload: another checksum is refused, and the node is as it was", "[api][upload]") {
  const UploadServer node;

  const auto answer = node.upload(node.archive, kRaw, "?checksum=" + std::string(64, '0'));

  CHECK(answer.status == 400);
  CHECK_THAT(answer.body, Contains("Checksum mismatch") && Contains("nothing was changed"));
  node.check_untouched();
}

TEST_CASE("upload: what is no sound archive is refused, and the node is as it was",
          "[api][upload]") {
  const UploadServer node;
  const bool form = GENERATE(false, true);
  std::string altered = node.archive;
  for (std::size_t i = 0; i < 4; ++i) altered[altered.size() / 2 + i] ^= 0x5a;

  for (const std::string& bad : {node.archive.substr(0, node.archive.size() / 2),
                                 node.archive.substr(0, node.archive.size() - 1), altered,
                                 std::string("no archive at all"), std::string()}) {
    const auto answer = node.upload(form ? form_of(bad) : bad, form ? kForm : kRaw);
    CAPTURE(bad.size(), answer.body);
    CHECK(answer.status == 400);
    CHECK(json::parse(answer.body)["status"]["error"].is_string());
  }
  node.check_untouched();
}

TEST_CASE("upload: a hostile form is refused with its reason", "[api][upload]") {
  const UploadServer node;
  const std::string good = form_of(node.archive);
  const std::string part = good.substr(0, good.size() - 9);  // Without the closing boundary.
  struct Case {
    std::string type, body, reason;
  };
  const std::vector<Case> cases = {
      {"multipart/form-data", good, "no boundary"},
      {"multipart/form-data; boundary=" + std::string(10'240, 'b'), good, "over 70 bytes"},
      {"multipart/form-data; boundary=other", good, "does not begin"},
      {"multipart/form-data; boundary=XbX", part, "cut short"},
      {"multipart/form-data; boundary=XbX", part + "\r\n" + good, "more than one part"},
      {"multipart/form-data; boundary=XbX", form_of(node.archive, "file"), "field 'snapshot'"},
      {"multipart/form-data; boundary=XbX", "--XbX\r\nX: " + std::string(1u << 20, 'h') + "\r\n",
       "over 4096 bytes"},
      {"multipart/form-data; boundary=XbX", node.archive, "does not begin"},
      {"multipart/mixed; boundary=XbX", good, "multipart/form-data with the file"},
      {"application/json", "{}", "multipart/form-data with the file"}};
  for (const Case& one : cases) {
    const auto answer = node.upload(one.body, {{"Content-Type", one.type}});
    CAPTURE(one.type.substr(0, 60), one.reason, answer.body);
    CHECK(answer.status == 400);
    CHECK_THAT(answer.body, Contains(one.reason));
    CHECK(eventually([&] { return node.arriving() == 0; }));
  }
  node.check_untouched();
}

TEST_CASE("upload: what the head says wrong is refused before the body", "[api][upload]") {
  const UploadServer node;
  const auto status = [&](const std::string& target, const std::string& headers) {
    RawClient client(node.server->port());
    const auto answer = client.ask("PUT " + target + " HTTP/1.1\r\nHost: localhost:" +
                                   std::to_string(node.server->port()) + "\r\n" + headers + "\r\n");
    return answer ? answer->status : 0;
  };
  const std::string length = "Content-Length: 1000000\r\n";
  const std::string path = "/snapshots/upload";

  CHECK(status(path + "?checksum=abc", length) == 400);
  CHECK(status(path + "?wait=maybe", length) == 400);
  CHECK(status(path, length + "Content-Type: text/plain\r\n") == 400);
  CHECK(status(path, length + "Content-Encoding: gzip\r\n") == 415);
  CHECK(status(path, length + "Origin: http://elsewhere\r\n") == 401);
  CHECK(status(path, "Content-Length: 1099511627777\r\n") == 413);
  CHECK(status("/snapshots/recover", "Content-Length: 33554433\r\n") == 413);
  node.check_untouched();
}

TEST_CASE("upload: a client that goes away leaves no file", "[api][upload]") {
  const UploadServer node;
  const bool in_chunks = GENERATE(false, true);
  {
    RawClient client(node.server->port());
    REQUIRE(client.send(head_of(node.server->port(), in_chunks ? "Transfer-Encoding: chunked\r\n"
                                                               : "Content-Length: 4000000\r\n")));
    REQUIRE(client.send((in_chunks ? "100000\r\n" : "") + std::string(900'000, 'a')));
    REQUIRE(eventually([&] { return node.arriving() == 1; }));
    CHECK(json::parse(call(node.server->port(), "GET", "/snapshots").body)["result"].size() == 1);
  }

  CHECK(eventually([&] { return node.arriving() == 0; }));
  node.check_untouched();
}

TEST_CASE("upload: a node that stops in the middle of one leaves no file", "[api][upload]") {
  UploadServer node;
  RawClient client(node.server->port());
  REQUIRE(client.send(head_of(node.server->port(), "Content-Length: 4000000\r\n")));
  REQUIRE(client.send(std::string(900'000, 'a')));
  REQUIRE(eventually([&] { return node.arriving() == 1; }));

  REQUIRE(node.server->stop(std::chrono::milliseconds(10)));

  CHECK(node.arriving() == 0);
}

TEST_CASE("upload: what a kill has left goes with the next start", "[api][upload]") {
  TestServer node;
  created(node.post("/snapshots"));
  REQUIRE(node.env.put_file("/data/snapshots/snapshot-upload-3.tmp", as_bytes("piece")));

  node.restart([] {});

  CHECK_FALSE(node.env.exists("/data/snapshots/snapshot-upload-3.tmp"));
  CHECK(json::parse(node.get("/snapshots").body)["result"].size() == 1);
}

TEST_CASE("upload: a disk without room is told before anything is sent", "[api][upload]") {
  TestServer node;
  constexpr std::uint64_t kReserve = 64u << 20;
  const std::uint16_t port = node.server->port();
  const auto asked = [&](const std::string& headers) {
    RawClient client(port);
    return client.ask(head_of(port, headers + "Expect: 100-continue\r\n")).value();
  };
  node.env.set_disk_space({.free_bytes = kReserve + 2'000, .total_bytes = 1u << 30});

  const auto refused = asked("Content-Length: 1001\r\n");
  CHECK(refused.status == 507);
  CHECK(refused.header("Retry-After") == "1");
  CHECK_THAT(refused.body, Contains("1001") && Contains("2002") && Contains("2000"));
  CHECK_FALSE(node.env.exists("/data/snapshots"));
  CHECK(asked("Content-Length: 1000\r\n").status == 100);
  CHECK(asked("Transfer-Encoding: chunked\r\n").status == 100);
  REQUIRE(eventually([&] { return node.env.list("/data/snapshots")->empty(); }));

  node.env.set_disk_space({.free_bytes = kReserve, .total_bytes = 1u << 30});
  CHECK(asked("Transfer-Encoding: chunked\r\n").status == 507);
  CHECK(node.env.list("/data/snapshots")->empty());
}

TEST_CASE("upload: a disk that fills meanwhile ends it", "[api][upload]") {
  TestServer node;
  const std::uint16_t port = node.server->port();
  RawClient client(port);
  REQUIRE(client.send(head_of(port, "Content-Length: 100000000\r\n")));
  REQUIRE(client.send(std::string(1u << 20, 'a')));
  REQUIRE(eventually([&] {
    return node.env.exists("/data/snapshots") && !node.env.list("/data/snapshots")->empty();
  }));

  node.env.set_disk_space({.free_bytes = 64u << 20, .total_bytes = 1u << 30});
  (void)client.send(std::string(10u << 20, 'a'));

  const auto answer = client.receive();
  REQUIRE(answer.has_value());
  CHECK(answer->status == 507);
  CHECK(eventually([&] { return node.env.list("/data/snapshots")->empty(); }));
}
