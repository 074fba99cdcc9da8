// Performance troubleshooting: each line changes what it says, while the node runs.
#include <catch2/catch.hpp>

#include "tests/runbook/lines.h"
#include "tests/runbook/stage.h"

using namespace vz::runbook;

namespace {

/// Rows compared by one search.
std::uint64_t evaluations(Stage& stage, const std::string& name, unsigned seed) {
  const auto before = stage.collection(name).at("distance_evaluations").get<std::uint64_t>();
  stage.search(name, seed);
  return stage.collection(name).at("distance_evaluations").get<std::uint64_t>() - before;
}

}  // namespace

TEST_CASE("runbook: a lower ef_search compares fewer rows, and stays after a restart") {
  Stage stage;
  for (std::size_t first = kPoints; first < 20'000; first += 500)
    stage.upsert("slow_collection", first, 500, static_cast<unsigned>(first));
  static_cast<void>(stage.finished(stage.json(lines::kOptimize)));
  static_cast<void>(
      stage.ask("PATCH", "/collections/slow_collection/config", R"({"hnsw":{"ef_search":400}})"));
  const auto wide = evaluations(stage, "slow_collection", 7);

  const auto config = stage.json(lines::kEfSearch);
  const auto narrow = evaluations(stage, "slow_collection", 7);
  stage.restart();

  CHECK(config.at("hnsw").at("ef_search") == 50);
  CHECK(narrow < wide);
  CHECK(stage.ask("GET", "/collections/slow_collection/config").at("hnsw").at("ef_search") == 50);
  CHECK(evaluations(stage, "slow_collection", 7) == narrow);
}

TEST_CASE("runbook: slow queries stand in the log, from the time that was set on") {
  Stage stage;

  const auto config = stage.json(lines::kSlowThreshold);
  const auto set = stage.ask("GET", "/admin/slow-queries");
  // What takes 100 ms is up to the machine: from 0 ms on it is every query.
  static_cast<void>(
      stage.ask("POST", "/admin/config", R"({"logging":{"slow_query_threshold_ms":0}})"));
  stage.search("slow_collection", 4);
  const Ran log = stage.run(lines::kSlowLog);

  CHECK(config.at("logging").at("slow_query_threshold_ms") == 100);
  CHECK(config.at("origins").at("logging.slow_query_threshold_ms") == "runtime");
  CHECK(set.at("threshold_ms") == 100);
  CHECK(log.status == 0);
  CHECK(log.output.find("collection=slow_collection op=query ") != std::string::npos);
  const auto told = stage.ask("GET", "/admin/slow-queries").at("queries").at(0);
  CHECK(told.at("collection") == "slow_collection");
  CHECK(told.at("limit") == 10);
}

TEST_CASE("runbook: with the query cache a search asked again compares no row, until a write") {
  Stage stage;

  const auto config = stage.json(lines::kQueryCache);
  const auto first = evaluations(stage, "slow_collection", 5);
  const auto again = evaluations(stage, "slow_collection", 5);
  stage.upsert("slow_collection", 0, 1, 6);
  const auto after_write = evaluations(stage, "slow_collection", 5);

  CHECK(config.at("cache").at("query_cache").at("enabled") == true);
  CHECK(config.at("cache").at("query_cache").at("size_mb") == 512);
  CHECK(first > 0);
  CHECK(again == 0);
  CHECK(after_write > 0);
}

TEST_CASE("runbook: a rebuilt index answers as before, and no search fails meanwhile") {
  Stage stage;
  stage.restart();
  const auto before = evaluations(stage, "affected_collection", 3);

  const auto started = stage.json(lines::kRebuild);
  stage.search("affected_collection", 3);
  const auto job = stage.finished(started);

  CHECK(job.at("status") == "completed");
  CHECK(stage.collection("affected_collection").at("vectors") == kPoints);
  CHECK(evaluations(stage, "affected_collection", 3) == before);
}

TEST_CASE("runbook: optimize leaves one part without dead rows") {
  Stage stage;
  stage.restart();  // Seals.
  stage.upsert("slow_collection", 100, 300, 5);
  stage.restart();

  const auto job = stage.finished(stage.json(lines::kOptimize));
  const auto stats = stage.collection("slow_collection");

  CHECK(job.at("status") == "completed");
  CHECK(stats.at("deleted_vectors") == 0);
  CHECK(stats.at("segments") == 1);
  CHECK(stats.at("vectors") == kPoints);
  CHECK(stats.at("indexed_vectors") == kPoints);
}
