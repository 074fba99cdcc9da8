// `health`, `stats` and `metrics` by the binary: what they print of a live node, and their exit
// status of one that is dead or unwell.
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
