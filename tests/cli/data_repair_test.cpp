// `data repair` and `data quarantine` by the binary: exit statuses, and what is printed where.
#include <nlohmann/json.hpp>

#include "tests/cli/process.h"
#include "tests/support/test_node.h"

using namespace vz::cli::test;

namespace {

/// A directory with 20 points in one segment, left cleanly.
void make_data(const Scratch& scratch) {
  const auto env = vz::make_posix_env();
  vz::node::NodeOptions options = vz::test::small_node();
  options.data_dir = scratch.file("data");
  options.seal_rows = 100;
  const auto node = vz::node::Node::open(*env, options);
  REQUIRE(node);
  REQUIRE(vz::test::create(**node, "docs"));
  std::vector<vz::log::PointData> points;
  for (std::uint64_t id = 1; id <= 20; ++id)
    points.push_back(
        vz::test::point(id, {1, 2, 3, float(id)}, "{\"n\":" + std::to_string(id) + "}"));
  REQUIRE(vz::test::upsert(**node, "docs", std::move(points)));
  REQUIRE((*node)->close());
}

std::string segment_of(const Scratch& scratch) {
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(scratch.file("data/collections")))
    if (entry.path().extension() == ".seg") return entry.path().string();
  FAIL("there is no segment");
  return "";
}

/// Damages the vector of the point whose last value is 7: its row is lost.
void damage_point_7(const Scratch& scratch) {
  const std::string path = segment_of(scratch);
  std::ifstream in(path, std::ios::binary);
  std::string bytes((std::istreambuf_iterator<char>(in)), {});
  const float row[4] = {1, 2, 3, 7};
  const std::size_t at = bytes.find(std::string(reinterpret_cast<const char*>(row), sizeof row));
  REQUIRE(at != std::string::npos);
  bytes[at + 5] ^= 4;
  std::ofstream(path, std::ios::binary) << bytes;
}

nlohmann::json json_of(Process& process) {
  INFO(process.err());
  return nlohmann::json::parse(process.out());
}

}  // namespace

TEST_CASE("data repair: a sound directory is 0, planned or applied", "[cli]") {
  const Scratch scratch;
  make_data(scratch);
  for (const bool apply : {false, true}) {
    std::vector<std::string> words = {"data", "repair", scratch.file("data"), "-o", "json"};
    if (apply) words.push_back("--apply");
    Process run(scratch, words);

    REQUIRE(run.wait() == 0);
    const auto report = json_of(run);
    CHECK(report.at("schema") == "vectorizerctl.data.repair/1");
    CHECK(report.at("actions").empty());
    CHECK(report.at("applied") == false);
    CHECK(run.err().empty());
  }
}

TEST_CASE("data repair: a plan is 4, too little allowance is 15, then 0 and the check too",
          "[cli]") {
  const Scratch scratch;
  make_data(scratch);
  damage_point_7(scratch);
  const std::string data = scratch.file("data");

  Process found(scratch, {"data", "check", data, "-o", "json"});
  Process plan(scratch, {"data", "repair", data, "-o", "json"});
  REQUIRE(found.wait() == 4);
  REQUIRE(plan.wait() == 4);
  Process refused(scratch, {"data", "repair", data, "--apply"});
  REQUIRE(refused.wait() == 15);
  Process table(scratch, {"data", "repair", data});
  REQUIRE(table.wait() == 4);
  Process applied(scratch,
                  {"data", "repair", data, "--apply", "--allow-data-loss", "1", "-o", "json"});
  REQUIRE(applied.wait() == 0);
  Process after(scratch, {"data", "check", data, "--deep"});
  CHECK(after.wait() == 0);

  CHECK(json_of(found).at("mend") == "vectorizerctl data repair " + data);
  CHECK(json_of(found).at("findings").at(0).at("mend") == "vectorizerctl data repair " + data);
  const auto planned = json_of(plan);
  CHECK(planned.at("loss") == 1);
  CHECK(planned.at("exit_code") == 4);
  CHECK(planned.at("points_gone").at(0).at("id") == 7);
  CHECK(planned.at("points_gone").at(0).at("collection") == "docs");
  CHECK(plan.err().find("--apply --allow-data-loss 1") != std::string::npos);
  CHECK(refused.err().find("--allow-data-loss 1 would do") != std::string::npos);
  CHECK(table.out().find("is written anew") != std::string::npos);
  CHECK(json_of(applied).at("applied") == true);
}

TEST_CASE("data repair: a running node's directory is 11, somebody else's is 10", "[cli]") {
  const Scratch scratch;
  Process node(scratch, {"serve", "--data-dir", scratch.file("data"), "--listen", "127.0.0.1:0"});
  REQUIRE(node.port() > 0);
  std::filesystem::create_directory(scratch.file("other"));
  std::ofstream(scratch.file("other/letter.txt")) << "mine";

  Process plan(scratch, {"data", "repair", scratch.file("data")});
  Process apply(scratch, {"data", "repair", scratch.file("data"), "--apply"});
  Process other(scratch, {"data", "repair", scratch.file("other"), "--apply"});

  CHECK(plan.wait(std::chrono::seconds(5)) == 11);
  CHECK(plan.err().find("\"pid\":") != std::string::npos);
  CHECK(apply.wait(std::chrono::seconds(5)) == 11);
  CHECK(other.wait() == 10);
  node.signal(SIGTERM);
  CHECK(node.wait() == 0);
}

TEST_CASE("data quarantine: list, restore elsewhere, purge only with --yes", "[cli]") {
  const Scratch scratch;
  make_data(scratch);
  damage_point_7(scratch);
  const std::string data = scratch.file("data");
  Process repair(scratch, {"data", "repair", data, "--apply", "--allow-data-loss", "1"});
  REQUIRE(repair.wait() == 0);

  Process list(scratch, {"data", "quarantine", "list", data, "-o", "json"});
  REQUIRE(list.wait() == 0);
  const auto entries = json_of(list);
  REQUIRE(entries.at("schema") == "vectorizerctl.data.quarantine.list/1");
  REQUIRE(entries.at("entries").size() == 1);
  const std::string name = entries.at("entries").at(0).at("name");
  Process take(scratch,
               {"data", "quarantine", "restore", data, name, "--to", scratch.file("look")});
  Process absent(scratch,
                 {"data", "quarantine", "restore", data, "nothing", "--to", scratch.file("look")});
  Process asked(scratch, {"data", "quarantine", "purge", data});
  REQUIRE(take.wait() == 0);
  CHECK_FALSE(std::filesystem::is_empty(scratch.file("look")));
  CHECK(absent.wait() == 5);
  CHECK(asked.wait() == 2);
  Process purge(scratch, {"data", "quarantine", "purge", data, "--yes", "-o", "json"});
  REQUIRE(purge.wait() == 0);
  CHECK(json_of(purge).at("removed").size() == 1);
  CHECK(std::filesystem::is_empty(scratch.file("data/quarantine")));
}

TEST_CASE("data salvage: points as lines on stdout or in a new file; 3 if some do not decode",
          "[cli]") {
  const Scratch scratch;
  make_data(scratch);
  const std::string data = scratch.file("data");

  Process sound(scratch, {"data", "salvage", data, "-o", "-"});
  REQUIRE(sound.wait() == 0);
  damage_point_7(scratch);
  std::filesystem::remove(data + "/CURRENT");
  const std::string file = scratch.file("points.jsonl");
  Process damaged(scratch, {"data", "salvage", data, "-o", file});
  REQUIRE(damaged.wait() == 3);
  Process again(scratch, {"data", "salvage", data, "-o", file});

  std::istringstream lines(sound.out());
  std::size_t points = 0;
  for (std::string line; std::getline(lines, line);) {
    const auto object = nlohmann::json::parse(line);
    if (object.contains("summary")) CHECK(object.at("summary").at("points") == 20);
    if (object.contains("id")) ++points;
  }
  CHECK(points == 20);
  CHECK(damaged.out().empty());
  CHECK(damaged.err().find("1 do not decode") != std::string::npos);
  std::ifstream written(file);
  std::string last;
  for (std::string line; std::getline(written, line);) last = line;
  CHECK(nlohmann::json::parse(last).at("summary").at("complete") == false);
  CHECK(again.wait() == 6);
  CHECK_FALSE(std::filesystem::exists(data + "/CURRENT"));
}

TEST_CASE("data quarantine, gc: nothing behind a link is removed", "[cli]") {
  const Scratch scratch;
  make_data(scratch);
  const std::string victim = scratch.file("victim"), data = scratch.file("data");
  std::filesystem::create_directory(victim);
  std::ofstream(victim + "/precious") << "x";
  std::filesystem::create_directory(victim + "/restore-1");
  std::filesystem::create_directories(data + "/quarantine");
  std::filesystem::create_directory_symlink(victim, data + "/quarantine/link");
  std::filesystem::create_directory_symlink(victim, data + "/tmp");

  Process purge(scratch, {"data", "quarantine", "purge", data, "--yes"});
  CHECK(purge.wait() == 0);
  Process gc(scratch, {"data", "gc", data, "--apply"});
  CHECK(gc.wait() == 0);

  CHECK(std::filesystem::exists(victim + "/precious"));
  CHECK(std::filesystem::exists(victim + "/restore-1"));
  CHECK_FALSE(std::filesystem::is_symlink(data + "/quarantine/link"));

  std::filesystem::remove_all(data + "/quarantine");
  std::filesystem::create_directory_symlink(victim, data + "/quarantine");
  Process refused(scratch, {"data", "quarantine", "purge", data, "--yes"});
  CHECK(refused.wait() == 6);
  CHECK(std::filesystem::exists(victim + "/precious"));
}

TEST_CASE("data repair, wal: a number below zero or too large is wrong usage", "[cli]") {
  const Scratch scratch;
  make_data(scratch);
  damage_point_7(scratch);
  const std::string data = scratch.file("data");
  for (const std::string number : {"-1", "99999999999999999999"}) {
    CAPTURE(number);
    Process repair(scratch, {"data", "repair", data, "--apply", "--allow-data-loss", number});
    CHECK(repair.wait() == 2);
    Process at(scratch, {"data", "wal", "truncate", data, "--at", number, "-n"});
    CHECK(at.wait() == 2);
    Process loss(scratch,
                 {"data", "wal", "truncate", data, "--at", "9", "--allow-data-loss", number, "-n"});
    CHECK(loss.wait() == 2);
    Process dump(scratch, {"data", "wal", "dump", data, "--from", number});
    CHECK(dump.wait() == 2);
  }
  Process dry(scratch, {"data", "repair", data, "--dry-run"});
  CHECK(dry.wait() == 4);
}

TEST_CASE("a result that cannot be written is a failure", "[cli]") {
  const Scratch scratch;
  make_data(scratch);
  const std::string run = std::string(VZ_BINARY) + " data info '" + scratch.file("data") + "' ";
  CHECK(WEXITSTATUS(std::system((run + "> /dev/null").c_str())) == 0);
  CHECK(WEXITSTATUS(std::system((run + "> /dev/full 2> /dev/null").c_str())) == 1);
}
