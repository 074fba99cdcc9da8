// Data restoration: a snapshot of the running node, and both ways back.
#include <chrono>
#include <filesystem>
#include <thread>

#include <catch2/catch.hpp>

#include "tests/runbook/lines.h"
#include "tests/runbook/stage.h"

using namespace vz::runbook;

namespace {

/// Puts a fresh snapshot and its manifest where the document expects them.
void take_snapshot(Stage& stage) {
  const auto made = stage.json(lines::kSnapshot).at("result");
  const std::string made_file = stage.file("data/snapshots/" + made.at("name").get<std::string>());
  REQUIRE(std::filesystem::file_size(made_file) == made.at("size"));
  std::filesystem::copy_file(made_file, stage.file("tmp/snapshot-2024-01-15.tar.gz"));
  std::filesystem::copy_file(made_file + ".manifest.json", stage.file("tmp/backup-manifest.json"));
  const Ran listed = stage.run(lines::kListArchive);
  CHECK(listed.output.starts_with("RESTORE\n"));
  const Ran hashed = stage.run(lines::kHashArchive);
  CHECK(hashed.output.starts_with(made.at("checksum").get<std::string>()));
}

/// The counts of the restored node are those of the manifest.
void compare_with_manifest(Stage& stage) {
  const auto manifest = stage.json(lines::kManifest);
  for (const auto& entry : manifest.at("collections")) {
    CAPTURE(entry.dump());
    CHECK(stage.collection(entry.at("name")).at("vectors") == entry.at("vectors"));
  }
  CHECK(stage.json(lines::kCollections).at("total_collections") ==
        manifest.at("collections").size());
}

void lose_data(Stage& stage) {
  static_cast<void>(stage.ask("DELETE", "/collections/important_collection"));
  stage.upsert("slow_collection", kPoints, 50, 12);
}

}  // namespace

TEST_CASE("runbook: restore through the API") {
  Stage stage;
  take_snapshot(stage);
  lose_data(stage);

  const auto recovered = stage.json(lines::kRecover);

  CHECK(recovered.at("result") == true);
  compare_with_manifest(stage);
  CHECK(stage.ask("GET", "/stats").at("total_vectors") == 4 * kPoints);
}

TEST_CASE("runbook: restore with plain tar, under the running node") {
  Stage stage;
  take_snapshot(stage);
  lose_data(stage);

  REQUIRE(stage.run(lines::kRemoveData).status == 0);
  REQUIRE(stage.run(lines::kCopyArchive).status == 0);
  REQUIRE(stage.run(lines::kUnpack).status == 0);
  for (int i = 0; i < 3'000; ++i) {
    if (stage.ask("GET", "/stats").at("total_vectors") == 4 * kPoints) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }

  compare_with_manifest(stage);
}
