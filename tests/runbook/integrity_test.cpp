// Integrity check: the whole node, one collection, the verdict, and what the log says of damage.
#include <filesystem>
#include <fstream>

#include <catch2/catch.hpp>

#include "tests/runbook/lines.h"
#include "tests/runbook/stage.h"

using namespace vz::runbook;

namespace {

/// Rot in the first byte of every file with this in its name; how many there are.
int rot(Stage& stage, const std::string& extension) {
  int files = 0;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(stage.file("data/collections"))) {
    if (entry.path().filename().string().find(extension) == std::string::npos) continue;
    std::fstream file(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
    const char byte = static_cast<char>(file.get());
    file.seekp(0);
    file.put(static_cast<char>(byte ^ 1));
    REQUIRE(file.flush());
    ++files;
  }
  return files;
}

}  // namespace

TEST_CASE("runbook: a check of a sound node completes without an error") {
  Stage stage;
  stage.restart();  // Seals.
  const auto before = stage.json(lines::kCheckStatus);

  const auto job = stage.finished(stage.json(lines::kCheck));
  const auto status = stage.json(lines::kCheckStatus);
  const auto one = stage.finished(stage.json(lines::kCheckOne));

  CHECK(before.at("status") == "never_run");
  CHECK(job.at("status") == "completed");
  CHECK(status.at("status") == "completed");
  CHECK(status.at("checked_vectors") == 4 * kPoints);
  CHECK(status.at("errors") == 0);
  CHECK(status.at("warnings") == 0);
  CHECK(status.at("duration_seconds").is_number());
  CHECK(one.at("object") == "important_collection");
  CHECK(one.at("result").at("checked_vectors") == kPoints);
}

TEST_CASE("runbook: damaged indexes are found, logged, rebuilt, and the next check is clean") {
  Stage stage;
  stage.restart();
  const int rotten = rot(stage, ".index-");
  REQUIRE(rotten >= 4);

  static_cast<void>(stage.finished(stage.json(lines::kCheck)));
  const auto found = stage.json(lines::kCheckStatus);
  const Ran logged = stage.run(lines::kCheckLogs);
  static_cast<void>(stage.finished(stage.json(lines::kCheck)));
  const auto again = stage.json(lines::kCheckStatus);

  CHECK(found.at("warnings") >= 4);
  CHECK(found.at("errors") == 0);
  for (const auto& finding : found.at("findings")) CHECK(finding.at("mended") == true);
  CHECK(logged.status == 0);
  CHECK(logged.output.find("integrity_finding") != std::string::npos);
  CHECK(logged.output.find("corrupt=") != std::string::npos);
  CHECK(again.at("warnings") == 0);
  CHECK(stage.json(lines::kHealth).at("status") == "healthy");
}
