// Quick reference, and the numbers that the other chapters read.
#include <fstream>

#include <catch2/catch.hpp>

#include "tests/runbook/lines.h"
#include "tests/runbook/stage.h"

using namespace vz::runbook;

TEST_CASE("runbook: health, stats, collections") {
  Stage stage;

  const auto health = stage.json(lines::kHealth);
  CHECK(health.at("status") == "healthy");
  CHECK(stage.json(lines::kHealthOfPod).at("ready") == true);
  const auto stats = stage.json(lines::kStats);
  CHECK(stats.at("total_vectors") == 4 * kPoints);
  CHECK(stats.at("total_collections") == 4);
  const auto collections = stage.json(lines::kCollections);
  CHECK(collections.at("total_collections") == 4);
  CHECK(collections.at("collections").at(0).at("name") == "affected_collection");
  CHECK(collections.at("collections").at(0).at("vector_count") == kPoints);
  CHECK(stage.run(lines::kVectorsOfPods).output ==
        "pod/vectorizer-0: " + std::to_string(4 * kPoints) + "\n");
}

TEST_CASE("runbook: search times, as metrics and by collection") {
  Stage stage;
  for (unsigned seed = 0; seed < 20; ++seed) stage.search("slow_collection", seed);

  const Ran latency = stage.run(lines::kSearchLatency);
  CHECK(latency.status == 0);
  CHECK(latency.output.find(
            "vectorizer_search_latency_seconds_count{collection=\"slow_collection\"} 20\n") !=
        std::string::npos);
  CHECK(stage.run(lines::kMetrics).output.find("vectorizer_vectors_total") != std::string::npos);
  const Ran times = stage.run(lines::kSearchTimes);
  CHECK(times.status == 0);
  CHECK(times.output.find("\"name\": \"slow_collection\"") != std::string::npos);
  CHECK(stage.collection("slow_collection").at("avg_search_ms") > 0);
  CHECK(stage.collection("important_collection").at("avg_search_ms") == 0);
}

TEST_CASE("runbook: saved stats differ by what changed, and by nothing else") {
  Stage stage;
  REQUIRE(stage.run(lines::kSaveStats).status == 0);
  std::ifstream saved(stage.file("tmp/current_stats.json"));
  std::ofstream(stage.file("tmp/baseline_stats.json")) << saved.rdbuf();

  REQUIRE(stage.run(lines::kSaveStats).status == 0);
  CHECK(stage.run(lines::kCompareStats).status == 0);
  stage.upsert("important_collection", kPoints, 1, 99);
  REQUIRE(stage.run(lines::kSaveStats).status == 0);
  const Ran changed = stage.run(lines::kCompareStats);

  CHECK(changed.status == 1);
  CHECK(changed.output.find("\"vectors\": 501") != std::string::npos);
}
