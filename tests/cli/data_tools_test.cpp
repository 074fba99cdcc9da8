// `data hash|gc|compact|segment|wal` by the binary: exit statuses, and JSON with its schema.
#include <nlohmann/json.hpp>

#include "tests/cli/sample_data.h"

using namespace vz;
using namespace vz::cli::test;
using nlohmann::json;

namespace {

struct Outcome {
  int status = -1;
  std::string out;
  std::string err;
  [[nodiscard]] json parsed() const { return json::parse(out); }
};

Outcome run(const Scratch& scratch, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "data");
  Process process(scratch, std::move(arguments));
  Outcome outcome;
  outcome.status = process.wait();
  outcome.out = process.out();
  outcome.err = process.err();
  return outcome;
}

const std::vector<std::vector<std::string>>& commands() {
  static const std::vector<std::vector<std::string>> kCommands = {{"hash"},
                                                                  {"gc"},
                                                                  {"compact"},
                                                                  {"segment", "list"},
                                                                  {"segment", "verify"},
                                                                  {"wal", "list"},
                                                                  {"wal", "stats"},
                                                                  {"wal", "verify"}};
  return kCommands;
}

std::vector<std::string> with(std::vector<std::string> command,
                              const std::vector<std::string>& more) {
  command.insert(command.end(), more.begin(), more.end());
  return command;
}

}  // namespace

TEST_CASE("data tools: a sound directory is 0, as a table and as JSON with the command's schema",
          "[cli]") {
  const Scratch scratch;
  make_data(scratch);
  const std::string directory = scratch.file("data");
  for (const auto& command : commands()) {
    std::string name = command[0];
    if (command.size() > 1) name += "." + command[1];
    CAPTURE(name);

    const Outcome table = run(scratch, with(command, {directory}));
    const Outcome parsed = run(scratch, with(command, {directory, "-o", "json"}));

    CHECK(table.status == 0);
    CHECK(table.err.empty());
    CHECK(table.out.find(directory) != std::string::npos);
    CHECK(parsed.status == 0);
    CHECK(parsed.parsed().at("schema") == "vectorizerctl.data." + name + "/1");
    CHECK(parsed.parsed().at("directory") == directory);
  }
}

TEST_CASE("data tools: what is no data directory is 10, and a node's is 11", "[cli]") {
  const Scratch scratch;
  std::filesystem::create_directory(scratch.file("empty"));
  make_data(scratch);
  Process node(scratch, {"serve", "--data-dir", scratch.file("data"), "--listen", "127.0.0.1:0"});
  REQUIRE(node.port() > 0);
  auto all = commands();
  all.push_back({"compact", "--apply"});
  all.push_back({"gc", "--apply"});
  all.push_back({"segment", "rebuild-index", "--all", "--apply"});
  all.push_back({"wal", "truncate", "--at", "5", "--yes"});
  all.push_back({"wal", "dump"});
  for (const auto& command : all) {
    CAPTURE(command);
    for (const std::string name : {"absent", "empty"}) {
      const Outcome outcome = run(scratch, with(command, {scratch.file(name)}));
      CHECK(outcome.status == 10);
      CHECK(outcome.out.empty());
      CHECK(outcome.err.starts_with("vectorizerctl data " + command[0]));
    }
    CHECK(run(scratch, with(command, {scratch.file("data")})).status == 11);
  }
  CHECK_FALSE(std::filesystem::exists(scratch.file("absent")));
  CHECK(std::filesystem::is_empty(scratch.file("empty")));
}

TEST_CASE("data compact: plans, does it once, and keeps the digest", "[cli]") {
  const Scratch scratch;
  make_data(scratch);
  const std::string directory = scratch.file("data");
  const json before = run(scratch, {"hash", directory, "-o", "json"}).parsed();

  const json plan = run(scratch, {"compact", directory, "-o", "json"}).parsed();
  const json segments = run(scratch, {"segment", "list", directory, "-o", "json"}).parsed();
  const json done = run(scratch, {"compact", directory, "--apply", "-o", "json"}).parsed();
  const json again = run(scratch, {"compact", directory, "--apply", "-o", "json"}).parsed();

  CHECK(plan.at("compacted") == 0);
  CHECK(plan.at("collections").at(0).at("reason").is_string());
  CHECK(segments.at("count") > 1);
  CHECK(done.at("compacted") == 1);
  CHECK(done.at("collections").at(0).at("segments_after") == 1);
  CHECK(again.at("compacted") == 0);
  CHECK(again.at("collections").at(0).at("reason").is_null());
  const json after = run(scratch, {"hash", directory, "-o", "json"}).parsed();
  CHECK(after.at("collections") == before.at("collections"));
  CHECK(after.at("collections").at(0).at("points") == 20);
  CHECK(run(scratch, {"check", directory, "--deep"}).status == 0);
  CHECK(run(scratch, {"compact", directory, "--compression", "zip"}).status == 2);
  CHECK(run(scratch, {"compact", directory, "--collection", "nothing"}).status == 5);
  CHECK(run(scratch, {"compact", directory, "--apply", "--dry-run"}).status == 2);
}

TEST_CASE("data segment: show, verify and rebuild-index by name", "[cli]") {
  const Scratch scratch;
  make_data(scratch);
  const std::string directory = scratch.file("data");
  const json list = run(scratch, {"segment", "list", directory, "-o", "json"}).parsed();
  const std::string name = list.at("segments").at(0).at("segment");

  const json shown = run(scratch, {"segment", "show", directory, name, "-o", "json"}).parsed();
  const json rebuilt =
      run(scratch, {"segment", "rebuild-index", directory, name, "--apply", "-o", "json"}).parsed();

  CHECK(shown.at("schema") == "vectorizerctl.data.segment.show/1");
  CHECK(shown.at("segment") == name);
  CHECK(shown.at("columns").at(0).at("dimension") == 4);
  CHECK(rebuilt.at("segments").at(0).at("rebuilt") == true);
  CHECK(run(scratch, {"segment", "verify", directory, name}).status == 0);
  CHECK(run(scratch, {"segment", "show", directory, "0009-00000009"}).status == 5);
  CHECK(run(scratch, {"segment", "show", directory, "nine"}).status == 2);
  CHECK(run(scratch, {"segment", "rebuild-index", directory}).status == 2);

  const std::string path = directory + "/" + std::string(shown.at("files").at(0).at("file"));
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(200);
  file.put('!');
  file.close();
  const Outcome damaged = run(scratch, {"segment", "verify", directory, name, "-o", "json"});
  CHECK(damaged.status == 4);
  CHECK(damaged.parsed().at("exit_code") == 4);
  CHECK_FALSE(damaged.parsed().at("findings").empty());
  CHECK(run(scratch, {"hash", directory}).status == 4);
}

TEST_CASE("data wal: dump is a line a record and a summary", "[cli]") {
  const Scratch scratch;
  make_data(scratch, true);

  const std::string directory = scratch.file("data");
  const auto dumped = [&](const std::vector<std::string>& range) {
    const Outcome dump = run(scratch, with({"wal", "dump", directory}, range));
    CHECK(dump.status == 0);
    CHECK(dump.err.empty());
    std::vector<json> lines;
    std::istringstream stream(dump.out);
    for (std::string line; std::getline(stream, line);) lines.push_back(json::parse(line));
    REQUIRE_FALSE(lines.empty());
    CHECK(lines.back().at("schema") == "vectorizerctl.data.wal.dump/1");
    CHECK(lines.back().at("records") == lines.size() - 1);
    return lines;
  };

  const std::vector<json> all = dumped({});
  REQUIRE(all.size() > 3);
  const std::uint64_t last = all.back().at("last_lsn");
  const std::vector<json> some =
      dumped({"--from", std::to_string(last - 1), "--to", std::to_string(last - 1)});

  CHECK(all[all.size() - 2].at("operations").at(0).at("ids") == json::array({102}));
  REQUIRE(some.size() == 2);
  CHECK(some[0] == all[all.size() - 3]);
}

TEST_CASE("data wal truncate: asks, refuses to lose more than allowed, and does it", "[cli]") {
  const Scratch scratch;
  make_data(scratch, true);
  const std::string directory = scratch.file("data");
  const json log = run(scratch, {"wal", "stats", directory, "-o", "json"}).parsed();
  REQUIRE(log.at("unflushed_records") == 3);
  const json plan =
      run(scratch, {"wal", "truncate", directory, "--at", "4", "-n", "-o", "json"}).parsed();
  const std::string at = std::to_string(plan.at("last_lsn").get<std::uint64_t>() - 2);
  const std::vector<std::string> command = {"wal", "truncate", directory, "--at", at};

  CHECK(run(scratch, command).status == 2);
  const Outcome unsafe = run(scratch, with(command, {"--yes", "--allow-data-loss", "1"}));
  CHECK(unsafe.status == 15);
  CHECK(unsafe.err.find("2 records") != std::string::npos);
  const Outcome done =
      run(scratch, with(command, {"--yes", "--allow-data-loss", "2", "-o", "json"}));
  CHECK(done.status == 0);
  CHECK(done.parsed().at("truncated") == true);
  CHECK(done.parsed().at("records_lost") == 2);
  CHECK(run(scratch, with(command, {"--yes"})).status == 0);
  CHECK(run(scratch, {"wal", "truncate", directory, "--at", "1", "--yes"}).status == 6);
  CHECK(run(scratch, {"check", directory, "--deep"}).status == 0);
}

TEST_CASE("data gc: lists a stranger's file, removes a leftover", "[cli]") {
  const Scratch scratch;
  make_data(scratch);
  const std::string directory = scratch.file("data");
  std::ofstream(directory + "/CURRENT.tmp") << "half";
  std::ofstream(directory + "/notes.txt") << "mine";

  const json plan = run(scratch, {"gc", directory, "-o", "json"}).parsed();
  CHECK(std::filesystem::exists(directory + "/CURRENT.tmp"));
  const json done = run(scratch, {"gc", directory, "--apply", "-o", "json"}).parsed();

  CHECK(plan.at("items").at(0).at("path") == "CURRENT.tmp");
  CHECK(plan.at("removed_bytes") == 0);
  CHECK(done.at("items").at(0).at("removed") == true);
  CHECK(done.at("kept").at(0).at("path") == "notes.txt");
  CHECK_FALSE(std::filesystem::exists(directory + "/CURRENT.tmp"));
  CHECK(std::filesystem::exists(directory + "/notes.txt"));
}
