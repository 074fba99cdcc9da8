// Snapshots sent to a running node, by the command and by curl as users type it.
#include <thread>

#include <arpa/inet.h>
#include <nlohmann/json.hpp>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/cli/live_node.h"
#include "tools/drive/upload.h"

using namespace vz::cli::test;
using Catch::Contains;
using nlohmann::json;

namespace {

/// A node of one point, which a snapshot of it holds, and a second one beside it since.
struct UploadNode {
  Scratch scratch;
  Node node{scratch};
  std::string file;
  json made;

  UploadNode() {
    made = json::parse(node.ask("POST", "/snapshots").body)["result"];
    file = scratch.file("a.tar.gz");
    std::filesystem::copy_file(scratch.file("data/snapshots/" + made["name"].get<std::string>()),
                               file);
    node.ask("PUT", "/collections/a/points?wait=true", R"({"points":[{"id":2,"vector":[3,4]}]})");
    REQUIRE(count() == 2);
  }
  int count() {
    return json::parse(
        node.ask("POST", "/collections/a/points/count", "{}").body)["result"]["count"];
  }
  [[nodiscard]] bool has_leftover() const {
    for (const auto& entry : std::filesystem::directory_iterator(scratch.file("data/snapshots")))
      if (entry.path().extension() == ".tmp") return true;
    return false;
  }
  /// Its exit status; what it printed is in the file "said".
  [[nodiscard]] int shell(const std::string& command) const {
    const int status = std::system(
        ("cd " + scratch.file("") + " && ( " + command + " ) >said 2>talk </dev/null").c_str());
    return WEXITSTATUS(status);
  }
  [[nodiscard]] std::string said() const { return read_text(scratch.file("said")); }
  [[nodiscard]] std::string upload_url() const { return node.url + "/qdrant/snapshots/upload"; }
};

}  // namespace

TEST_CASE("snapshot upload: a file becomes the node's content", "[cli][snapshot]") {
  UploadNode on;

  const Ran ran = on.node.run({"snapshot", "upload", on.file, "-y", "-o", "json"});

  INFO(ran.err);
  REQUIRE(ran.status == 0);
  const json out = json::parse(ran.out);
  CHECK(out["schema"] == "vectorizerctl.snapshot.upload/1");
  CHECK(out["uploaded"] == on.file);
  CHECK(out["archive_bytes"] == on.made["size"]);
  CHECK(out["archive_sha256"] == on.made["checksum"]);
  CHECK(ran.err.empty());
  CHECK(on.count() == 1);
  CHECK_FALSE(on.has_leftover());
}

TEST_CASE("snapshot upload: a pipe becomes the node's content", "[cli][snapshot]") {
  UploadNode on;

  const int status = on.shell("cat a.tar.gz | " + std::string(VZ_BINARY) +
                              " snapshot upload - --yes -o json --endpoint " + on.node.url);

  INFO(read_text(on.scratch.file("talk")));
  REQUIRE(status == 0);
  CHECK(json::parse(on.said())["archive_sha256"] == on.made["checksum"]);
  CHECK(on.count() == 1);
  CHECK_FALSE(on.has_leftover());
}

TEST_CASE("snapshot upload: each trouble has its exit status", "[cli][snapshot]") {
  UploadNode on;
  std::string damaged = read_text(on.file);
  damaged[damaged.size() / 2] ^= 1;
  std::ofstream(on.scratch.file("bad.tar.gz"), std::ios::binary) << damaged;
  std::ofstream(on.scratch.file("empty.tar.gz"), std::ios::binary) << "";

  const Ran unasked = on.node.run({"snapshot", "upload", on.file});
  CHECK(unasked.status == 2);
  CHECK_THAT(unasked.err, Contains("--yes"));
  const Ran absent = on.node.run({"snapshot", "upload", on.scratch.file("none"), "-y"});
  CHECK(absent.status == 5);
  const Ran bad = on.node.run({"snapshot", "upload", on.scratch.file("bad.tar.gz"), "-y"});
  CHECK(bad.status == 2);
  CHECK_THAT(bad.err, Contains("nothing was changed"));
  CHECK(bad.out.empty());
  CHECK(on.node.run({"snapshot", "upload", on.scratch.file("empty.tar.gz"), "-y"}).status == 2);
  CHECK(on.node.run({"snapshot", "upload"}).status == 2);
  CHECK(on.count() == 2);
  CHECK_FALSE(on.has_leftover());
  const Ran dead =
      run(on.scratch, {"snapshot", "upload", on.file, "-y", "--endpoint", "http://127.0.0.1:1"});
  CHECK(dead.status == 13);
  CHECK_THAT(dead.err, Contains("--endpoint"));
}

TEST_CASE("snapshot upload: curl sends one in each of its ways", "[cli][snapshot]") {
  UploadNode on;
  const std::string curl = "curl -sS --max-time 60 ";
  const auto way = GENERATE(as<std::string>(), "-F snapshot=@a.tar.gz", "-X POST -T a.tar.gz",
                            "-T a.tar.gz", "-T - <a.tar.gz", "-X POST -F snapshot=@- <a.tar.gz",
                            "-H 'Expect: 100-continue' -T a.tar.gz",
                            "-H 'Content-Type: application/gzip' --data-binary @a.tar.gz");
  CAPTURE(way);

  const int status = on.shell(curl + "'" + on.upload_url() +
                              "?checksum=" + on.made["checksum"].get<std::string>() + "' " + way);

  INFO(on.said() << read_text(on.scratch.file("talk")));
  REQUIRE(status == 0);
  CHECK(json::parse(on.said())["result"] == true);
  CHECK(on.count() == 1);
  CHECK_FALSE(on.has_leftover());
}

TEST_CASE("snapshot upload: curl is told what is wrong", "[cli][snapshot]") {
  UploadNode on;
  const std::string curl = "curl -sS --max-time 60 -w '%{http_code}' ";
  const auto code = [&](const std::string& way) {
    CHECK(on.shell(curl + on.upload_url() + " " + way) == 0);
    const std::string said = on.said();
    return said.substr(said.size() - 3);
  };

  CHECK(code("-F file=@a.tar.gz") == "400");
  CHECK(code("-F snapshot=@a.tar.gz -F more=1") == "400");
  CHECK(code("-d x=y") == "400");
  CHECK(on.count() == 2);
  CHECK_FALSE(on.has_leftover());
}

TEST_CASE("snapshot upload: a kill in the middle leaves the old content and, once started, no file",
          "[cli][snapshot]") {
  UploadNode on;
  const std::string large = on.scratch.file("large");
  std::ofstream(large, std::ios::binary) << std::string(8u << 20, 'x');
  std::thread sends([&] {
    (void)on.shell("curl -sS --limit-rate 2M --max-time 20 -T large " + on.upload_url());
  });
  for (int i = 0; i < 2'000 && !on.has_leftover(); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  CHECK(on.has_leftover());

  on.node.kill();
  sends.join();

  CHECK(on.has_leftover());
  Node again(on.scratch);
  const auto counted = again.ask("POST", "/collections/a/points/count", "{}");
  CHECK(json::parse(counted.body)["result"]["count"] == 2);
  CHECK_FALSE(on.has_leftover());
}

TEST_CASE("snapshot upload: once all is sent the node may think as long as it likes", "[cli]") {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{.sin_family = AF_INET,
                      .sin_port = 0,
                      .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)},
                      .sin_zero = {}};
  socklen_t length = sizeof address;
  REQUIRE(::bind(listener, reinterpret_cast<sockaddr*>(&address), length) == 0);
  REQUIRE(::listen(listener, 1) == 0);
  REQUIRE(::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &length) == 0);
  constexpr std::size_t kSize = 200'000;
  constexpr long kSilenceMs = 2'000;  // More than curl waits for a 100 Continue that does not come.
  std::jthread node([listener] {
    const int peer = ::accept(listener, nullptr, nullptr);
    std::string received;
    for (char buffer[4096]; received.find("\r\n\r\n") == received.npos ||
                            received.size() - received.find("\r\n\r\n") - 4 < kSize;) {
      const auto size = ::recv(peer, buffer, sizeof buffer, 0);
      if (size <= 0) break;
      received.append(buffer, static_cast<std::size_t>(size));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2 * kSilenceMs));
    const std::string_view answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
    (void)::send(peer, answer.data(), answer.size(), MSG_NOSIGNAL);
    ::close(peer);
  });
  std::size_t left = kSize;

  const auto answer =
      vz::drive::upload({.port = ntohs(address.sin_port)}, "/", kSize, kSilenceMs,
                        [&left](std::span<std::byte> out) -> vz::Result<std::size_t> {
                          const std::size_t given = std::min(left, out.size());
                          left -= given;
                          return given;
                        });

  node.join();
  ::close(listener);
  INFO((answer ? "" : answer.error().message));
  REQUIRE(answer);
  CHECK(answer->status == 200);
}
