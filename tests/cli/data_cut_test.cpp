// Commands on a directory that could not come to their end: the time was up, or the process ran out
// of descriptors. Neither is damage.
#include "tests/cli/sample_data.h"

using namespace vz::cli::test;

namespace {

/// So slow that a second is over with the first files: how fast the machine is does not matter.
std::vector<std::string> slow_check(const Scratch& scratch) {
  return {"data",
          "check",
          scratch.file("data"),
          "--threads",
          "1",
          "--resume",
          scratch.file("state"),
          "--max-duration",
          "1s",
          "--limit-rate",
          "1000"};
}

std::vector<std::string> rest_of_check(const Scratch& scratch) {
  return {"data", "check", scratch.file("data"), "--resume", scratch.file("state")};
}

std::string some_segment(const Scratch& scratch) {
  for (const auto& entry : std::filesystem::recursive_directory_iterator(scratch.file("data")))
    if (entry.path().extension() == ".seg") return entry.path().string();
  FAIL("there is no segment");
  return {};
}

}  // namespace

TEST_CASE("data check: cut by time it is 3, says so, and the next run ends it", "[cli]") {
  const Scratch scratch;
  make_data(scratch);

  Process cut(scratch, slow_check(scratch));
  CHECK(cut.wait() == 3);
  CHECK(cut.err().find("the time was up: ") != std::string::npos);
  CHECK(cut.err().find("the same command again goes on, by " + scratch.file("state")) !=
        std::string::npos);
  REQUIRE(std::filesystem::exists(scratch.file("state")));
  Process rest(scratch, rest_of_check(scratch));

  CHECK(rest.wait() == 0);
  CHECK(rest.err().find("the time was up") == std::string::npos);
  CHECK_FALSE(std::filesystem::exists(scratch.file("state")));
}

TEST_CASE("data check: what one of the runs has found is 4 at the end", "[cli]") {
  const Scratch scratch;
  make_data(scratch);
  {
    std::fstream file(some_segment(scratch), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(100);
    file.put('\xA5');
  }

  Process cut(scratch, slow_check(scratch));
  const int first = cut.wait();
  CHECK((first == 3 || first == 4));  // By whether the file was among the first ones.
  REQUIRE(std::filesystem::exists(scratch.file("state")));
  Process rest(scratch, rest_of_check(scratch));

  CHECK(rest.wait() == 4);
  CHECK(rest.out().find(".seg") != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(scratch.file("state")));
}

// Not under ASan+UBSan: UBSan's vptr check opens a pipe to look at memory, and with no descriptor
// left takes every object for a broken one.
#ifndef __SANITIZE_ADDRESS__
TEST_CASE("data, snapshot: too few descriptors are 16, whatever the command, and never damage",
          "[cli]") {
  const Scratch scratch;
  make_data(scratch);
  const std::string data = scratch.file("data");
  const std::string archive = scratch.file("a.tar.gz");
  Process pack(scratch, {"snapshot", "pack", data, "-o", archive});
  REQUIRE(pack.wait() == 0);
  const std::vector<std::vector<std::string>> commands = {
      {"data", "info", data},
      {"data", "check", data, "--threads", "2"},
      {"data", "check", data, "--level", "4", "--threads", "1"},
      {"data", "repair", data},
      {"data", "salvage", data, "-o", "-"},
      {"data", "hash", data},
      {"data", "compact", data},
      {"data", "gc", data},
      {"data", "segment", "list", data},
      {"data", "segment", "verify", data},
      {"data", "wal", "list", data},
      {"data", "wal", "verify", data},
      {"data", "wal", "dump", data},
      {"data", "quarantine", "list", data},
      {"snapshot", "verify", archive},
      {"snapshot", "inspect", archive},
      {"snapshot", "pack", data, "-o", scratch.file("b.tar.gz"), "--replace"},
      {"snapshot", "restore", archive, "--data-dir", data, "--replace", "--yes", "--dry-run"},
      {"snapshot", "restore", archive, "--data-dir", scratch.file("new")}};
  constexpr rlim_t kEnough = 64;
  rlim_t loaded = 3;  // The standard ones; a program that is not loaded yet has no say.
  while (loaded < kEnough && Process(scratch, {"version"}, {}, loaded).wait() != 0) ++loaded;
  std::size_t commands_told = 0;
  for (const auto& command : commands) {
    CAPTURE(command);
    bool told = false;
    int status = -1;
    for (rlim_t few = loaded; few < kEnough && status != 0; ++few) {
      CAPTURE(few);
      Process process(scratch, command, {}, few);
      status = process.wait();
      INFO(process.err());
      REQUIRE((status == 0 || status == 16));
      if (status == 16) CHECK(process.err().find("ulimit -n") != std::string::npos);
      told = told || status == 16;
    }
    CHECK(status == 0);
    commands_told += told ? 1 : 0;
  }
  // What loads a program may be enough for a command that opens little.
  CHECK(commands_told > commands.size() / 2);
}
#endif
