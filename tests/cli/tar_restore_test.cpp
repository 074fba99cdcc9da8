// The runbook's restore: `tar -xzf` into a data directory, under a stopped node and under a running
// one; and the way back.
#include <functional>

#include <nlohmann/json.hpp>

#include "tests/cli/http_get.h"
#include "tests/cli/process.h"
#include "tests/support/test_node.h"

using namespace vz::cli::test;
using nlohmann::json;

namespace {

/// Puts points with ids from `first` on into "docs" of a directory, by the engine itself.
void add_points(const std::string& directory, std::uint64_t first, std::uint64_t count) {
  const auto env = vz::make_posix_env();
  auto options = vz::test::small_node();
  options.data_dir = directory;
  const auto node = vz::node::Node::open(*env, options);
  REQUIRE(node);
  if ((*node)->find("docs") == nullptr) REQUIRE(vz::test::create(**node, "docs"));
  std::vector<vz::log::PointData> points;
  for (std::uint64_t id = first; id < first + count; ++id)
    points.push_back(vz::test::point(id, {1, 2, 3, static_cast<float>(id)}, "{}"));
  REQUIRE(vz::test::upsert(**node, "docs", points));
  REQUIRE((*node)->settle());
  REQUIRE((*node)->close());
}

struct Run {
  int status = 0;
  std::string out, err;
};

Run run(const Scratch& scratch, std::vector<std::string> words) {
  Process process(scratch, words);
  Run done;
  done.status = process.wait();
  done.out = process.out();
  done.err = process.err();
  return done;
}

/// A directory with 30 points, and in a.tar.gz its state when it had 10.
struct Sample {
  Scratch scratch;
  std::string data = scratch.file("data");

  Sample() {
    add_points(data, 1, 10);
    REQUIRE(run(scratch, {"snapshot", "pack", data, "-o", scratch.file("a.tar.gz")}).status == 0);
    add_points(data, 1, 10);  // So that no segment of the archive is needed any more.
    add_points(data, 11, 20);
  }
  [[nodiscard]] int shell(const std::string& command) const {
    return std::system(("cd " + scratch.file("") + " && " + command).c_str());
  }
  [[nodiscard]] std::vector<std::string> serve() const {
    return {"serve", "--data-dir", data, "--listen", "127.0.0.1:0"};
  }
};

/// What a running node says, once `holds` is true of it; null if that takes too long.
json wait_for(int port, const std::string& path, const std::function<bool(const json&)>& holds) {
  for (int i = 0; i < 3000; ++i) {
    const json answer = json::parse(get_body(port, path), nullptr, false);
    if (answer.is_object() && holds(answer)) return answer;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return {};
}

bool has_points(const json& stats, int points) {
  return stats.contains("total_vectors") && stats["total_vectors"] == points;
}

}  // namespace

TEST_CASE("tar restore: unpacked under a stopped node, the next start serves the snapshot",
          "[cli][tar]") {
  Sample sample;
  REQUIRE(sample.shell("tar -xzf a.tar.gz -C data/") == 0);
  Process node(sample.scratch, sample.serve());
  REQUIRE(node.port() > 0);

  const json stats =
      wait_for(node.port(), "/stats", [](const json& s) { return has_points(s, 10); });

  REQUIRE(stats.is_object());
  CHECK_FALSE(stats.contains("restore_pending"));
  CHECK(node.out().find("event=restored") != std::string::npos);
  CHECK(sample.shell("test -d data/previous-*Z/wal && test ! -e data/RESTORE") == 0);
  node.signal(SIGTERM);
  CHECK(node.wait() == 0);
  CHECK(run(sample.scratch, {"data", "check", "--deep", sample.data}).status == 0);
}

TEST_CASE("tar restore: into an empty directory", "[cli][tar]") {
  Sample sample;
  REQUIRE(sample.shell("rm -rf data/* && tar -xzf a.tar.gz -C data/") == 0);
  Process node(sample.scratch, sample.serve());
  REQUIRE(node.port() > 0);

  CHECK(
      wait_for(node.port(), "/stats", [](const json& s) { return has_points(s, 10); }).is_object());
}

TEST_CASE("tar restore: unpacked under a running node, it serves the snapshot without a restart",
          "[cli][tar]") {
  Sample sample;
  Process node(sample.scratch, sample.serve());
  const int port = node.port();
  REQUIRE(port > 0);
  const json before = wait_for(port, "/stats", [](const json& s) { return has_points(s, 30); });
  REQUIRE(before.is_object());

  // First only a part of it.
  REQUIRE(sample.shell("tar -xzf a.tar.gz -C data/ RESTORE") == 0);
  const json pending = wait_for(port, "/health", [](const json& h) {
    return h.value("restore_pending", json()).is_object();
  });
  REQUIRE(pending.is_object());
  CHECK(pending["status"] == "healthy");
  CHECK(pending["restore_pending"]["files"] > pending["restore_pending"]["files_present"]);
  CHECK(has_points(json::parse(get_body(port, "/stats")), 30));
  REQUIRE(sample.shell("tar -xzf a.tar.gz -C data/") == 0);
  const json after = wait_for(port, "/stats", [](const json& s) { return has_points(s, 10); });

  REQUIRE(after.is_object());
  CHECK(after["lsn"] >= before["lsn"]);
  CHECK(after["epoch"] > before["epoch"]);
  CHECK(wait_for(port, "/stats", [](const json& s) {
          return !s.contains("restore_pending");
        }).is_object());
  node.signal(SIGTERM);
  CHECK(node.wait() == 0);
  CHECK(run(sample.scratch, {"data", "check", "--deep", sample.data}).status == 0);
}

TEST_CASE("tar restore: one that is not complete is 4, and restore-abort goes back", "[cli][tar]") {
  Sample sample;
  REQUIRE(sample.shell("tar -xzf a.tar.gz -C data/ && rm $(tar -tzf a.tar.gz | tail -1 | "
                       "sed 's|^|data/|')") == 0);

  const Run refused = run(sample.scratch, sample.serve());
  const Run dry = run(sample.scratch, {"data", "restore-abort", sample.data, "-n"});
  const Run abort = run(sample.scratch, {"data", "restore-abort", sample.data, "-o", "json"});
  const Run again = run(sample.scratch, {"data", "restore-abort", sample.data, "-o", "json"});

  CHECK(refused.status == 4);
  CHECK(refused.err.find("is missing") != std::string::npos);
  CHECK(dry.status == 0);
  INFO(abort.err);
  REQUIRE(abort.status == 0);
  CHECK(json::parse(abort.out)["schema"] == "vectorizerctl.data.restore_abort/1");
  CHECK(json::parse(abort.out)["aborted"] == true);
  CHECK(json::parse(again.out)["pending"] == false);
  CHECK(again.status == 0);
  Process node(sample.scratch, sample.serve());
  REQUIRE(node.port() > 0);
  CHECK(
      wait_for(node.port(), "/stats", [](const json& s) { return has_points(s, 30); }).is_object());

  const Run locked = run(sample.scratch, {"data", "restore-abort", sample.data});

  CHECK(locked.status == 11);
  CHECK(locked.err.find("RESTORE") != std::string::npos);
}

TEST_CASE("restore-abort: each trouble has its exit status", "[cli][tar]") {
  Sample sample;
  REQUIRE(sample.shell("mkdir home fresh && echo dear > home/letter.txt && "
                       "tar -xzf a.tar.gz -C fresh/") == 0);
  const auto status = [&](const std::string& name) {
    return run(sample.scratch, {"data", "restore-abort", sample.scratch.file(name)}).status;
  };

  CHECK(status("absent") == 10);
  CHECK(status("home") == 10);
  CHECK(status("fresh") == 10);
  CHECK(run(sample.scratch, {"data", "restore-abort"}).status == 2);
  REQUIRE(sample.shell("tar -xzf a.tar.gz -C data/ && "
                       "for f in data/collections/*/*.seg; do echo x >> $f; done") == 0);
  CHECK(status("data") == 4);
}
