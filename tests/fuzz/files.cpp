// The files beside the log, and archives. A file with checksums is fuzzed twice: as its bytes are
// on the disk, and as its content, which is then written with right checksums.
#include <algorithm>
#include <array>
#include <memory>
#include <string>

#include "engine/index/index_file.h"
#include "engine/index/index_format.h"
#include "engine/payload/fields_file.h"
#include "engine/payload/fields_format.h"
#include "engine/payload/filter.h"
#include "storage/archive/archive_writer.h"
#include "storage/format/dead_format.h"
#include "storage/format/restore_format.h"
#include "storage/format/segment_format.h"
#include "storage/manifest/manifest.h"
#include "storage/segment/checked_file.h"
#include "storage/segment/segment.h"
#include "storage/snapshot/read.h"
#include "tests/fuzz/target.h"
#include "tests/storage/segment/memory_env.h"

namespace vz::fuzz {
namespace {

using segment::FileKind;
using segment::Segment;

constexpr const char* kPath = "d/1-1.file";
constexpr std::uint32_t kRows = 40;
constexpr std::uint32_t kDimension = 4;

std::string payload_of(std::uint32_t row) {
  return R"({"n":)" + std::to_string(row % 5) + R"(,"s":"k)" + std::to_string(row % 3) +
         R"(","t":["a","b"],"d":"2024-01-0)" + std::to_string(1 + row % 9) + R"(T00:00:00Z"})";
}

class SampleRows final : public segment::RowSource {
 public:
  [[nodiscard]] std::uint32_t row_count() const override { return kRows; }
  [[nodiscard]] PointId id(std::uint32_t row) const override { return PointId::number(row + 1); }
  [[nodiscard]] Lsn version(std::uint32_t row) const override { return row + 1; }
  [[nodiscard]] std::uint64_t row_hash(std::uint32_t row) const override { return row * 31; }
  Result<std::optional<segment::VectorRef>> vector(std::size_t, std::uint32_t row) const override {
    if (row % 9 == 8) return std::nullopt;
    for (std::uint32_t i = 0; i < kDimension; ++i) {
      values_[i] = static_cast<float>((row * 7 + i * 3) % 11) - 5;
    }
    return segment::VectorRef{.values = values_, .indices = {}};
  }
  Result<std::string_view> payload(std::uint32_t row) const override {
    text_ = payload_of(row);
    return std::string_view(text_);
  }

 private:
  mutable std::array<float, kDimension> values_{};
  mutable std::string text_;
};

/// The same rows, as filters see them.
class SampleFilterRows final : public payload::FilterRows {
 public:
  [[nodiscard]] std::uint32_t row_count() const override { return kRows; }
  [[nodiscard]] PointId id(std::uint32_t row) const override { return PointId::number(row + 1); }
  [[nodiscard]] std::optional<std::uint32_t> find(PointId) const override { return std::nullopt; }
  [[nodiscard]] bool has_vector(std::string_view, std::uint32_t) const override { return true; }
  Result<std::string> payload(std::uint32_t row) const override { return payload_of(row); }
};

/// A segment and what is derived from it, whole.
struct Sample {
  test::MemoryEnv env;
  std::unique_ptr<Segment> segment;
  Bytes seg, dead, index, fields;  ///< files
};

const Sample& sample() {
  static const Sample& made = *[] {
    auto* const out = new Sample();
    segment::Footer footer;
    footer.collection = 1;
    footer.collection_name = "words";
    footer.definition_json = "{}";
    footer.epoch = 1;
    footer.seq = 1;
    footer.columns = {{.name = "", .kind = segment::VectorKind::kDense, .dimension = kDimension}};
    const SampleRows rows;
    const segment::DeadRows dead = {
        .epoch = 1, .seq = 1, .as_of = 50, .row_count = kRows, .rows = {2, 5, 39}};
    const index::ColumnPlan plan = {
        .column = 0, .distance = vector::Distance::kCosine, .hnsw = {.m = 4, .ef_construct = 20}};
    const std::array<payload::DeclaredField, 1> declared = {payload::DeclaredField{
        .path = "d", .type = *payload::parse_field_type("datetime"), .parameters_json = {}}};
    Env& env = out->env;
    require(segment::write_segment(env, "seg", footer, rows, {}).has_value(), "a sample segment");
    auto opened = Segment::open(env, "seg");
    require(opened.has_value(), "the sample segment opens");
    out->segment = std::move(*opened);
    require(segment::write_dead_rows(env, "dead", dead).has_value(), "sample dead rows");
    require(index::build_index(env, "index", *out->segment, {&plan, 1}, {.graph_rows_min = 10})
                .has_value(),
            "a sample index");
    const auto payloads = [&](std::uint32_t row) { return rows.payload(row); };
    require(payload::build_fields(env, "fields", kRows, payloads, declared).has_value(),
            "sample fields");
    out->seg = out->env.content("seg");
    out->dead = out->env.content("dead");
    out->index = out->env.content("index");
    out->fields = out->env.content("fields");
    return out;
  }();
  return made;
}

/// The content of a checked file, without its table and trailer.
Bytes content_of(const Bytes& file, FileKind kind) {
  test::MemoryEnv env;
  env.put(kPath, file);
  const auto opened = segment::CheckedFile::open(env, kPath, kind, 0xFFFF);
  require(opened.has_value(), "a sample opens");
  const auto bytes = (*opened)->bytes(0, (*opened)->content_size());
  require(bytes.has_value(), "a sample is whole");
  return {bytes->begin(), bytes->end()};
}

void put_content(test::MemoryEnv& env, ByteSpan content, FileKind kind, std::uint16_t version) {
  auto writer = segment::CheckedFileWriter::create(env, kPath, kind, version);
  require(writer.has_value() && (*writer)->append(content).has_value() &&
              (*writer)->finish().has_value(),
          "any content can be written");
}

void put_file(test::MemoryEnv& env, ByteSpan bytes) {
  env.put(kPath, Bytes(bytes.begin(), bytes.end()));
}

/// Everything that a segment can be asked.
void read_segment(test::MemoryEnv& env) {
  const auto opened = Segment::open(env, kPath);
  if (!opened) return;
  const Segment& segment = **opened;
  const std::uint32_t rows = std::min<std::uint32_t>(segment.row_count(), 300);
  for (std::uint32_t row = 0; row < rows; ++row) {
    const PointId id = segment.id(row);
    (void)segment.version(row);
    (void)segment.row_hash(row);
    const auto found = segment.find(id);
    require(!found || *found < segment.row_count(), "a row that is found is there");
    for (std::size_t column = 0; column < segment.footer().columns.size(); ++column) {
      (void)segment.has_vector(column, row);
      (void)segment.vector(column, row);
      if (segment.footer().columns[column].kind == segment::VectorKind::kDense) {
        (void)segment.dense(column, row);
      }
    }
    (void)segment.payload(row);
  }
  (void)segment.lower_bound(PointId::number(17));
}

void read_dead(test::MemoryEnv& env) {
  const auto dead = segment::read_dead_rows(env, kPath);
  if (!dead) return;
  require(std::is_sorted(dead->rows.begin(), dead->rows.end()), "dead rows ascend");
  require(dead->rows.empty() || dead->rows.back() < dead->row_count, "dead rows are rows");
}

void read_index(test::MemoryEnv& env) {
  const auto file = index::IndexFile::open(env, kPath, *sample().segment);
  if (!file) return;
  const index::ColumnIndex* const column = (*file)->column(0);
  if (column == nullptr) return;
  const std::array<float, kDimension> query = {0.5f, -0.5f, 0.5f, 0.5f};
  index::RowSet some(kRows);
  for (std::uint32_t row = 0; row < kRows; row += 3) some.insert(row);
  for (const auto method : {index::SearchMethod::kWalk, index::SearchMethod::kScan}) {
    for (const bool filtered : {false, true}) {
      index::RowFilter filter;
      if (filtered) filter = {.allowed = &some, .allowed_count = some.count()};
      std::vector<index::Candidate> found;
      index::CandidateStats stats;
      (void)column->candidates(
          {.query = query, .wanted = 5, .ef = 20, .filter = filter, .method = method}, found,
          stats);
      for (const auto& candidate : found) {
        require(candidate.row < kRows && filter.passes(candidate.row),
                "a search gives rows that pass");
      }
    }
  }
}

void read_fields(test::MemoryEnv& env) {
  const auto fields = payload::FieldsFile::open(env, kPath, kRows);
  if (!fields) return;
  const SampleFilterRows rows;
  for (const char* const json :
       {R"({"must":[{"key":"s","match":{"value":"k1"}}]})",
        R"({"must":[{"key":"n","range":{"gte":2}}]})",
        R"({"must_not":[{"key":"t","match":{"any":["a","z"]}}]})",
        R"({"must":[{"is_empty":{"key":"d"}}]})",
        R"({"must":[{"key":"d","range":{"lt":"2024-01-05T00:00:00Z"}}]})"}) {
    const auto filter = payload::parse_filter(json);
    require(filter.has_value(), "a sample filter is one");
    payload::EvaluateStats stats;
    const auto passing = payload::evaluate(*filter, rows, fields->get(), stats);
    require(!passing || passing->rows() == kRows, "a filter tells of each row");
  }
}

template <void (*read)(test::MemoryEnv&)>
void run_file(ByteSpan bytes) {
  test::MemoryEnv env;
  put_file(env, bytes);
  read(env);
}

template <void (*read)(test::MemoryEnv&), FileKind kind, std::uint16_t version>
void run_content(ByteSpan bytes) {
  test::MemoryEnv env;
  put_content(env, bytes, kind, version);
  read(env);
}

/// A snapshot of the sample's segment.
std::vector<Bytes> seed_archive() {
  manifest::Manifest image{.number = 1, .next_seq = 2, .catalog_lsn = 60};
  image.log_lsn = 61;
  image.epochs = {{1, 1, manifest::EpochKind::kStart}};
  image.collections = {{.id = 1, .name = "words", .definition_json = "{}", .flushed_lsn = 60}};
  const Bytes& seg = sample().seg;
  Sha256 hash;
  hash.update(seg);
  format::Restore restore;
  restore.manifest = manifest::encode(image);
  restore.files = {
      {.path = "collections/1/1-1.seg", .size_bytes = seg.size(), .sha256 = hash.finish()}};
  const auto first = format::encode(restore);
  require(first.has_value(), "the sample of RESTORE is one");
  std::vector<Bytes> out;
  for (const auto format : {archive::ArchiveFormat::kTarGzip, archive::ArchiveFormat::kTarZstd}) {
    archive::MemorySink sink;
    auto writer = archive::ArchiveWriter::create(sink, format, 0);
    require(writer.has_value(), "an archive begins");
    require((*writer)->begin("RESTORE", first->size()).has_value() &&
                (*writer)->write(*first).has_value() &&
                (*writer)->begin("collections/1/1-1.seg", seg.size()).has_value() &&
                (*writer)->write(seg).has_value() && (*writer)->finish().has_value(),
            "a sample archive");
    out.push_back(sink.bytes());
  }
  return out;
}

void run_archive(ByteSpan bytes) {
  archive::MemorySource source(bytes);
  (void)snapshot::verify(source);
  archive::MemorySource again(bytes);
  (void)snapshot::inspect(again);
}

std::vector<Bytes> seed_seg() {
  return {sample().seg};
}
std::vector<Bytes> seed_dead() {
  return {sample().dead};
}
std::vector<Bytes> seed_index() {
  return {sample().index};
}
std::vector<Bytes> seed_fields() {
  return {sample().fields};
}
std::vector<Bytes> seed_seg_content() {
  return {content_of(sample().seg, FileKind::kSegment)};
}
std::vector<Bytes> seed_dead_content() {
  return {content_of(sample().dead, FileKind::kDead)};
}
std::vector<Bytes> seed_index_content() {
  return {content_of(sample().index, FileKind::kIndex)};
}
std::vector<Bytes> seed_fields_content() {
  return {content_of(sample().fields, FileKind::kFields)};
}

constexpr Target kTargets[] = {
    {"seg_file", run_file<read_segment>, seed_seg},
    {"dead_file", run_file<read_dead>, seed_dead},
    {"index_file", run_file<read_index>, seed_index},
    {"fields_file", run_file<read_fields>, seed_fields},
    {"seg_content", run_content<read_segment, FileKind::kSegment, format::kSegmentVersionNewest>,
     seed_seg_content},
    {"dead_content", run_content<read_dead, FileKind::kDead, format::kDeadVersionNewest>,
     seed_dead_content},
    {"index_content", run_content<read_index, FileKind::kIndex, index::kIndexVersionNewest>,
     seed_index_content},
    {"fields_content", run_content<read_fields, FileKind::kFields, payload::format::kFieldsVersion>,
     seed_fields_content},
    {"archive", run_archive, seed_archive},
};

}  // namespace

std::span<const Target> file_targets() {
  return kTargets;
}

}  // namespace vz::fuzz
