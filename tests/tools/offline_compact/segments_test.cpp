// Segments one by one: what is listed, shown, verified and built anew.
#include "tools/offline/segments.h"

#include "engine/index/index_file.h"
#include "tests/tools/offline_compact/compact_kit.h"
#include "tools/offline/index_rebuild.h"
#include "tools/offline/verify.h"

using namespace vz;
using namespace vz::test;
using check::FindingId;
using check::Level;
using offline::RebuildOptions;

namespace {

offline::SegmentName name_of(const manifest::SegmentEntry& entry) {
  return {entry.epoch, entry.seq};
}

Result<std::vector<offline::RebuiltSegment>> rebuild(Env& env,
                                                     offline::SegmentSelection selection) {
  return offline::rebuild_index(
      env, kDataDir, {.run = RebuildOptions::Run::kApply, .selection = std::move(selection)});
}

}  // namespace

TEST_CASE("segment: names are read as files have them, and nothing else is one", "[offline]") {
  const auto name = offline::parse_segment_name("0002-00000017");
  REQUIRE(name);
  CHECK(*name == offline::SegmentName{2, 17});
  CHECK(offline::text_of(*name) == "0002-00000017");
  for (const std::string bad : {"", "2-17", "0002-00000017.seg", "0002-00000017.dead-1", "../x",
                                "0002-00000017 ", "-1-00000017"}) {
    CAPTURE(bad);
    CHECK(offline::parse_segment_name(bad).error().code == ErrorCode::kInvalidArgument);
  }
}

TEST_CASE("segment: the list is the manifest's", "[offline]") {
  FaultEnv env;
  make_scattered(env, Ending::kClosed);
  const manifest::Manifest image = image_of(env);
  const auto calls = env.calls();

  const auto all = offline::list_segments(env, kDataDir, "");
  const auto docs = offline::list_segments(env, kDataDir, "docs");

  REQUIRE(all);
  REQUIRE(docs);
  const auto& entry = entry_of(image, "docs");
  REQUIRE(docs->size() == entry.segments.size());
  CHECK(all->size() == entry.segments.size() + entry_of(image, "more").segments.size());
  for (std::size_t i = 0; i < docs->size(); ++i) {
    CHECK((*docs)[i].name == name_of(entry.segments[i]));
    CHECK((*docs)[i].rows == entry.segments[i].rows);
    CHECK((*docs)[i].dead_rows == entry.segments[i].dead_rows);
    CHECK((*docs)[i].seg_bytes == entry.segments[i].seg.size_bytes);
    CHECK((*docs)[i].collection_name == "docs");
  }
  CHECK(offline::list_segments(env, kDataDir, "nothing").error().code == ErrorCode::kNotFound);
  CHECK(env.calls() == calls);
}

TEST_CASE("segment: show tells rows, lsns, columns, payload and files", "[offline]") {
  FaultEnv env;
  make_scattered(env, Ending::kClosed);
  const auto entry = entry_of(image_of(env), "docs");
  const auto first = entry.segments.front();

  const auto shown = offline::show_segment(env, kDataDir, {.segment = name_of(first)});

  REQUIRE(shown);
  CHECK(shown->summary.rows == first.rows);
  CHECK(shown->min_lsn > 0);
  CHECK(shown->min_lsn <= shown->max_lsn);
  CHECK(shown->min_id == PointId::number(1));
  REQUIRE(shown->columns.size() == 1);
  CHECK(shown->columns[0].dimension == 4);
  CHECK(shown->columns[0].present == first.rows);
  CHECK(shown->columns[0].bytes == first.rows * 16u);
  CHECK(shown->payload_blocks == 1);
  CHECK(shown->payload_raw_bytes > first.rows * payload_text(1).size());
  CHECK(shown->payload_stored_bytes > 0);
  REQUIRE(shown->files.size() >= 3);
  CHECK(shown->files[0].bytes == first.seg.size_bytes);
  CHECK(env.exists(std::string(kDataDir) + "/" + shown->files[0].path));
  CHECK(
      offline::show_segment(env, kDataDir, {.segment = offline::SegmentName{9, 9}}).error().code ==
      ErrorCode::kNotFound);
  CHECK(offline::show_segment(env, kDataDir, {.collection = "more", .segment = name_of(first)})
            .error()
            .code == ErrorCode::kNotFound);
}

TEST_CASE("segment: a name that two collections have asks for the collection", "[offline]") {
  manifest::Manifest image;
  image.collections = {{.id = 1, .name = "a", .segments = {{.epoch = 1, .seq = 5}}},
                       {.id = 2, .name = "b", .segments = {{.epoch = 1, .seq = 5}}}};
  const store::Paths paths{"/x"};
  const offline::SegmentName name{1, 5};

  CHECK(offline::select_segments(paths, image, {.segment = name}).error().code ==
        ErrorCode::kInvalidArgument);
  const auto one = offline::select_segments(paths, image, {.collection = "b", .segment = name});
  REQUIRE(one);
  CHECK(one->front().collection->id == 2);
}

TEST_CASE("segment: verify finds damage of that segment, and only of that", "[offline]") {
  FaultEnv env;
  make_scattered(env, Ending::kClosed);
  const auto entry = entry_of(image_of(env), "docs");
  REQUIRE(entry.segments.size() >= 2);
  const auto& damaged = entry.segments[0];
  const auto& sound = entry.segments[1];
  const auto verify = [&](const manifest::SegmentEntry& segment) {
    auto report = offline::verify_segments(env, kDataDir, {.segment = name_of(segment)}, {});
    REQUIRE(report);
    return std::move(*report);
  };
  const auto calls = env.calls();
  CHECK(verify(damaged).findings.empty());
  CHECK(verify(damaged).segments == 1);
  CHECK(verify(damaged).rows == damaged.rows);
  CHECK(env.calls() == calls);
  const std::string path = store::Paths{kDataDir}.seg(entry.id, damaged.epoch, damaged.seq);

  REQUIRE(env.flip_bit(path, 130, 3));

  CHECK(verify(damaged).damaged());
  CHECK(has(verify(damaged), FindingId::kSegmentBlocks));
  CHECK(verify(sound).findings.empty());
  const auto all = offline::verify_segments(env, kDataDir, {}, {});
  REQUIRE(all);
  CHECK(all->damaged());
  CHECK(all->segments > 2);
  REQUIRE(env.remove(path));
  CHECK(has(verify(damaged), FindingId::kSegmentMissing));
}

TEST_CASE("segment: verify reads rows, not only checksums", "[offline]") {
  FaultEnv env;
  make_scattered(env, Ending::kClosed);
  replace_segment_file(env, "more", [](RowCopies& rows) { rows.vectors[1][2] += 1.0f; });

  const auto report = offline::verify_segments(env, kDataDir, {.collection = "more"}, {});

  REQUIRE(report);
  INFO(text_of(report->findings));
  CHECK(has(*report, FindingId::kRowHash));
}

TEST_CASE("rebuild-index: a lost or damaged index is there again, and the points are as they were",
          "[offline]") {
  FaultEnv env;
  make_scattered(env, Ending::kKilled);
  const Everything before = read_copy(env);
  const std::string index = named_file(env, ".index-");
  REQUIRE(env.flip_bit(index, 100, 1));
  REQUIRE(env.remove(named_file(env, ".fields-")));
  REQUIRE(checked(env, Level::kContents).damaged());
  const manifest::Manifest old = image_of(env);

  const auto plan = offline::rebuild_index(env, kDataDir, {});
  REQUIRE(plan);
  CHECK(image_of(env) == old);
  CHECK_FALSE(plan->front().rebuilt);
  const auto rebuilt = rebuild(env, {});

  INFO((rebuilt ? "" : rebuilt.error().message));
  REQUIRE(rebuilt);
  CHECK(rebuilt->size() == plan->size());
  for (const auto& one : *rebuilt) {
    CHECK(one.rebuilt);
    CHECK(one.index_bytes > 0);
    CHECK(one.fields_bytes > 0);
  }
  const auto report = checked(env, Level::kContents);
  INFO(text_of(report.findings));
  CHECK_FALSE(report.damaged());
  CHECK_FALSE(env.exists(index));
  CHECK(image_of(env).number > old.number);
  CHECK(image_of(env).log_lsn == old.log_lsn);
  CHECK(read_everything(env) == before);
}

TEST_CASE("rebuild-index: one segment alone; damaged rows are an error that changes nothing",
          "[offline]") {
  FaultEnv env;
  make_scattered(env, Ending::kClosed);
  const manifest::Manifest old = image_of(env);
  const auto docs = entry_of(old, "docs");
  const auto target = docs.segments[1];

  const auto rebuilt = rebuild(env, {.segment = name_of(target)});

  REQUIRE(rebuilt);
  REQUIRE(rebuilt->size() == 1);
  const manifest::Manifest now = image_of(env);
  CHECK(entry_of(now, "more") == entry_of(old, "more"));
  CHECK(entry_of(now, "docs").segments[0] == docs.segments[0]);
  CHECK(entry_of(now, "docs").segments[1].seg == target.seg);
  CHECK(entry_of(now, "docs").segments[1].index->number > target.index->number);

  REQUIRE(env.flip_bit(store::Paths{kDataDir}.seg(docs.id, target.epoch, target.seq), 700, 0));
  const auto refused = rebuild(env, {.segment = name_of(target)});
  CHECK(refused.error().code == ErrorCode::kCorruption);
  CHECK(image_of(env) == now);
}

TEST_CASE("rebuild-index: without room nothing is written", "[offline]") {
  FaultEnv env;
  make_scattered(env, Ending::kClosed);
  env.set_disk_space({.free_bytes = 100, .total_bytes = 1'000});
  const manifest::Manifest old = image_of(env);

  const auto refused = rebuild(env, {});

  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kNoSpace);
  CHECK(refused.error().message.find("100") != std::string::npos);
  CHECK(image_of(env) == old);
}
