// `data check` and `data info` by the binary: exit statuses, and what is printed where.
#include <nlohmann/json.hpp>

#include "tests/cli/process.h"

using namespace vz::cli::test;

namespace {

/// A directory that a node has used and left cleanly.
void make_data(const Scratch& scratch) {
  Process node(scratch, {"serve", "--data-dir", scratch.file("data"), "--listen", "127.0.0.1:0"});
  REQUIRE(node.port() > 0);
  node.signal(SIGTERM);
  REQUIRE(node.wait() == 0);
}

void flip_bit(const std::string& path, std::streamoff offset) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(offset);
  const int byte = file.get();
  file.seekp(offset);
  file.put(static_cast<char>(byte ^ 1));
}

}  // namespace

TEST_CASE("data check: a sound directory is 0, with a summary", "[cli]") {
  const Scratch scratch;
  make_data(scratch);
  for (const std::string level : {"0", "1", "2", "3", "4"}) {
    CAPTURE(level);
    Process check(scratch, {"data", "check", scratch.file("data"), "--level", level});

    CHECK(check.wait() == 0);
    CHECK(check.err().empty());
    CHECK(check.out().find("errors") != std::string::npos);
    CHECK(check.out().find("VZ-") == std::string::npos);
  }
}

TEST_CASE("data check: off a terminal no line is cut, and no file name rings its bell", "[cli]") {
  const Scratch scratch;
  make_data(scratch);
  std::ofstream(scratch.file("data/" + std::string(120, 'x'))) << "stray";
  std::ofstream(scratch.file("data/bell\a\x1b[2J")) << "stray";

  Process table(scratch, {"data", "check", scratch.file("data")});

  CHECK(table.wait() == 0);
  CHECK(table.out().find(std::string(120, 'x')) != std::string::npos);
  CHECK(table.out().find("bell\\u0007\\u001b[2J") != std::string::npos);
  CHECK(table.out().find('\x1b') == std::string::npos);
}

TEST_CASE("data check: damage is 4, as lines and as json", "[cli]") {
  const Scratch scratch;
  make_data(scratch);
  flip_bit(scratch.file("data/CURRENT"), 4);

  Process table(scratch, {"data", "check", scratch.file("data")});
  Process json(scratch, {"data", "check", scratch.file("data"), "--deep", "-o", "json"});

  CHECK(table.wait() == 4);
  CHECK(table.out().find("VZ-1004 error lossy CURRENT: ") != std::string::npos);
  REQUIRE(json.wait() == 4);
  const auto report = nlohmann::json::parse(json.out());
  CHECK(report.at("schema") == "vectorizerctl.data.check/1");
  CHECK(report.at("exit_code") == 4);
  CHECK(report.at("level") == 3);
  CHECK(report.at("errors") == 1);
  const auto& finding = report.at("findings").at(0);
  CHECK(finding.at("id") == "VZ-1004");
  CHECK(finding.at("class") == "lossy");
  CHECK(finding.at("file") == "CURRENT");
}

TEST_CASE("data check, data info: what is no data directory is 10 and stays as it is", "[cli]") {
  const Scratch scratch;
  std::filesystem::create_directory(scratch.file("empty"));
  std::filesystem::create_directory(scratch.file("other"));
  std::ofstream(scratch.file("other/letter.txt")) << "mine";
  for (const std::string command : {"check", "info", "restore-abort", "hash", "repair"}) {
    for (const std::string name : {"absent", "empty", "other", "other/letter.txt"}) {
      CAPTURE(command, name);
      Process run(scratch, {"data", command, scratch.file(name)});

      CHECK(run.wait() == 10);
      CHECK(run.out().empty());
      CHECK(run.err().starts_with("vectorizerctl data " + command + ": "));
    }
  }
  CHECK_FALSE(std::filesystem::exists(scratch.file("absent")));
  CHECK(std::filesystem::is_empty(scratch.file("empty")));
}

TEST_CASE("data check: a running node's directory is 11 and names it; data info works", "[cli]") {
  const Scratch scratch;
  Process node(scratch, {"serve", "--data-dir", scratch.file("data"), "--listen", "127.0.0.1:0"});
  REQUIRE(node.port() > 0);

  Process check(scratch, {"data", "check", scratch.file("data")});
  Process info(scratch, {"data", "info", scratch.file("data"), "-o", "json"});

  CHECK(check.wait(std::chrono::seconds(5)) == 11);
  CHECK(check.err().find("\"pid\":") != std::string::npos);
  REQUIRE(info.wait() == 0);
  const auto facts = nlohmann::json::parse(info.out());
  CHECK(facts.at("schema") == "vectorizerctl.data.info/1");
  CHECK(facts.at("format") == 1);
  CHECK(facts.at("lock_holder").get<std::string>().find("serve") != std::string::npos);
  CHECK(facts.at("disk_bytes") > 0);
  node.signal(SIGTERM);
  CHECK(node.wait() == 0);
  Process after(scratch, {"data", "info", scratch.file("data"), "-o", "json"});
  REQUIRE(after.wait() == 0);
  CHECK(nlohmann::json::parse(after.out()).at("lock_holder").is_null());
}

TEST_CASE("data check: junit and prom say what was found", "[cli]") {
  const Scratch scratch;
  make_data(scratch);
  flip_bit(scratch.file("data/CURRENT"), 4);

  Process junit(scratch, {"data", "check", scratch.file("data"), "-o", "junit"});
  Process prom(scratch, {"data", "check", scratch.file("data"), "-o", "prom"});

  CHECK(junit.wait() == 4);
  CHECK(junit.out().starts_with("<?xml "));
  CHECK(junit.out().find("failures=\"1\"") != std::string::npos);
  CHECK(junit.out().find("<failure type=\"VZ-1004\"") != std::string::npos);
  CHECK(prom.wait() == 4);
  const std::string label = "{directory=\"" + scratch.file("data") + "\"";
  CHECK(prom.out().find("vectorizerctl_check_sound" + label + "} 0\n") != std::string::npos);
  CHECK(prom.out().find("vectorizerctl_check_findings" + label + ",severity=\"error\"} 1\n") !=
        std::string::npos);
}

TEST_CASE("data check: the state of a resumed check stays out of the directory and ends with it",
          "[cli]") {
  const Scratch scratch;
  make_data(scratch);
  const std::string state = scratch.file("state.json");
  std::ofstream(scratch.file("other.json")) << "{}";

  Process whole(scratch, {"data", "check", scratch.file("data"), "--resume", state});
  Process inside(scratch,
                 {"data", "check", scratch.file("data"), "--resume", scratch.file("data/state")});
  Process other(scratch,
                {"data", "check", scratch.file("data"), "--resume", scratch.file("other.json")});

  CHECK(whole.wait() == 0);
  CHECK_FALSE(std::filesystem::exists(state));
  CHECK(inside.wait() == 2);
  CHECK(inside.err().find("outside") != std::string::npos);
  CHECK(other.wait() == 2);
  CHECK(read_text(scratch.file("other.json")) == "{}");
}

TEST_CASE("data check: an unknown collection is 5", "[cli]") {
  const Scratch scratch;
  make_data(scratch);

  Process check(scratch, {"data", "check", scratch.file("data"), "--collection", "nothing"});

  CHECK(check.wait() == 5);
  CHECK(check.err().find("'nothing'") != std::string::npos);
}

TEST_CASE("data check: bad options are 2 and say which", "[cli]") {
  const Scratch scratch;
  for (const auto& bad : std::vector<std::vector<std::string>>{{"--level", "5"},
                                                               {"--level", "1", "--deep"},
                                                               {"--threads", "0"},
                                                               {"--limit-rate", "fast"},
                                                               {"--limit-rate", "-1M"},
                                                               {"--limit-rate", "5 parsecs/s"},
                                                               {"--collection", ""},
                                                               {"--sample", "8/7"},
                                                               {"--max-duration", "soon"},
                                                               {"-o", "yaml"}}) {
    CAPTURE(bad);
    std::vector<std::string> arguments = {"data", "check", scratch.file("data")};
    arguments.insert(arguments.end(), bad.begin(), bad.end());
    Process run(scratch, arguments);

    CHECK(run.wait() == 2);
    CHECK(run.err().find(bad.front()) != std::string::npos);
    CHECK(run.out().empty());
  }
}
