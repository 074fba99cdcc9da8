#include "storage/segment/segment.h"

#include <deque>
#include <utility>

#include "storage/format/segment_format.h"
#include "storage/segment/bloom_filter.h"
#include "storage/segment/damage.h"
#include "storage/segment/id_column.h"
#include "storage/segment/payload_column.h"
#include "storage/segment/segment_layout.h"
#include "storage/segment/vector_reader.h"

namespace vz::segment {
namespace {

/// A column of one u64 per row, verified whole at its first touch.
class NumberColumn {
 public:
  NumberColumn(const CheckedFile& file, const format::Section& section, Damage& damage)
      : file_(file), section_(section), damage_(damage), data_(file.unchecked(section.offset)) {}

  /// 0 if the column is damaged. row < row_count.
  [[nodiscard]] std::uint64_t at(std::uint32_t row) const {
    VZ_ASSERT(row < section_.size / sizeof(std::uint64_t));
    const auto verify = [this] { return file_.verify(section_.offset, section_.size); };
    if (!touch_.passed(damage_, verify)) return 0;
    return load_number<std::uint64_t>(data_ + std::size_t{row} * sizeof(std::uint64_t));
  }

 private:
  const CheckedFile& file_;
  const format::Section& section_;
  Damage& damage_;
  const std::byte* data_;
  FirstTouch touch_;
};

Result<std::vector<Tombstone>> read_tombstones(const CheckedFile& file,
                                               const format::Section& section) {
  VZ_TRY_ASSIGN(const ByteSpan bytes, file.bytes(section.offset, section.size));
  std::vector<Tombstone> tombstones(section.size / format::kTombstoneSize);
  ByteReader in(bytes);
  for (std::size_t i = 0; i < tombstones.size(); ++i) {
    const format::DecodedId id = format::decode_id(in);
    tombstones[i] = {id.id, in.number<Lsn>()};
    if (!id.ok || (i > 0 && !(tombstones[i - 1].id < id.id))) {
      return fail(ErrorCode::kCorruption,
                  file.path() + " at offset " +
                      std::to_string(section.offset + i * format::kTombstoneSize) +
                      ": tombstone: expected an id above the one before");
    }
  }
  return tombstones;
}

Footer make_footer(const format::SegmentFooter& from, std::vector<Tombstone> tombstones) {
  Footer footer;
  footer.collection = from.collection;
  footer.collection_name = from.collection_name;
  footer.definition_json = from.definition_json;
  footer.epoch = from.epoch;
  footer.seq = from.seq;
  footer.min_lsn = from.min_lsn;
  footer.max_lsn = from.max_lsn;
  footer.replaces = from.replaces;
  footer.tombstones = std::move(tombstones);
  for (const format::SegmentColumn& column : from.columns) {
    footer.columns.push_back({column.name, static_cast<VectorKind>(column.kind), column.dimension});
  }
  return footer;
}

}  // namespace

// Constant after construction, but for what the parts remember of their first touch.
struct Segment::State {
  State(std::unique_ptr<CheckedFile> file_in, format::SegmentFooter layout_in)
      : file(std::move(file_in)),
        layout(std::move(layout_in)),
        ids(*file, layout, damage),
        versions(*file, layout.versions, damage),
        hashes(*file, layout.hashes, damage) {
    for (const format::SegmentColumn& column : layout.columns) {
      vectors.emplace_back(*file, column, layout.row_count, damage);
    }
  }

  std::unique_ptr<CheckedFile> file;
  format::SegmentFooter layout;
  mutable Damage damage;
  IdColumn ids;
  NumberColumn versions;
  NumberColumn hashes;
  std::deque<VectorReader> vectors;  // They hold atomics, so they may not move.
  std::optional<PayloadColumn> payload;
  BloomFilter bloom;
  Footer footer;
};

Segment::Segment(std::unique_ptr<State> state) : state_(std::move(state)) {}
Segment::~Segment() = default;

Result<std::unique_ptr<Segment>> Segment::open(Env& env, const std::string& path) {
  VZ_TRY_ASSIGN(auto file,
                CheckedFile::open(env, path, FileKind::kSegment, format::kSegmentVersionNewest));
  VZ_TRY_ASSIGN(format::SegmentFooter layout, read_layout(*file));
  VZ_TRY_ASSIGN(auto tombstones, read_tombstones(*file, layout.tombstones));
  auto state = std::make_unique<State>(std::move(file), std::move(layout));
  const format::Section bloom = state->layout.bloom;
  VZ_TRY_ASSIGN(const ByteSpan bloom_bytes, state->file->bytes(bloom.offset, bloom.size));
  state->bloom = BloomFilter(bloom_bytes);
  VZ_TRY_ASSIGN(state->payload, PayloadColumn::open(*state->file, state->layout, state->damage));
  state->footer = make_footer(state->layout, std::move(tombstones));
  if (state->file->failed()) {
    return fail(ErrorCode::kCorruption, path + ": the disk could not deliver a page of the file");
  }
  return std::unique_ptr<Segment>(new Segment(std::move(state)));
}

const Footer& Segment::footer() const {
  return state_->footer;
}
const CheckedFile& Segment::file() const {
  return *state_->file;
}
std::uint32_t Segment::row_count() const {
  return state_->layout.row_count;
}
bool Segment::failed() const {
  return state_->damage.found() || state_->file->failed();
}
std::optional<Error> Segment::damage() const {
  return state_->damage.first();
}

void Segment::take_out_of_service(const Error& why) const {
  state_->damage.report(why);
}

PointId Segment::id(std::uint32_t row) const {
  return state_->ids.at(row);
}
Lsn Segment::version(std::uint32_t row) const {
  return state_->versions.at(row);
}
std::uint64_t Segment::row_hash(std::uint32_t row) const {
  return state_->hashes.at(row);
}

std::optional<std::uint32_t> Segment::find(PointId id) const {
  const format::SegmentFooter& layout = state_->layout;
  if (layout.row_count == 0 || id < layout.min_id || layout.max_id < id) return std::nullopt;
  if (!state_->bloom.may_contain(id)) return std::nullopt;
  return state_->ids.find(id);
}

std::uint32_t Segment::lower_bound(PointId id) const {
  return state_->ids.lower_bound(id);
}

bool Segment::has_vector(std::size_t column, std::uint32_t row) const {
  VZ_ASSERT(column < state_->vectors.size());
  return state_->vectors[column].has(row);
}

Result<std::optional<VectorRef>> Segment::vector(std::size_t column, std::uint32_t row) const {
  VZ_ASSERT(column < state_->vectors.size());
  return state_->vectors[column].vector(row);
}

const float* Segment::dense(std::size_t column, std::uint32_t row) const {
  VZ_ASSERT(column < state_->vectors.size());
  return state_->vectors[column].dense(row);
}

void Segment::prefetch_dense(std::size_t column, std::uint32_t row) const {
  VZ_ASSERT(column < state_->vectors.size());
  state_->vectors[column].prefetch_dense(row);
}

Result<std::string> Segment::payload(std::uint32_t row) const {
  return state_->payload->text(row);
}

std::optional<std::size_t> Segment::column(std::string_view name) const {
  for (std::size_t i = 0; i < state_->footer.columns.size(); ++i) {
    if (state_->footer.columns[i].name == name) return i;
  }
  return std::nullopt;
}

std::uint64_t Segment::memory_bytes() const {
  return sizeof(State) + state_->bloom.bytes().size() + state_->payload->memory_bytes() +
         state_->footer.tombstones.capacity() * sizeof(Tombstone) +
         state_->footer.definition_json.capacity() * 2 +
         state_->file->content_size() / (64u << 10) / 8;  // The bitmap of verified blocks.
}

}  // namespace vz::segment
