// Uploads at once, beside other work, and larger than what memory they may take.
#include <array>
#include <atomic>
#include <random>
#include <thread>
#include <vector>

#include "engine/limits.h"
#include "tests/engine/api/upload_server.h"
#include "tests/engine/net/raw_client.h"
#include "tests/support/instrumented.h"

using namespace vz;
using namespace vz::api::test;
using Catch::Contains;
using net::test::eventually;
using net::test::RawClient;
using nlohmann::json;

namespace {

std::uint64_t peak_memory_bytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmHWM:")) return std::stoull(line.substr(6)) * 1024;
  return 0;
}

}  // namespace

TEST_CASE("upload: so many at once, and one more is told to come back", "[api][upload]") {
  const UploadServer node;
  const std::uint16_t port = node.server->port();
  std::vector<RawClient> clients;
  for (std::size_t i = 0; i < limits::kUploadsMax; ++i) {
    clients.emplace_back(port);
    REQUIRE(clients.back().send(head_of(port, "Content-Length: 1000\r\n") + "some"));
  }
  REQUIRE(eventually([&] { return node.arriving() == limits::kUploadsMax; }));

  const auto answer = node.upload(node.archive);

  CHECK(answer.status == 503);
  CHECK(answer.header("Retry-After") == "1");
  clients.clear();
  REQUIRE(eventually([&] { return node.arriving() == 0; }));
  node.check_untouched();
  CHECK(eventually([&] { return node.upload(node.archive).status == 200; }));
  CHECK(node.count() == 10);
}

TEST_CASE("upload: two at the same time are put in force one after the other", "[api][upload]") {
  const UploadServer node;
  std::array<int, 2> statuses{};
  std::vector<std::jthread> threads;

  for (int& status : statuses)
    threads.emplace_back([&] { status = node.upload(form_of(node.archive), kForm).status; });
  threads.clear();

  CHECK(statuses == std::array<int, 2>{200, 200});
  CHECK(node.count() == 10);
  CHECK(node.kept_before() == 2);
  CHECK(node.arriving() == 0);
}

TEST_CASE("upload: searches go on, and writes go on behind it", "[api][upload]") {
  const UploadServer node;
  std::atomic<bool> stop{false};
  std::atomic<int> failed_reads{0};
  std::atomic<int> written{0};
  std::jthread writer([&] {
    for (int id = 100; !stop.load(); ++id)
      written +=
          call(node.server->port(), "PUT", "/collections/docs/points", points(std::to_string(id)))
                      .status == 200
              ? 1
              : 0;
  });
  std::jthread reader([&] {
    while (!stop.load()) failed_reads += node.count() == 0 ? 1 : 0;
  });
  REQUIRE(eventually([&] { return written > 5; }));

  const auto answer = node.upload(node.archive, kRaw, "?checksum=" + node.checksum);
  const int before = written.load();
  const bool goes_on = eventually([&] { return written > before + 5; });
  stop = true;
  writer.join();
  reader.join();

  INFO(answer.body);
  REQUIRE(answer.status == 200);
  CHECK(goes_on);
  CHECK(failed_reads == 0);
  CHECK(node.count() >= 10);
  CHECK(node.count() <= 10u + static_cast<unsigned>(written.load()));
  CHECK(node.arriving() == 0);
}

TEST_CASE("upload: memory stays bounded, whatever the size", "[api][upload]") {
  constexpr std::size_t kMiB = 1u << 20;
  constexpr std::size_t kBytes = 96 * kMiB;
  constexpr std::size_t kMoreMax = 24 * kMiB;
  const UploadServer node;
  const std::uint16_t port = node.server->port();
  const std::string piece(kMiB, '\r');  // What a form's reader has to look at longest.
  const bool form = GENERATE(false, true);
  const std::string begin = form ? form_of("").substr(0, form_of("").size() - 11) : "";
  const std::string end = form ? "\r\n--XbX--\r\n" : "";
  RawClient client(port, std::chrono::seconds(30));
  std::ofstream("/proc/self/clear_refs") << "5";  // The peak counts from here.
  const std::uint64_t before = peak_memory_bytes();

  REQUIRE(client.send(head_of(
      port, "Content-Length: " + std::to_string(begin.size() + kBytes + end.size()) + "\r\n" +
                (form ? "Content-Type: multipart/form-data; boundary=XbX\r\n" : ""))));
  REQUIRE(client.send(begin));
  for (std::size_t sent = 0; sent < kBytes; sent += piece.size()) REQUIRE(client.send(piece));
  REQUIRE(client.send(end));
  const auto answer = client.receive();

  REQUIRE(answer.has_value());
  INFO(answer->body);
  CHECK(answer->status == 400);  // It was no archive.
  CHECK_THAT(answer->body, Contains("nothing was changed"));
  const std::uint64_t after = peak_memory_bytes();
  // A sanitizer keeps what was freed: the pieces that have gone count as if they were there.
  if (!vz::test::kInstrumented) CHECK(after < before + kMoreMax);
  node.check_untouched();
}

TEST_CASE("upload: an archive beyond every other body's bound comes back whole", "[api][upload]") {
  constexpr int kSize = 65'536;
  constexpr int kPoints = 200;  // 50 MiB of vectors.
  UploadServer node;
  const std::uint16_t port = node.server->port();
  REQUIRE(call(port, "PUT", "/collections/large", R"({"vectors":{"size":65536,"distance":"Dot"}})")
              .status == 200);
  std::mt19937 random(20261201);
  std::string first;
  for (int id = 0; id < kPoints; ++id) {
    std::string vector;
    for (int i = 0; i < kSize; ++i)
      vector += (i > 0 ? "," : "") + std::to_string(random() >> 8);  // 24 bits, as floats have.
    if (id == 0) first = vector;
    REQUIRE(call(port, "PUT", "/collections/large/points",
                 R"({"points":[{"id":)" + std::to_string(id) + R"(,"vector":[)" + vector + "]}]}")
                .status == 200);
  }
  const json made = created(node.post("/snapshots"));
  const std::string large = bytes_of_file(node.RealServer::archive(made["name"]));
  REQUIRE(large.size() > (40u << 20));
  REQUIRE(call(port, "DELETE", "/collections/large").status == 200);
  const bool form = GENERATE(false, true);

  const auto answer = node.upload(form ? form_of(large) : large, form ? kForm : kRaw,
                                  "?checksum=" + std::string(made["checksum"]));

  INFO(answer.body);
  REQUIRE(answer.status == 200);
  const auto counted = call(port, "POST", "/collections/large/points/count", "{}");
  CHECK(json::parse(counted.body)["result"]["count"] == kPoints);
  const auto point = json::parse(
      call(port, "POST", "/collections/large/points", R"({"ids":[0],"with_vector":true})").body);
  CHECK(point["result"][0]["vector"] == json::parse("[" + first + "]"));
  CHECK(node.arriving() == 0);
}
