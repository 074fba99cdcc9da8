// A node on a real disk that fills up: a small tmpfs, mounted here, which needs root.
#include <algorithm>

#include <nlohmann/json.hpp>
#include <sys/mount.h>

#include "tests/cli/process.h"
#include "tools/drive/http_client.h"

using namespace vz::cli::test;
using nlohmann::json;

namespace {

constexpr std::uint64_t kMib = 1u << 20;

/// 200 MiB in memory: 64 of them are the reserve, 16 the ballast.
class SmallDisk {
 public:
  explicit SmallDisk(const Scratch& scratch) : path_(scratch.file("disk")) {
    std::filesystem::create_directory(path_);
    INFO("mounting a tmpfs needs root");
    REQUIRE(::mount("tmpfs", path_.c_str(), "tmpfs", 0, "size=200m") == 0);
  }
  ~SmallDisk() { ::umount2(path_.c_str(), MNT_DETACH); }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  [[nodiscard]] std::string file(const std::string& name) const { return path_ + "/" + name; }
  [[nodiscard]] std::uint64_t free_bytes() const { return std::filesystem::space(path_).available; }
  /// Somebody else's file, so large that `left` bytes stay free.
  void fill(std::uint64_t left) const {
    std::ofstream filler(file("filler"), std::ios::app);
    const std::string piece(64u << 10, 'x');
    // What the node gives back meanwhile is its own.
    const std::uint64_t free = free_bytes();
    for (std::uint64_t rest = free > left ? free - left : 0; rest > 0;) {
      const auto size = std::min<std::uint64_t>(rest, piece.size());
      if (!filler.write(piece.data(), static_cast<std::streamsize>(size)).flush()) break;
      rest -= size;
    }
  }
  void empty() const { std::filesystem::remove(file("filler")); }

 private:
  const std::string path_;
};

template <typename Condition>
bool eventually(const Condition& condition) {
  for (int i = 0; i < 1'000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

/// A node on the disk, and what the test asks it.
class Node {
 public:
  Node(const Scratch& scratch, const SmallDisk& disk)
      : server_(scratch, {"serve", "--data-dir", disk.file("data"), "--listen", "127.0.0.1:0"}),
        http_("http://127.0.0.1:" + std::to_string(server_.port()), 10'000) {
    REQUIRE(eventually([&] { return status("GET", "/readyz") == 200; }));
  }
  int status(const char* method, const std::string& path, const std::string& sent = "") {
    const auto answer = http_.request(method, path, sent);
    if (!answer) return 0;
    body = answer->body;
    return answer->status;
  }
  int upsert(int id) {
    return status("PUT", "/collections/a/points?wait=true",
                  R"({"points":[{"id":)" + std::to_string(id) + R"(,"vector":[1,2]}]})");
  }
  int stop() {
    server_.signal(SIGTERM);
    return server_.wait();
  }
  [[nodiscard]] std::string out() const { return server_.out(); }
  std::string body;  ///< of the last answer

 private:
  Process server_;
  vz::drive::HttpClient http_;
};

}  // namespace

TEST_CASE("serve: a disk that fills up stops growth only, and the node recovers by itself",
          "[cli]") {
  const Scratch scratch;
  const SmallDisk disk(scratch);
  Node node(scratch, disk);
  REQUIRE(node.status("PUT", "/collections/a", R"({"vectors":{"size":2,"distance":"Dot"}})") ==
          200);
  REQUIRE(node.upsert(1) == 200);
  REQUIRE(node.upsert(2) == 200);
  REQUIRE(eventually([&] { return std::filesystem::exists(disk.file("data/BALLAST")); }));

  disk.fill(60 * kMib);
  CHECK(eventually([&] { return node.upsert(3) == 507; }));
  CHECK(node.body.find("held in reserve") != std::string::npos);
  CHECK(node.status("GET", "/health") == 503);
  CHECK(node.status("GET", "/health/master") == 200);  // Reads and deletes keep their traffic.
  CHECK(json::parse(node.body)["reason"].get<std::string>().starts_with("disk: "));
  CHECK(node.status("GET", "/readyz") == 200);
  CHECK(node.status("POST", "/collections/a/points/search", R"({"vector":[1,2],"limit":1})") ==
        200);
  CHECK(node.status("POST", "/collections/a/points/delete?wait=true", R"({"points":[1]})") == 200);

  disk.empty();
  CHECK(eventually([&] { return node.upsert(3) == 200; }));
  CHECK(node.status("GET", "/health") == 200);
  CHECK(node.stop() == 0);
}

TEST_CASE("serve: on a disk without a free byte a node stops in order and starts again", "[cli]") {
  const Scratch scratch;
  const SmallDisk disk(scratch);
  {
    Node node(scratch, disk);
    REQUIRE(node.status("PUT", "/collections/a", R"({"vectors":{"size":2,"distance":"Dot"}})") ==
            200);
    for (int id = 1; id <= 20; ++id) REQUIRE(node.upsert(id) == 200);
    REQUIRE(eventually([&] { return std::filesystem::exists(disk.file("data/BALLAST")); }));

    disk.fill(0);
    CHECK(eventually([&] { return !std::filesystem::exists(disk.file("data/BALLAST")); }));
    CHECK(eventually([&] {  // The line follows the removal.
      return node.out().find("event=ballast_released") != std::string::npos;
    }));
    CHECK(node.status("POST", "/collections/a/points/delete?wait=true", R"({"points":[20]})") ==
          200);
    CHECK(node.stop() == 0);
    CHECK(node.out().find("log_failed") == std::string::npos);
  }

  Node node(scratch, disk);
  CHECK(node.status("POST", "/collections/a/points/count", R"({"exact":true})") == 200);
  CHECK(json::parse(node.body)["result"]["count"] == 19);
  CHECK(node.stop() == 0);
}
