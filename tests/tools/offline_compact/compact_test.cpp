// Compaction without a node: what it gains, that it loses nothing, and that nothing stops it
// midway.
#include "tools/offline/compact.h"

#include <algorithm>

#include "engine/collection/part_writer.h"
#include "storage/segment/segment_layout.h"
#include "tests/tools/offline_compact/compact_kit.h"
#include "tools/offline/compact_group.h"
#include "tools/offline/hash.h"
#include "tools/offline/segments.h"

using namespace vz;
using namespace vz::test;
using check::Level;
using offline::CompactOptions;

namespace {

constexpr CompactOptions::Run kApply = CompactOptions::Run::kApply;

/// Digest and points of every collection, as of the segments.
std::vector<offline::RowTotals> totals(Env& env) {
  const auto report = offline::hash(env, kDataDir, {});
  REQUIRE(report);
  CHECK(report->sound());
  std::vector<offline::RowTotals> out;
  for (const auto& one : report->collections) out.push_back(one.found);
  return out;
}

void check_sound(Env& env) {
  const auto report = checked(env, Level::kContents);
  INFO(text_of(report.findings));
  CHECK_FALSE(report.damaged());
}

/// Payload bytes of a collection as they lie in its files.
segment::PayloadSizes payloads(Env& env, const std::string& name) {
  segment::PayloadSizes sum;
  const auto entry = entry_of(image_of(env), name);
  for (const auto& part : entry.segments) {
    const auto one = offline::show_segment(env, kDataDir,
                                           {.segment = offline::SegmentName{part.epoch, part.seq}});
    REQUIRE(one);
    sum.blocks += one->payload_blocks;
    sum.raw_bytes += one->payload_raw_bytes;
    sum.stored_bytes += one->payload_stored_bytes;
  }
  return sum;
}

/// A collection of one segment whose payloads compress well.
void make_wordy(FaultEnv& env) {
  const auto node = node::Node::open(env, small_node());
  REQUIRE(node);
  REQUIRE(create(**node, "docs"));
  std::vector<log::PointData> points;
  for (std::uint64_t id = 1; id <= 300; ++id) {
    std::string text;
    for (std::uint64_t word = 0; word < 60; ++word)
      text += "word" + std::to_string(id * 7919 % (word + 90)) + " ";
    points.push_back(
        point(id, {static_cast<float>(id), 0.5f, -1.0f, 2.0f}, "{\"text\":\"" + text + "\"}"));
  }
  REQUIRE(upsert(**node, "docs", std::move(points)));
  REQUIRE((*node)->close());
}

}  // namespace

TEST_CASE("compact: the plan says what is gained and writes nothing", "[offline]") {
  FaultEnv env;
  make_scattered(env, Ending::kClosed);
  const manifest::Manifest image = image_of(env);
  const auto calls = env.calls();

  const auto plan = offline::compact(env, kDataDir, {});

  REQUIRE(plan);
  REQUIRE(plan->collections.size() == 2);
  const auto& docs = plan->collections[0];
  CHECK(docs.name == "docs");
  CHECK(docs.segments == entry_of(image, "docs").segments.size());
  CHECK(docs.segments > 2);
  CHECK(docs.segments_after == 1);
  CHECK(docs.dead_rows > 0);
  CHECK(docs.totals.points == entry_of(image, "docs").points);
  CHECK(docs.rows == docs.totals.points + docs.dead_rows);
  CHECK(docs.bytes_after < docs.bytes);
  CHECK(docs.space_needed > 0);
  CHECK(docs.memory_needed > 0);
  CHECK(docs.reason.find("segments to merge") != std::string::npos);
  CHECK(docs.reason.find("dead rows") != std::string::npos);
  CHECK_FALSE(docs.compacted);
  CHECK(env.calls() == calls);
  CHECK(offline::compact(env, kDataDir, {.collection = "nothing"}).error().code ==
        ErrorCode::kNotFound);
}

TEST_CASE("compact: fewer segments, no dead rows, the same digest, points and searches",
          "[offline]") {
  for (const Ending ending : {Ending::kClosed, Ending::kKilled}) {
    CAPTURE(static_cast<int>(ending));
    FaultEnv env;
    make_scattered(env, ending);
    const Everything before = read_copy(env);
    const auto found_before = found_by(*env.crash_image(0), "docs", {7.0f, 0.0f, 1.0f, 0.0f});
    const auto totals_before = totals(env);
    const manifest::Manifest old = image_of(env);

    const auto report = compacted(env);

    for (const auto& one : report.collections) CHECK(one.compacted);
    const manifest::Manifest now = image_of(env);
    for (const auto& entry : now.collections) {
      CAPTURE(entry.name);
      REQUIRE(entry.segments.size() == 1);
      CHECK(entry.segments[0].dead_rows == 0);
      CHECK_FALSE(entry.segments[0].dead.has_value());
      CHECK(entry.segments[0].rows == entry.points);
      CHECK(entry.segments[0].index.has_value());
      CHECK(entry.segments[0].fields.has_value());
      CHECK(entry.flushed_lsn == entry_of(old, entry.name).flushed_lsn);
    }
    CHECK(now.log_lsn == old.log_lsn);
    CHECK(now.clean_lsn == old.clean_lsn);
    CHECK(totals(env) == totals_before);
    check_sound(env);
    CHECK(read_copy(env) == before);
    CHECK(found_by(env, "docs", {7.0f, 0.0f, 1.0f, 0.0f}) == found_before);
    CHECK(read_everything(env) == before);
  }
}

TEST_CASE("compact: the old files are gone, and no tombstone is left in a lone segment",
          "[offline]") {
  FaultEnv env;
  make_scattered(env, Ending::kClosed);
  const auto old_files = store::files_of({kDataDir}, image_of(env));

  const auto report = compacted(env);

  for (const std::string& path : old_files) {
    CAPTURE(path);
    CHECK_FALSE(env.exists(path));
  }
  const auto part = entry_of(image_of(env), "docs").segments[0];
  const auto shown =
      offline::show_segment(env, kDataDir, {.segment = offline::SegmentName{part.epoch, part.seq}});
  REQUIRE(shown);
  CHECK(shown->tombstones == 0);
  CHECK(shown->replaces.size() == report.collections[0].segments);
  CHECK(report.collections[0].bytes_after == offline::bytes_of(part));
}

TEST_CASE("compact: a rerun has nothing to gain and changes nothing", "[offline]") {
  FaultEnv env;
  make_scattered(env, Ending::kKilled);
  compacted(env);
  const manifest::Manifest image = image_of(env);

  const auto again = compacted(env);

  for (const auto& one : again.collections) {
    CHECK(one.reason.empty());
    CHECK_FALSE(one.compacted);
  }
  CHECK(image_of(env) == image);
}

TEST_CASE("compact: one collection alone", "[offline]") {
  FaultEnv env;
  make_scattered(env, Ending::kClosed);
  const auto more = entry_of(image_of(env), "more");

  const auto report = compacted(env, {.collection = "docs"});

  CHECK(report.collections.size() == 1);
  CHECK(entry_of(image_of(env), "docs").segments.size() == 1);
  CHECK(entry_of(image_of(env), "more") == more);
}

TEST_CASE("compact: no new segment has more rows than was asked for, and nothing is lost",
          "[offline]") {
  FaultEnv env;
  make_scattered(env, Ending::kClosed);
  const Everything before = read_copy(env);
  const auto totals_before = totals(env);

  const auto report = compacted(env, {.segment_rows_max = 8});

  CHECK(report.collections[0].segments_after > 1);
  const auto entry = entry_of(image_of(env), "docs");
  for (const auto& part : entry.segments) CHECK(part.rows <= 8);
  CHECK(totals(env) == totals_before);
  check_sound(env);
  const manifest::Manifest image = image_of(env);
  CHECK(compacted(env, {.segment_rows_max = 8}).collections[0].reason.empty());
  CHECK(image_of(env) == image);
  CHECK(read_everything(env) == before);
}

TEST_CASE("compact: payloads get the compression that was asked for, once", "[offline]") {
  FaultEnv env;
  make_wordy(env);
  const Everything before = read_copy(env);
  const auto at_one = payloads(env, "docs");

  compacted(env, {.zstd_level = 0});
  const auto stored = payloads(env, "docs");
  CHECK(stored.raw_bytes == at_one.raw_bytes);
  CHECK(stored.stored_bytes > stored.raw_bytes);
  CHECK_FALSE(compacted(env, {.zstd_level = 0}).collections[0].compacted);

  compacted(env, {.zstd_level = 19});
  const auto packed = payloads(env, "docs");
  CHECK(packed.raw_bytes == at_one.raw_bytes);
  CHECK(packed.stored_bytes < at_one.stored_bytes);
  CHECK_FALSE(compacted(env, {.zstd_level = 19}).collections[0].compacted);
  CHECK_FALSE(compacted(env).collections[0].compacted);
  check_sound(env);
  CHECK(read_everything(env).points == before.points);
}

TEST_CASE("compact: compression is none or a level, and nothing else", "[offline]") {
  CHECK(offline::parse_compression("none") == 0);
  CHECK(offline::parse_compression("zstd:1") == 1);
  CHECK(offline::parse_compression("zstd:22") == 22);
  for (const std::string bad :
       {"", "zstd", "zstd:", "zstd:0", "zstd:23", "zstd:-1", "zstd:1x", "lz4"}) {
    CAPTURE(bad);
    CHECK(offline::parse_compression(bad).error().code == ErrorCode::kInvalidArgument);
  }
}

TEST_CASE("compact: a collection of which nothing lives becomes empty", "[offline]") {
  FaultEnv env;
  {
    const auto node = node::Node::open(env, small_node());
    REQUIRE(node);
    REQUIRE(create(**node, "docs"));
    REQUIRE(upsert(**node, "docs", some_points(1, 4)));
    REQUIRE((*node)->seal());
    REQUIRE(
        erase(**node, "docs",
              {PointId::number(1), PointId::number(2), PointId::number(3), PointId::number(4)}));
    REQUIRE((*node)->close());
  }

  const auto report = compacted(env);

  CHECK(report.collections[0].compacted);
  CHECK(entry_of(image_of(env), "docs").segments.empty());
  check_sound(env);
  CHECK(read_everything(env).points.at("docs").empty());
}

TEST_CASE("compact: a lost dead file is made up for", "[offline]") {
  FaultEnv env;
  make_scattered(env, Ending::kClosed);
  const Everything before = read_copy(env);
  REQUIRE(env.remove(named_file(env, ".dead-")));

  compacted(env);

  check_sound(env);
  CHECK(read_everything(env) == before);
}

TEST_CASE("compact: without room nothing is written, and both numbers are named", "[offline]") {
  FaultEnv env;
  make_scattered(env, Ending::kClosed);
  env.set_disk_space({.free_bytes = 4'321, .total_bytes = 1u << 20});
  const manifest::Manifest image = image_of(env);
  const auto plan = offline::compact(env, kDataDir, {});
  REQUIRE(plan);
  CHECK(plan->free_bytes == 4'321);

  const auto refused = offline::compact(env, kDataDir, {.run = kApply});

  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kNoSpace);
  CHECK(refused.error().message.find("4321") != std::string::npos);
  CHECK(refused.error().message.find(std::to_string(plan->collections[0].space_needed)) !=
        std::string::npos);
  CHECK(image_of(env) == image);
  env.set_disk_space({.free_bytes = 1u << 30, .total_bytes = 1u << 30});
  CHECK(compacted(env).collections[0].compacted);
}

TEST_CASE("compact: rows that are not what the manifest says are not compacted", "[offline]") {
  FaultEnv env;
  make_scattered(env, Ending::kClosed);
  replace_segment_file(env, "docs", [](RowCopies& rows) { rows.vectors[0][0] += 0.5f; });
  const manifest::Manifest image = image_of(env);

  const auto refused = offline::compact(env, kDataDir, {.run = kApply});

  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kCorruption);
  CHECK(refused.error().message.find("'docs'") != std::string::npos);
  CHECK(image_of(env) == image);
}

TEST_CASE("compact: segments with other vectors than the definition are refused, not read",
          "[offline]") {
  FaultEnv env;
  make_scattered(env, Ending::kClosed);
  manifest::Manifest image = image_of(env);
  ++image.number;
  image.collections[0].definition_json = collection::to_json(dense_definition(8));
  REQUIRE(manifest::publish(env, kDataDir, image));

  const auto refused = offline::compact(env, kDataDir, {.run = kApply});

  CHECK(refused.error().code == ErrorCode::kCorruption);
  CHECK(image_of(env) == image);
}

TEST_CASE("compact: a merge that loses or changes a point is never put in force", "[offline]") {
  enum class Bug { kNone, kRowLost, kPayloadChanged, kRowTwice };
  for (const Bug bug : {Bug::kRowLost, Bug::kPayloadChanged, Bug::kRowTwice, Bug::kNone}) {
    CAPTURE(static_cast<int>(bug));
    FaultEnv env;
    make_wordy(env);
    const manifest::Manifest old = image_of(env);
    const auto entry = entry_of(old, "docs");
    auto store = store::Store::open(env, kDataDir);
    REQUIRE(store);
    auto editor = offline::ImageEditor::make(**store);
    REQUIRE(editor);
    const auto parts = offline::open_parts(env, {kDataDir}, entry);
    REQUIRE(parts);

    // Given new segments that a merge with this bug would write; every checksum and hash is right.
    std::vector<manifest::SegmentEntry> written;
    for (std::size_t i = 0; i < parts->segments.size(); ++i) {
      RowCopies rows = rows_of(parts->segments[i]->segment());
      if (bug == Bug::kRowLost && i == 0) {
        rows.ids.pop_back();
        rows.versions.pop_back();
        rows.hashes.pop_back();
      }
      if (bug == Bug::kPayloadChanged && i == 0) rows.payloads[0] = "{\"text\":\"else\"}";
      auto one = collection::write_part(
          env, {kDataDir}, *offline::unserved(entry, parts->definition),
          {.rows = rows, .tombstones = {}, .replaces = {}}, editor->allocate(), {});
      REQUIRE(one);
      written.push_back(std::move(*one));
    }
    if (bug == Bug::kRowTwice) written.push_back(written.back());
    check::Pace pace(0, {});
    const offline::RowTotals before{.points = entry.points, .digest = entry.digest};

    const Status replaced = offline::replace_segments(*editor, entry, {0, entry.segments.size()},
                                                      written, before, pace);

    CHECK(replaced.has_value() == (bug == Bug::kNone));
    if (bug == Bug::kNone) continue;
    CHECK(replaced.error().code == ErrorCode::kInternal);
    CHECK(image_of(env) == old);
  }
}

TEST_CASE("compact: a directory that a node holds, and one that is not ours", "[offline]") {
  FaultEnv env;
  make_scattered(env, Ending::kClosed);
  const auto node = node::Node::open(env, small_node());
  REQUIRE(node);
  CHECK(offline::compact(env, kDataDir, {.run = kApply}).error().code == ErrorCode::kLocked);
  CHECK(offline::compact(env, kDataDir, {}).error().code == ErrorCode::kLocked);
  CHECK(offline::compact(env, "/absent", {.run = kApply}).error().code == ErrorCode::kNoData);
  CHECK_FALSE(env.exists("/absent"));
}
