// What the tests of hash, compact, gc and the log's tools share: data with much to compact, and
// what it holds by a node's account.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "storage/env/forwarding_env.h"
#include "storage/segment/segment.h"
#include "tests/tools/offline/data_kit.h"
#include "tools/offline/compact.h"

namespace vz::test {

/// Every point of every collection with its version, and the digests.
struct Everything {
  std::map<std::string, CollectionState> points;
  friend bool operator==(const Everything&, const Everything&) = default;
};

/// A data directory on one disk and a work directory on another, each with its own free space. All
/// else is of `env`. Watches how many bytes the data directory comes to hold.
class TwoDisks final : public ForwardingEnv {
 public:
  static constexpr const char* kWorkdir = "/elsewhere/work";

  TwoDisks(FaultEnv& env, std::uint64_t data_free, std::uint64_t work_free)
      : ForwardingEnv(env), env_(env), data_free_(data_free), work_free_(work_free) {
    REQUIRE(env_.make_directory(kWorkdir));
  }
  [[nodiscard]] std::uint64_t peak() const { return peak_; }

  Result<DiskSpace> disk_space(const std::string& path) override {
    const std::uint64_t free = path.starts_with(kWorkdir) ? work_free_ : data_free_;
    return DiskSpace{.free_bytes = free, .total_bytes = std::uint64_t{1} << 40};
  }
  Status sync_directory(const std::string& path) override {
    peak_ = std::max(peak_, bytes_below(kDataDir));
    return ForwardingEnv::sync_directory(path);
  }

  [[nodiscard]] std::uint64_t bytes_below(const std::string& path) const {
    std::uint64_t bytes = 0;
    const auto entries = env_.list(path);
    if (!entries) return 0;
    for (const auto& entry : *entries)
      bytes += entry.type == FileType::kDirectory ? bytes_below(path + "/" + entry.name)
                                                  : entry.size_bytes;
    return bytes;
  }

 private:
  FaultEnv& env_;
  std::uint64_t data_free_;
  std::uint64_t work_free_;
  std::uint64_t peak_ = 0;
};

/// By a node that is started on the directory and stopped as a crash would.
inline Everything read_everything(FaultEnv& env) {
  Everything out;
  const auto node = node::Node::open(env, small_node());
  INFO((node ? std::string() : node.error().message));
  REQUIRE(node);
  for (const auto& reader : (*node)->collections()) {
    auto points = read_all(*reader);
    REQUIRE(points);
    out.points[reader->name()] = std::move(*points);
  }
  return out;
}

/// The same of a copy: `env` stays as it is.
inline Everything read_copy(const FaultEnv& env) {
  return read_everything(*env.crash_image(0));
}

/// Ids of the best of a search, to compare before and after.
inline std::vector<std::uint64_t> found_by(FaultEnv& env, const std::string& name,
                                           std::vector<float> query) {
  const auto node = node::Node::open(env, small_node());
  REQUIRE(node);
  collection::SearchRequest request;
  request.query = std::move(query);
  request.limit = 5;
  const auto outcome = (*node)->find(name)->search(request);
  INFO((outcome ? std::string() : outcome.error().message));
  REQUIRE(outcome);
  std::vector<std::uint64_t> ids;
  for (const auto& hit : outcome->points) ids.push_back(hit.record.id.low);
  return ids;
}

/// "docs" in several segments with dead rows and tombstones, "more" in two; the log holds records
/// of both that no segment has, if the node was killed.
inline void make_scattered(FaultEnv& env, Ending ending) {
  auto opened = node::Node::open(env, small_node());
  REQUIRE(opened);
  node::Node& node = **opened;
  REQUIRE(create(node, "docs"));
  REQUIRE(create(node, "more"));
  REQUIRE(upsert(node, "docs", some_points(1, 12)));
  REQUIRE(node.seal());
  REQUIRE(upsert(node, "docs", some_points(7, 8)));
  REQUIRE(upsert(node, "more", some_points(1, 4)));
  REQUIRE(node.seal());
  REQUIRE(erase(node, "docs", {PointId::number(2), PointId::number(14)}));
  REQUIRE(upsert(node, "docs", some_points(30, 3)));
  REQUIRE(upsert(node, "more", some_points(3, 3)));
  REQUIRE(node.seal());
  if (ending == Ending::kClosed) {
    REQUIRE(node.close());
    return;
  }
  REQUIRE(upsert(node, "docs", some_points(5, 2)));
  REQUIRE(erase(node, "docs", {PointId::number(3)}));
  REQUIRE(upsert(node, "more", some_points(60, 1)));
  opened->reset();
  env.kill_process();
}

/// A killed node whose log goes on for six records behind the segments, each a group, in several
/// files. Returns the lsn of the first; record first + i put the point 100 + i into "docs".
inline Lsn make_history(FaultEnv& env) {
  auto opened = node::Node::open(env, small_node());
  REQUIRE(opened);
  node::Node& node = **opened;
  REQUIRE(create(node, "docs"));
  REQUIRE(upsert(node, "docs", some_points(1, 3)));
  REQUIRE(node.settle());
  const std::string payload = "{\"text\":\"" + std::string(300, 'x') + "\"}";
  Lsn first = 0;
  for (std::uint64_t id = 100; id < 106; ++id) {
    const auto done =
        upsert(node, "docs", {point(id, {static_cast<float>(id), 0.5f, 1.0f, 2.0f}, payload)});
    REQUIRE(done);
    if (first == 0) first = done->lsn;
  }
  opened->reset();
  env.kill_process();
  return first;
}

inline const manifest::CollectionEntry& entry_of(const manifest::Manifest& image,
                                                 const std::string& name) {
  for (const auto& entry : image.collections)
    if (entry.name == name) return entry;
  FAIL("no collection " << name);
  return image.collections.front();
}

inline offline::CompactReport compacted(Env& env, offline::CompactOptions options = {}) {
  options.run = offline::CompactOptions::Run::kApply;
  auto report = offline::compact(env, kDataDir, options);
  INFO((report ? std::string() : report.error().message));
  REQUIRE(report);
  return std::move(*report);
}

/// The rows of a segment, to be changed and written again.
struct RowCopies final : segment::RowSource {
  std::vector<PointId> ids;
  std::vector<Lsn> versions;
  std::vector<std::uint64_t> hashes;
  std::vector<std::vector<float>> vectors;
  std::vector<std::string> payloads;

  [[nodiscard]] std::uint32_t row_count() const override {
    return static_cast<std::uint32_t>(ids.size());
  }
  [[nodiscard]] PointId id(std::uint32_t row) const override { return ids[row]; }
  [[nodiscard]] Lsn version(std::uint32_t row) const override { return versions[row]; }
  [[nodiscard]] std::uint64_t row_hash(std::uint32_t row) const override { return hashes[row]; }
  Result<std::optional<segment::VectorRef>> vector(std::size_t /*column*/,
                                                   std::uint32_t row) const override {
    return segment::VectorRef{vectors[row], {}};
  }
  Result<std::string_view> payload(std::uint32_t row) const override {
    return std::string_view(payloads[row]);
  }
};

inline RowCopies rows_of(const segment::Segment& segment) {
  RowCopies rows;
  for (std::uint32_t row = 0; row < segment.row_count(); ++row) {
    rows.ids.push_back(segment.id(row));
    rows.versions.push_back(segment.version(row));
    rows.hashes.push_back(segment.row_hash(row));
    const float* values = segment.dense(0, row);
    rows.vectors.emplace_back(values, values + segment.footer().columns[0].dimension);
    rows.payloads.push_back(*segment.payload(row));
  }
  return rows;
}

/// Writes the first segment of a collection again with changed rows, and an image that names it:
/// every checksum is right.
inline void replace_segment_file(Env& env, const std::string& collection,
                                 const std::function<void(RowCopies&)>& change) {
  manifest::Manifest image = image_of(env);
  for (auto& entry : image.collections) {
    if (entry.name != collection) continue;
    manifest::SegmentEntry& part = entry.segments.front();
    const std::string path = store::Paths{kDataDir}.seg(entry.id, part.epoch, part.seq);
    const auto segment = segment::Segment::open(env, path);
    REQUIRE(segment);
    RowCopies rows = rows_of(**segment);
    change(rows);
    const auto written = segment::write_segment(env, path, (*segment)->footer(), rows, {});
    REQUIRE(written);
    part.seg = *written;
    part.rows = rows.row_count();
  }
  ++image.number;
  REQUIRE(manifest::publish(env, kDataDir, image));
}

}  // namespace vz::test
