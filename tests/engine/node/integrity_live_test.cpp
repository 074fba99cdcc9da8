// The check of a running node over a real disk: rot under its mappings, and no false alarm while it
// is written to, sealed, merged and its log is written over.
#include <atomic>
#include <fstream>
#include <random>
#include <thread>

#include <catch2/catch.hpp>

#include "storage/segment/checksum_errors.h"
#include "tests/engine/node/integrity_kit.h"
#include "tests/storage/env/temporary_directory.h"

using namespace vz;
using check::Level;

namespace {

struct Disk {
  test::TemporaryDirectory directory;
  std::unique_ptr<Env> env = make_posix_env();

  [[nodiscard]] node::NodeOptions options() const {
    auto options = test::small_node();
    options.data_dir = directory / "data";
    return options;
  }
  [[nodiscard]] std::string file_of_docs(const node::Node& node, const std::string& part) const {
    return test::file_of_docs(*env, node, directory / "data", part);
  }
};

/// In place, so that whoever has mapped the file sees it.
void flip_byte(const std::string& path, std::streamoff offset) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  REQUIRE(file);
  file.seekg(offset);
  const char byte = static_cast<char>(file.get());
  file.seekp(offset);
  file.put(static_cast<char>(byte ^ 0x10));
  REQUIRE(file.flush());
}

Result<collection::SearchOutcome> nearest(const node::Node& node, const std::string& name) {
  static const std::vector<float> query{1, 0, 0, 0};
  collection::SearchRequest request;
  request.query = query;
  request.limit = 100;
  return node.find(name)->search(request);
}

}  // namespace

TEST_CASE("integrity: rows that rot under a node go out of service, and all else goes on",
          "[node][integrity]") {
  const Disk disk;
  const auto node = test::node_with_all_kinds(*disk.env, disk.options());
  const auto more_before = test::read_all(*node->find("more"));
  REQUIRE(test::read_all(*node->find("docs")));  // Every block was right when it was touched.
  const std::string path = disk.file_of_docs(*node, ".seg");
  flip_byte(path, 0);
  const auto errors_before = segment::checksum_errors();

  const auto found = test::checked(*node, Level::kBlocks);

  INFO(test::text_of(found));
  REQUIRE(found.findings.size() == 1);
  CHECK(found.errors == 1);
  CHECK_FALSE(found.findings[0].mended);
  CHECK(found.findings[0].done.starts_with("out of service"));
  CHECK(segment::checksum_errors() > errors_before);
  const auto health = test::health_of_segments(*node);
  CHECK_FALSE(health.healthy);
  CHECK(health.ready);
  CHECK(health.detail.find("corrupt") != std::string::npos);
  CHECK(health.detail.find(path.substr(path.rfind('/') + 1)) != std::string::npos);
  const auto refused = nearest(*node, "docs");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kCorruption);
  CHECK(*test::read_all(*node->find("more")) == *more_before);
  CHECK(nearest(*node, "more"));
  const std::vector<PointId> newer{PointId::number(40)};  // In memory: nothing older is asked.
  const auto point = node->find("docs")->get(newer, {});
  REQUIRE(point);
  CHECK(point->size() == 1);
}

TEST_CASE("integrity: derived files that rot under a node are rebuilt, and it answers as before",
          "[node][integrity]") {
  const std::string kind = GENERATE(".dead-", ".index-", ".fields-");
  CAPTURE(kind);
  const Disk disk;
  const auto node = test::node_with_all_kinds(*disk.env, disk.options());
  const auto before = test::read_all(*node->find("docs"));
  const auto nearest_before = nearest(*node, "docs");
  REQUIRE(nearest_before);
  const std::string path = disk.file_of_docs(*node, kind);
  flip_byte(path, 0);

  const auto found = test::checked(*node, Level::kContents);
  const auto again = test::checked(*node, Level::kContents);

  INFO(test::text_of(found));
  REQUIRE(found.findings.size() == 1);
  CHECK(found.warnings == 1);
  CHECK(found.findings[0].mended);
  INFO(test::text_of(again));
  CHECK(again.findings.empty());
  CHECK(*test::read_all(*node->find("docs")) == *before);
  const auto nearest_after = nearest(*node, "docs");
  REQUIRE(nearest_after);
  REQUIRE(nearest_after->points.size() == nearest_before->points.size());
  for (std::size_t i = 0; i < nearest_after->points.size(); ++i)
    CHECK(nearest_after->points[i].record.id == nearest_before->points[i].record.id);
}

TEST_CASE("integrity: writes, merges and a log that is written over are no damage",
          "[node][integrity]") {
  const Disk disk;
  auto options = disk.options();
  options.quiet_ms = 1;
  options.background = node::NodeOptions::Background::kOn;
  const auto node = test::node_with_all_kinds(*disk.env, options);
  std::atomic<int> writers{2};
  const auto write = [&](std::uint64_t first, unsigned seed) {
    std::mt19937 random(seed);
    for (int batch = 0; batch < 100; ++batch) {
      const std::uint64_t id = first + random() % 200;
      if (random() % 4 == 0) {
        (void)test::erase(*node, "docs", {PointId::number(id), PointId::number(id + 1)});
      } else {
        (void)test::upsert(*node, "docs", test::some_points(id, 6));
      }
    }
    --writers;
  };
  std::jthread one([&] { write(1'000, 1); });
  std::jthread other([&] { write(2'000, 2); });

  int checks = 0;
  for (bool more = true; more; ++checks) {
    more = writers > 0;  // The last check begins after the last write.
    const auto report = test::checked(*node, checks % 2 == 0 ? Level::kContents : Level::kBlocks);
    CAPTURE(checks);
    INFO(test::text_of(report));
    REQUIRE(report.findings.empty());
  }

  one.join();
  other.join();
  const auto last = test::checked(*node, Level::kContents);
  CHECK(last.findings.empty());
  CHECK(last.checked_vectors == node->find("docs")->stats().points + test::kMore);
  CHECK(test::health_of_segments(*node).healthy);
  CHECK(node->close());
}
