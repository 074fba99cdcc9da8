// Capacity management: less on the disk, and nothing lost.
#include <catch2/catch.hpp>

#include "tests/runbook/lines.h"
#include "tests/runbook/stage.h"

using namespace vz::runbook;

TEST_CASE("runbook: the largest and the oldest collections") {
  Stage stage;
  stage.upsert("important_collection", kPoints, 2'000, 9);
  stage.restart();

  const auto largest = stage.json(lines::kLargest);
  const auto oldest = stage.json(lines::kOldest);

  REQUIRE(largest.size() == 4);
  CHECK(largest.at(0).at("name") == "important_collection");
  CHECK(largest.at(0).at("size_bytes") > largest.at(1).at("size_bytes"));
  REQUIRE(oldest.size() == 4);
  CHECK(oldest.at(0).at("name") == kCollections[0]);
  CHECK(oldest.at(3).at("name") == kCollections[3]);
}

TEST_CASE("runbook: compression is set, and compact writes what is there anew") {
  Stage stage;
  stage.restart();
  stage.upsert("important_collection", 0, kPoints, 10);  // The older rows are garbage now.
  stage.restart();
  const auto before = stage.ask("GET", "/stats");

  const auto config = stage.json(lines::kCompression);
  const auto job = stage.finished(stage.json(lines::kCompact));
  const auto after = stage.ask("GET", "/stats");

  CHECK(config.dump().find("zstd") != std::string::npos);
  CHECK(job.at("status") == "completed");
  CHECK(after.at("total_vectors") == before.at("total_vectors"));
  CHECK(stage.collection("important_collection").at("deleted_vectors") == 0);
}

TEST_CASE("runbook: a deleted collection is gone, and gc removes its files") {
  Stage stage;
  stage.restart();
  const auto before = stage.ask("GET", "/stats").at("size_bytes").get<std::uint64_t>();

  const auto deleted = stage.json(lines::kDelete);
  const auto collected = stage.finished(stage.json(lines::kGarbage));

  CHECK(deleted.at("result") == true);
  CHECK(stage.ask("GET", "/collections").at("total_collections") == 3);
  CHECK(stage.ask("GET", "/stats").at("size_bytes") < before);
  CHECK(collected.at("status") == "completed");
}
