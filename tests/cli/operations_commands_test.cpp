// Commands that work on a live node: jobs and what starts them, settings, slow queries, the cache.
#include <nlohmann/json.hpp>

#include "tests/cli/live_node.h"

using namespace vz::cli::test;
using nlohmann::json;

namespace {

json parsed(const Ran& ran) {
  INFO(ran.out << ran.err);
  REQUIRE(ran.status == 0);
  return json::parse(ran.out);
}

void search(Node& node) {
  REQUIRE(
      node.ask("POST", "/collections/a/points/search", R"({"vector":[1,2],"limit":1})").status ==
      200);
}

}  // namespace

TEST_CASE("optimize, rebuild, compact and gc: with --wait their result, without a terminal an id",
          "[cli][jobs]") {
  const Scratch scratch;
  Node node(scratch);
  const std::vector<std::pair<std::vector<std::string>, std::string>> commands = {
      {{"collection", "optimize", "a"}, "optimize"},
      {{"collection", "index", "rebuild", "a"}, "index-rebuild"},
      {{"compact", "run"}, "compact"},
      {{"gc", "run"}, "gc"}};
  for (auto [words, kind] : commands) {
    CAPTURE(kind);
    words.insert(words.end(), {"-o", "json"});
    const Ran detached = node.run(words);
    words.push_back("--wait");
    const json waited = parsed(node.run(words));

    const std::string id = parsed(detached)["job_id"];
    CHECK(id == kind + "-" + id.substr(kind.size() + 1));
    // It may have ended by then.
    CHECK(detached.err == (parsed(detached)["status"] == "running"
                               ? "vectorizerctl job wait " + id + "\n"
                               : std::string()));
    CHECK(waited["schema"] == "vectorizerctl.job/1");
    CHECK(waited["kind"] == kind);
    CHECK(waited["status"] == "completed");
    CHECK(waited["percent"] == 100);
  }
  const json optimized = parsed(node.run({"collection", "optimize", "a", "--wait", "-o", "json"}));
  CHECK(optimized["object"] == "a");
  CHECK(optimized["before_vectors"] == 1);
  CHECK(optimized["after_vectors"] == 1);
  const json compacted = parsed(node.run({"compact", "run", "--wait", "-o", "json"}));
  CHECK(compacted["object"].is_null());
  CHECK(compacted["collections"][0]["collection"] == "a");
  CHECK(compacted["collections"][0]["after_vectors"] == 1);
  const Ran table = node.run({"collection", "optimize", "a", "--wait"});
  CHECK(table.out.find("before_vectors") < table.out.find("after_vectors"));
  CHECK(table.err.empty());
}

TEST_CASE("gc: on a terminal it waits without being asked", "[cli][jobs]") {
  const Scratch scratch;
  Node node(scratch);
  const std::string command = std::string("script -qec '") + VZ_BINARY + " gc run --endpoint " +
                              node.url + "' " + scratch.file("typescript") + " >" +
                              scratch.file("shown");

  const int status = std::system(command.c_str());

  const std::string shown = read_text(scratch.file("shown"));
  INFO(shown);
  CHECK(status == 0);
  CHECK(shown.find("completed") != std::string::npos);
  CHECK(shown.find("files_removed") != std::string::npos);
}

TEST_CASE("optimize: a collection that is not there is 5 and names those that are", "[cli][jobs]") {
  const Scratch scratch;
  Node node(scratch);

  const Ran wrong = node.run({"collection", "optimize", "b"});
  const Ran dead = run(scratch, {"gc", "run", "--endpoint", "http://127.0.0.1:1"});

  CHECK(wrong.status == 5);
  CHECK(wrong.out.empty());
  CHECK(wrong.err.find("it has 'a'") != std::string::npos);
  CHECK(dead.status == 13);
  CHECK(node.run({"collection", "optimize", ""}).status == 2);
  CHECK(node.run({"collection", "optimize"}).status == 2);
  CHECK(node.run({"gc", "run", "--wait", "--detach"}).status == 2);
  CHECK(node.run({"gc", "run", "--wait", "--timeout", "5"}).status == 2);
}

TEST_CASE("job: listed, shown and awaited; one that is not there is 5", "[cli][jobs]") {
  const Scratch scratch;
  Node node(scratch);
  const std::string id = parsed(node.run({"gc", "run", "-o", "json"}))["job_id"];

  const Ran waited = node.run({"job", "wait", id, "--timeout", "1m", "-o", "json"});
  const json shown = parsed(node.run({"job", "show", id, "-o", "json"}));
  const json listed = parsed(node.run({"job", "list", "-o", "json"}));
  const Ran table = node.run({"job", "list"});
  const json cancelled = parsed(node.run({"job", "cancel", id, "-o", "json"}));

  CHECK(parsed(waited)["status"] == "completed");
  CHECK(parsed(waited) == shown);
  CHECK(shown["files_removed"].is_number());
  CHECK(listed["schema"] == "vectorizerctl.job.list/1");
  CHECK(listed["count"] == 1);
  CHECK(listed["jobs"][0]["job_id"] == id);
  CHECK(listed["jobs"][0]["files_removed"].is_number());
  CHECK(table.status == 0);
  CHECK(table.out.find("completed") != std::string::npos);
  for (std::size_t at = 0; at < table.out.size();) {
    const std::size_t end = table.out.find('\n', at);
    CHECK(end - at <= 80);
    at = end + 1;
  }
  CHECK(cancelled["status"] == "completed");  // There was nothing left to cancel.
  for (const std::string verb : {"show", "wait", "cancel"}) {
    CAPTURE(verb);
    const Ran none = node.run({"job", verb, "gc-99"});
    CHECK(none.status == 5);
    CHECK(none.out.empty());
    CHECK(none.err.find("gc-99") != std::string::npos);
  }
  CHECK(node.run({"job", "show", "../../stats"}).status == 5);
  CHECK(run(scratch, {"job", "list", "--endpoint", "http://127.0.0.1:1"}).status == 13);
}

TEST_CASE("config: shown with origins, one got, and changed live", "[cli][config]") {
  const Scratch scratch;
  Node node(scratch);

  const json set = parsed(node.run(
      {"config", "set", "storage.compression=none", "cache.query_cache.size_mb=7", "-o", "json"}));
  const json got = parsed(node.run({"config", "get", "storage.compression", "-o", "json"}));
  const json shown = parsed(node.run({"config", "show", "--origin", "-o", "json"}));
  const Ran plain = node.run({"config", "show"});
  const json back = parsed(node.run({"config", "set", "storage=null", "-o", "json"}));

  REQUIRE(set["settings"].size() == 2);
  CHECK(set["settings"][0] ==
        json{{"key", "cache.query_cache.size_mb"}, {"value", 7}, {"origin", "runtime"}});
  CHECK(got["value"] == "none");
  CHECK(got["origin"] == "runtime");
  CHECK(shown["settings"].size() >= 7);
  CHECK(shown["settings"][0]["origin"] == "default");
  CHECK(plain.status == 0);
  CHECK(plain.out.find("storage.compression") != std::string::npos);
  CHECK(plain.out.find("runtime") == std::string::npos);
  REQUIRE(back["settings"].size() == 2);
  CHECK(back["settings"][0]["value"] == "zstd");
}

TEST_CASE("config: what is wrong changes nothing and is named", "[cli][config]") {
  const Scratch scratch;
  Node node(scratch);
  const std::string before = node.run({"config", "show", "--origin"}).out;

  const Ran unknown = node.run({"config", "set", "logging.level=debug", "data_dir=/x"});
  const Ran bad = node.run({"config", "set", "storage.compression_level=99"});
  const Ran twice = node.run({"config", "set", "storage=null", "storage.compression=none"});
  const Ran near = node.run({"config", "get", "logging.levle"});

  CHECK(unknown.status == 2);
  CHECK(unknown.err.find("'data_dir'") != std::string::npos);
  CHECK(bad.status == 2);
  CHECK(bad.err.find("from 1 to 19") != std::string::npos);
  CHECK(twice.status == 2);
  CHECK(node.run({"config", "set", "logging.level"}).status == 2);
  CHECK(node.run({"config", "set", "=debug"}).status == 2);
  CHECK(near.status == 5);
  CHECK(near.err.find("did you mean 'logging.level'?") != std::string::npos);
  CHECK(node.run({"config", "show", "--origin"}).out == before);
}

TEST_CASE("slowlog: enabled, a search is told and logged; disabled, it is not", "[cli][slow]") {
  const Scratch scratch;
  Node node(scratch);

  const json enabled = parsed(node.run({"slowlog", "enable", "--threshold-ms", "0", "-o", "json"}));
  search(node);
  search(node);
  const json tail = parsed(node.run({"slowlog", "tail", "--limit", "1", "-o", "json"}));
  const json report = parsed(node.run({"slowlog", "report", "-o", "json"}));
  const json disabled = parsed(node.run({"slowlog", "disable", "-o", "json"}));
  search(node);
  const json status = parsed(node.run({"slowlog", "status", "-o", "json"}));

  CHECK(enabled["enabled"] == true);
  CHECK(enabled["threshold_ms"] == 0);
  REQUIRE(tail["queries"].size() == 1);
  CHECK(tail["queries"][0]["collection"] == "a");
  CHECK(tail["queries"][0]["op"] == "search");
  CHECK(tail["queries"][0]["rows"] == 1);
  // On a machine that stands still a search before may have been slow as well.
  const int before = enabled["total"];
  CHECK(report["queries"] == before + 2);
  CHECK(report["groups"][0]["count"] == before + 2);
  CHECK(report["groups"][0]["p50_ms"] <= report["groups"][0]["max_ms"]);
  CHECK(disabled["enabled"] == false);
  CHECK(status["total"] == before + 2);
  CHECK(status["kept"] == before + 2);
  const std::string log = node.log();
  const std::string line = log.substr(std::min(log.find("event=slow_query"), log.size()));
  CHECK(line.find("collection=a op=search duration_ms=") != std::string::npos);
  CHECK(line.find("limit=1") != std::string::npos);
  CHECK(line.find("filter=no") != std::string::npos);
  CHECK(line.find("rows=1 request_id=") != std::string::npos);
  CHECK(node.run({"slowlog", "tail", "--limit", "0"}).status == 2);
  CHECK(node.run({"slowlog", "enable", "--threshold-ms", "-1"}).status == 2);
}

TEST_CASE("cache: enabled, a search asked again is a hit; disabled, nothing is left",
          "[cli][cache]") {
  const Scratch scratch;
  Node node(scratch);
  CHECK(parsed(node.run({"cache", "status", "-o", "json"}))["enabled"] == false);

  const json enabled = parsed(node.run({"cache", "enable", "--size-mb", "8", "-o", "json"}));
  search(node);
  search(node);
  const json status = parsed(node.run({"cache", "status", "-o", "json"}));
  const json disabled = parsed(node.run({"cache", "disable", "-o", "json"}));

  CHECK(enabled["enabled"] == true);
  CHECK(enabled["size_mb"] == 8);
  CHECK(enabled["hit_share"].is_null());
  CHECK(status["hits"] == 1);
  CHECK(status["misses"] == 1);
  CHECK(status["hit_share"] == 0.5);
  CHECK(status["entries"] == 1);
  CHECK(status["bytes"] > 0);
  CHECK(disabled["enabled"] == false);
  CHECK(disabled["size_mb"] == 8);
  CHECK(disabled["entries"] == 0);
  CHECK(disabled["bytes"] == 0);
  CHECK(node.run({"cache", "enable", "--size-mb", "0"}).status == 2);
}
