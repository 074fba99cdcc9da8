// `health`, `stats`, `metrics` and `integrity` by the binary: what they print of a live node, and
// their exit status of one that is dead or unwell.
#include <filesystem>
#include <fstream>

#include <nlohmann/json.hpp>

#include "tests/cli/live_node.h"
#include "tools/drive/metrics_api.h"

using namespace vz::cli::test;
using nlohmann::json;

TEST_CASE("health: a node that is well is 0, with its checks", "[cli]") {
  const Scratch scratch;
  Node node(scratch);

  const Ran table = node.run({"health"});
  const Ran as_json = node.run({"health", "-o", "json"});

  CHECK(table.status == 0);
  CHECK(table.out.find("healthy") != std::string::npos);
  CHECK(table.out.find("no damage met") != std::string::npos);
  CHECK(as_json.status == 0);
  const json said = json::parse(as_json.out);
  CHECK(said["schema"] == "vectorizerctl.health/1");
  CHECK(said["ready"] == true);
  CHECK(said["checks"].size() >= 4);
}

TEST_CASE("health: of a node that is dead, unwell or no node it is never 0", "[cli]") {
  const Scratch scratch;
  const Ran dead = run(scratch, {"health", "--endpoint", "http://127.0.0.1:1"});
  CHECK(dead.status == 13);
  CHECK(dead.out.empty());
  CHECK(dead.err.find("127.0.0.1:1") != std::string::npos);
  CHECK(run(scratch, {"health", "--endpoint", "nonsense"}).status == 2);

  // A reserve that no disk has: full from the start.
  Node full(scratch, {"--disk-reserve-bytes", "1000000000000000"});
  const Ran unwell = full.run({"health", "-o", "json"});
  CHECK(unwell.status == 3);
  CHECK(json::parse(unwell.out)["reason"].get<std::string>().starts_with("disk: "));
}

TEST_CASE("stats: the same numbers as the node's, and no chart off a terminal", "[cli]") {
  const Scratch scratch;
  Node node(scratch);

  const Ran as_json = node.run({"stats", "-o", "json"});
  const Ran table = node.run({"stats"});
  const Ran dead = run(scratch, {"stats", "--endpoint", "http://127.0.0.1:1"});

  REQUIRE(as_json.status == 0);
  const json said = json::parse(as_json.out);
  CHECK(said["total_vectors"] == 1);
  CHECK(said["collections"][0]["name"] == "a");
  CHECK(said["collections"][0]["searches"] == 1);
  CHECK(table.status == 0);
  CHECK(table.out.find("p99_search_ms") != std::string::npos);
  CHECK(table.out.find('#') == std::string::npos);
  CHECK(dead.status == 13);
}

TEST_CASE("stats: on a terminal numbers have small charts beside them", "[cli]") {
  const Scratch scratch;
  Node node(scratch);
  const std::string typescript = scratch.file("typescript");

  const std::string command = std::string("script -qec '") + VZ_BINARY + " stats --endpoint " +
                              node.url + "' " + typescript + " >" + scratch.file("shown");
  const int status = std::system(command.c_str());

  CHECK(status == 0);
  const std::string shown = read_text(scratch.file("shown"));
  INFO(shown);
  CHECK(shown.find("share") != std::string::npos);
  CHECK(shown.find("############") != std::string::npos);
}

TEST_CASE("metrics: show prints the page, get one metric of it", "[cli]") {
  const Scratch scratch;
  Node node(scratch);

  const Ran page = node.run({"metrics", "show"});
  const Ran whole = node.run({"metrics", "get", "vectorizer_vectors_total", "-o", "json"});
  const Ran with_labels = node.run({"metrics", "get", "search_requests_total", "-o", "json"});
  const Ran wrong = node.run({"metrics", "get", "vectors_totl"});
  const Ran dead = run(scratch, {"metrics", "show", "--endpoint", "http://127.0.0.1:1"});

  CHECK(page.status == 0);
  CHECK(page.out.find("# TYPE vectorizer_search_latency_seconds histogram") != std::string::npos);
  CHECK(whole.status == 0);
  CHECK(json::parse(whole.out)["samples"][0]["value"] == 1);
  REQUIRE(with_labels.status == 0);
  const json samples = json::parse(with_labels.out)["samples"];
  REQUIRE(samples.size() == 2);
  CHECK(samples[0]["labels"] == R"(collection="a",status="ok")");
  CHECK(samples[0]["value"] == 1);
  CHECK(wrong.status == 5);
  CHECK(wrong.err.find("did you mean 'vectors_total'?") != std::string::npos);
  CHECK(dead.status == 13);
}

TEST_CASE("metrics: labels may hold braces, quotes and spaces", "[cli]") {
  const auto samples = vz::drive::samples_of(
      "# HELP a text\na 1\nb{l=\"x} \\\" y\",m=\"z\"} 2.5 1700000000\nbroken{l=\"x 3\nc NaN");

  REQUIRE(samples.size() == 3);
  CHECK(samples[0].name == "a");
  CHECK(samples[0].value == "1");
  CHECK(samples[1].labels == "l=\"x} \\\" y\",m=\"z\"");
  CHECK(samples[1].value == "2.5");
  CHECK(samples[2].value == "NaN");
}

TEST_CASE("integrity: check waits for the verdict, status repeats it", "[cli]") {
  const Scratch scratch;
  Node node(scratch);

  const Ran never = node.run({"integrity", "status", "-o", "json"});
  const Ran table = node.run({"integrity", "check"});
  const Ran deep = node.run({"integrity", "check", "--deep", "--collection", "a", "--limit-rate",
                             "500MB/s", "-o", "json"});
  const Ran status = node.run({"integrity", "status", "-o", "json"});
  const Ran none = node.run({"integrity", "check", "--collection", "b"});
  const Ran slow = node.run({"integrity", "check", "--limit-rate", "10KB/s"});
  const Ran dead = run(scratch, {"integrity", "status", "--endpoint", "http://127.0.0.1:1"});

  CHECK(never.status == 0);
  CHECK(json::parse(never.out)["status"] == "never_run");
  CHECK(table.status == 0);
  CHECK(table.out.find("checked_vectors") != std::string::npos);
  CHECK(deep.status == 0);
  const json checked = json::parse(deep.out);
  CHECK(checked["schema"] == "vectorizerctl.integrity.check/1");
  CHECK(checked["object"] == "a");
  CHECK(checked["checked_vectors"] == 1);
  const json said = json::parse(status.out);
  CHECK(said["schema"] == "vectorizerctl.integrity.status/1");
  CHECK(said["status"] == "completed");
  CHECK(said["job_id"] == checked["job_id"]);
  CHECK(none.status == 5);
  CHECK(slow.status == 2);
  CHECK(slow.err.find("at least 1MB") != std::string::npos);
  CHECK(dead.status == 13);
}

namespace {

/// Points whose records take more than `megabytes` of the log.
void write_megabytes(Node& node, int megabytes) {
  const std::string text(1 << 20, 'x');
  for (int id = 1; id <= megabytes; ++id) {
    const std::string body = R"({"points":[{"id":)" + std::to_string(id) +
                             R"(,"vector":[1,2],"payload":{"text":")" + text + "\"}}]}";
    REQUIRE(node.ask("PUT", "/collections/a/points?wait=true", body).status == 200);
  }
}

}  // namespace

TEST_CASE("integrity: a check that is killed with its node is told as interrupted", "[cli]") {
  const Scratch scratch;
  std::string id;
  {
    Node node(scratch);
    write_megabytes(node, 20);  // So many seconds at this rate: more than the commands below take.
    const Ran begun =
        node.run({"integrity", "check", "--detach", "--limit-rate", "1MB/s", "-o", "json"});
    REQUIRE(begun.status == 0);
    id = json::parse(begun.out)["job_id"];
    CHECK(json::parse(node.run({"integrity", "status", "-o", "json"}).out)["status"] == "running");
    node.kill();
  }

  Node node(scratch);

  const Ran status = node.run({"integrity", "status", "-o", "json"});
  CHECK(status.status == 3);
  CHECK(json::parse(status.out)["status"] == "interrupted");
  CHECK(json::parse(status.out)["job_id"] == id);
  CHECK(node.run({"integrity", "check"}).status == 0);
}

TEST_CASE("integrity: damage is 4, whether it could be mended or not", "[cli]") {
  const Scratch scratch;
  Node node(scratch);
  // What is in memory has no file yet.
  vz::drive::HttpClient http(node.url, 30'000);
  REQUIRE(http.request("POST", "/collections/a/optimize?wait=true", "")->status == 200);
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(scratch.file("data/collections"))) {
    if (entry.path().extension() != ".seg") continue;
    std::fstream file(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
    file.put('!');
  }

  const Ran found = node.run({"integrity", "check", "-o", "json"});
  const Ran status = node.run({"integrity", "status"});
  const Ran health = node.run({"health"});

  CHECK(found.status == 4);
  const json said = json::parse(found.out);
  CHECK(said["errors"] == 1);
  CHECK(said["findings"][0]["mended"] == false);
  CHECK(status.status == 4);
  CHECK(status.out.find("VZ-1201") != std::string::npos);
  CHECK(health.status == 3);
  CHECK(health.out.find("corrupt") != std::string::npos);
}
