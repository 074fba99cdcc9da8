// Blocks of one file, as a whole and in tasks.
#include "engine/check/blocks.h"

#include <catch2/catch.hpp>

#include "storage/env/fault_env.h"
#include "storage/segment/checked_file.h"
#include "storage/segment/checksum_errors.h"

using namespace vz;
using check::FindingId;

namespace {

constexpr const char* kPath = "/data/collections/2/0001-00000001.fields-1";
constexpr std::uint64_t kBlock = 64u << 10;

/// A file of `blocks` blocks and what a check needs to judge it.
struct Subject {
  explicit Subject(std::uint64_t blocks) : watched(env) {
    REQUIRE(env.make_directory("/data/collections/2"));
    auto writer = segment::CheckedFileWriter::create(env, kPath, segment::FileKind::kFields, 1);
    REQUIRE(writer);
    REQUIRE((*writer)->append(Bytes(blocks * kBlock, std::byte{7})));
    const auto info = (*writer)->finish();
    REQUIRE(info);
    file.path = kPath;
    file.kind = segment::FileKind::kFields;
    file.info = *info;
    file.collection = "docs";
    file.present = true;
  }
  std::vector<check::Finding> found(check::Pace& pace,
                                    void (*look)(const check::Run&, check::NamedFile&)) {
    check::Findings findings(paths);
    const check::Run run{watched, paths, check::Level::kContents, findings, pace};
    look(run, file);
    return findings.take();
  }

  FaultEnv env;
  check::WatchedEnv watched;
  store::Paths paths{"/data"};
  check::NamedFile file;
};

void all_tasks(const check::Run& run, check::NamedFile& file) {
  for (std::uint64_t task = 0; task < check::block_tasks(file); ++task)
    check::check_blocks(run, file, task, [](std::uint64_t) { return true; });
}

void odd_runs(const check::Run& run, check::NamedFile& file) {
  for (std::uint64_t task = 0; task < check::block_tasks(file); ++task)
    check::check_blocks(run, file, task, [](std::uint64_t at) { return at % 2 == 1; });
}

}  // namespace

TEST_CASE("blocks: bad blocks that touch are one finding, counted, by offset and length",
          "[check]") {
  Subject subject(40);
  check::Pace pace(0, {});
  for (const std::uint64_t block : {3, 4, 20})
    REQUIRE(subject.env.flip_bit(kPath, block * kBlock + 5, 1));
  const auto look =
      GENERATE(as<void (*)(const check::Run&, check::NamedFile&)>(), all_tasks, check::check_whole);
  const auto errors_before = segment::checksum_errors();

  const auto found = subject.found(pace, look);

  REQUIRE(found.size() == 2);
  CHECK(found[0].id == FindingId::kDerivedBlocks);
  CHECK(found[0].offset == 3 * kBlock);
  CHECK(found[0].length == 2 * kBlock);
  CHECK(found[0].collection == "docs");
  CHECK(found[1].offset == 20 * kBlock);
  CHECK(subject.file.damaged);
  CHECK(segment::checksum_errors() == errors_before + 3);
}

TEST_CASE("blocks: only the runs that were asked for are read", "[check]") {
  Subject subject(64);  // Four runs.
  check::Pace pace(0, {});
  REQUIRE(subject.env.flip_bit(kPath, 5, 1));            // Run 0.
  REQUIRE(subject.env.flip_bit(kPath, 17 * kBlock, 1));  // Run 1.

  const auto found = subject.found(pace, odd_runs);

  REQUIRE(found.size() == 1);
  CHECK(found[0].offset == 17 * kBlock);
}

TEST_CASE("blocks: after a stop nothing more is read, and no hash of a part is compared",
          "[check]") {
  Subject subject(64);
  REQUIRE(subject.env.flip_bit(kPath, 40 * kBlock, 1));
  std::stop_source stop;
  std::uint64_t read = 0;
  check::Pace pace(
      0,
      [&](std::uint64_t done, std::uint64_t) {
        read = done;
        stop.request_stop();
      },
      stop.get_token());

  const auto found = subject.found(pace, check::check_whole);

  CHECK(found.empty());
  CHECK(read == check::kBlocksPerRun * kBlock);
}
