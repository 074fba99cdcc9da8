#include "engine/collection/sealed_part.h"

#include <algorithm>

#include <boost/unordered/unordered_flat_map.hpp>

#include "engine/collection/top_candidates.h"
#include "storage/base/log.h"

namespace vz::collection {
namespace {

constexpr Lsn kDeadFromTheStart = 1;

void log_derived(const std::string& path, const Error& error) {
  LogEvent(LogLevel::kWarn, "derived_file_unusable")
      .with("path", path)
      .with("code", error_code_name(error.code))
      .with("reason", error.message)
      .with("integrity", "corrupt derived file: it is rebuilt");
}

}  // namespace

SealedPart::SealedPart(std::unique_ptr<segment::Segment> segment, std::string path)
    : segment_(std::move(segment)),
      path_(std::move(path)),
      dead_(segment_->row_count()),
      derived_(std::make_shared<Derived>()) {}

Status SealedPart::read_deaths(Env& env, const store::Paths& paths, CollectionId collection,
                               const manifest::SegmentEntry& entry) {
  const std::string path = paths.dead(collection, entry.epoch, entry.seq, entry.dead->number);
  const auto dead = segment::read_dead_rows(env, path);
  if (dead && dead->row_count == entry.rows && dead->rows.size() == entry.dead_rows &&
      dead->seq == entry.seq) {
    for (const std::uint32_t row : dead->rows) dead_.mark(row, kDeadFromTheStart);
    return {};
  }
  const Error error = dead
                          ? Error{ErrorCode::kCorruption, path + ": is not what the manifest names"}
                          : dead.error();
  if (error.code != ErrorCode::kCorruption && error.code != ErrorCode::kNotFound)
    return tl::unexpected<Error>(error);
  log_derived(path, error);
  deaths_lost_ = true;
  return {};
}

void recover_deaths(std::span<const std::shared_ptr<SealedPart>> segments) {
  boost::unordered_flat_map<PointId, Lsn, PointIdHash> newest;
  for (const auto& part : segments) {
    for (std::uint32_t row = 0; row < part->row_count(); ++row) {
      Lsn& lsn = newest[part->id(row)];
      lsn = std::max(lsn, part->version(row));
    }
    for (const segment::Tombstone& tombstone : part->segment().footer().tombstones) {
      Lsn& lsn = newest[tombstone.id];
      lsn = std::max(lsn, tombstone.lsn);
    }
  }
  for (const auto& part : segments) {
    for (std::uint32_t row = 0; row < part->row_count(); ++row)
      if (part->version(row) < newest[part->id(row)]) part->dead().mark(row, kDeadFromTheStart);
  }
}

Result<std::shared_ptr<SealedPart>> SealedPart::open(Env& env, const store::Paths& paths,
                                                     CollectionId collection,
                                                     const manifest::SegmentEntry& entry,
                                                     const CollectionDefinition& definition) {
  const std::string path = paths.seg(collection, entry.epoch, entry.seq);
  VZ_TRY_ASSIGN(auto segment, segment::Segment::open(env, path));
  const auto& file = segment->file();
  if (file.file_size() != entry.seg.size_bytes ||
      file.trailer_crc32c() != entry.seg.trailer_crc32c ||
      segment->footer().collection != collection || segment->row_count() != entry.rows)
    return fail(ErrorCode::kCorruption, path + ": is not the file that the manifest names");

  std::shared_ptr<SealedPart> part(new SealedPart(std::move(segment), path));
  if (entry.dead) VZ_TRY(part->read_deaths(env, paths, collection, entry));

  auto derived = std::make_shared<Derived>();
  if (entry.index) {
    const auto index_path = paths.index(collection, entry.epoch, entry.seq, entry.index->number);
    if (auto opened = index::IndexFile::open(env, index_path, *part->segment_,
                                             index_placements(definition))) {
      derived->index = std::move(*opened);
    } else {
      log_derived(index_path, opened.error());
    }
  }
  if (entry.fields) {
    const auto fields_path = paths.fields(collection, entry.epoch, entry.seq, entry.fields->number);
    if (auto opened = payload::FieldsFile::open(env, fields_path, entry.rows)) {
      derived->fields = std::move(*opened);
    } else {
      log_derived(fields_path, opened.error());
    }
  }
  const bool missing = entry.rows > 0 && (derived->index == nullptr || derived->fields == nullptr);
  part->set_derived(std::move(derived));
  part->derived_failed_.store(missing, std::memory_order_relaxed);
  return part;
}

bool SealedPart::has_graph() const {
  const auto derived = this->derived();
  if (derived->index == nullptr) return false;
  for (std::size_t c = 0; c < segment_->footer().columns.size(); ++c) {
    const index::ColumnIndex* column = derived->index->column(c);
    if (column != nullptr && column->has_graph()) return true;
  }
  return false;
}

bool SealedPart::settled() const {
  // A merged segment is always indexed by its size; a sealed one is not, to keep up with ingest.
  return row_count() < index::kGraphRowsMin || !segment_->footer().replaces.empty() ||
         settled_.load(std::memory_order_relaxed) || has_graph();
}

std::uint64_t SealedPart::file_bytes() const {
  const auto derived = this->derived();
  return segment_->file().file_size() +
         (derived->index != nullptr ? derived->index->file().file_size() : 0) +
         (derived->fields != nullptr ? derived->fields->file().file_size() : 0);
}

std::uint64_t SealedPart::memory_bytes() const {
  const auto derived = this->derived();
  return sizeof *this + segment_->memory_bytes() + dead_.memory_bytes() +
         (derived->index != nullptr ? derived->index->memory_bytes() : 0) +
         (derived->fields != nullptr ? derived->fields->memory_bytes() : 0);
}

std::optional<std::uint32_t> SealedPart::find(PointId id, Lsn lsn) const {
  const auto row = segment_->find(id);
  if (!row || dead_.dead_at(*row, lsn)) return std::nullopt;
  return row;
}

bool SealedPart::has_vector(std::string_view name, std::uint32_t row) const {
  const auto column = segment_->column(name);
  return column && segment_->has_vector(*column, row);
}

Result<index::RowSet> SealedPart::evaluate(const payload::Filter& filter, Lsn /*lsn*/,
                                           payload::EvaluateStats& stats) const {
  const auto derived = this->derived();
  if (derived->fields != nullptr) {
    auto rows = payload::evaluate(filter, *this, derived->fields.get(), stats);
    if (rows || rows.error().code != ErrorCode::kCorruption || segment_->failed()) return rows;
    derived_failed_.store(true,
                          std::memory_order_relaxed);  // The columns are damaged, not the rows.
  }
  return payload::evaluate(filter, *this, nullptr, stats);
}

Status SealedPart::candidates(std::size_t column, vector::Distance distance,
                              const index::CandidateRequest& request,
                              std::vector<index::Candidate>& out,
                              index::CandidateStats& stats) const {
  const auto derived = this->derived();
  const index::ColumnIndex* indexed =
      derived->index != nullptr ? derived->index->column(column) : nullptr;
  if (indexed != nullptr) {
    const std::size_t begin = out.size();
    const Status searched = indexed->candidates(request, out, stats);
    if (searched || searched.error().code != ErrorCode::kCorruption || segment_->failed())
      return searched;
    out.resize(begin);
    derived_failed_.store(true, std::memory_order_relaxed);  // The index is damaged, not the rows.
  }
  TopCandidates top(request.wanted);
  const std::uint32_t dimension = segment_->footer().columns[column].dimension;
  for (std::uint32_t row = 0; row < row_count(); ++row) {
    if (!request.filter.passes(row)) continue;
    const float* values = segment_->dense(column, row);
    if (values == nullptr) continue;
    ++stats.evaluations;
    top.offer({vector::similarity(distance, request.query.data(), values, dimension), row});
  }
  ++stats.scans;
  top.append_to(out);
  return {};
}

void SealedPart::rows_from(const std::optional<PointId>& from, Lsn lsn,
                           const index::RowSet* allowed, std::size_t limit,
                           std::vector<std::uint32_t>& out) const {
  std::uint32_t row = from ? segment_->lower_bound(*from) : 0;
  for (std::size_t taken = 0; taken < limit && row < row_count(); ++row) {
    if (allowed != nullptr && !allowed->contains(row)) continue;
    if (dead_.dead_at(row, lsn)) continue;
    out.push_back(row);
    ++taken;
  }
}

std::string SealedPart::damage() const {
  if (!segment_->failed()) return {};
  const auto why = segment_->damage();
  return why ? why->message : path_ + ": a block does not match its checksum";
}

}  // namespace vz::collection
