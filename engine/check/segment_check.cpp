#include "engine/check/segment_check.h"

#include <algorithm>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "engine/check/row_check.h"
#include "engine/check/search_check.h"
#include "engine/collection/definition.h"
#include "engine/index/index_file.h"
#include "engine/payload/fields_file.h"
#include "engine/payload/fields_state.h"
#include "storage/segment/segment.h"

namespace vz::check {
namespace {

using segment::Segment;

/// The error of a derived file, as the finding that it is.
void report_derived(const Run& run, NamedFile& file, FindingId content, const Error& error) {
  switch (error.code) {
    case ErrorCode::kIncompatible:
      return run.report(file, FindingId::kDerivedVersion, {}, error.message);
    case ErrorCode::kCorruption:
      return run.report(file, content, {}, error.message);
    default:
      run.env.note(error);  // No memory to load it, say.
      return run.report(file, FindingId::kDerivedUnreadable, {}, error.message);
  }
}

std::unique_ptr<Segment> open_segment(const Run& run, NamedFile& file) {
  auto opened = Segment::open(run.env, file.path);
  if (opened) return std::move(*opened);
  const Error& error = opened.error();
  if (error.code == ErrorCode::kIncompatible) {
    run.report_incompatible(error);
  } else {
    const bool content = error.code == ErrorCode::kCorruption;
    run.report(file, content ? FindingId::kSegmentStructure : FindingId::kSegmentUnreadable, {},
               error.message);
  }
  return nullptr;
}

void check_identity(const Run& run, const NamedCollection& collection, const NamedSegment& named,
                    const Segment& segment) {
  const segment::Footer& footer = segment.footer();
  const manifest::SegmentEntry& entry = *named.entry;
  if (footer.collection == collection.entry->id && footer.epoch == entry.epoch &&
      footer.seq == entry.seq && segment.row_count() == entry.rows &&
      footer.max_lsn <= collection.entry->flushed_lsn) {
    return;
  }
  run.report(*named.seg, FindingId::kSegmentMismatch, {},
             fmt::format("expected segment {}-{} of collection {} with {} rows up to lsn {}, found "
                         "{}-{} of {} with {} up to {}",
                         entry.epoch, entry.seq, collection.entry->id, entry.rows,
                         collection.entry->flushed_lsn, footer.epoch, footer.seq, footer.collection,
                         segment.row_count(), footer.max_lsn));
}

/// The first access verifies the whole column: ids ascending without a duplicate, and so on.
void check_columns(const Run& run, const NamedSegment& named, const Segment& segment) {
  const segment::Footer& footer = segment.footer();
  if (segment.row_count() > 0) (void)segment.id(0);
  for (std::uint32_t row = 0; row < segment.row_count() && !segment.failed(); ++row) {
    const Lsn version = segment.version(row);
    if (version >= footer.min_lsn && version <= footer.max_lsn) continue;
    run.report(*named.seg, FindingId::kSegmentStructure, {},
               fmt::format("row {}: expected a version from {} to {}, found {}", row,
                           footer.min_lsn, footer.max_lsn, version));
    return;
  }
  if (!segment.failed()) return;
  const auto damage = segment.damage();
  run.report(*named.seg, FindingId::kSegmentStructure, {},
             damage ? damage->message : "a page of the file cannot be read");
}

/// The rows that died; nothing if they cannot be known.
std::optional<std::vector<std::uint32_t>> check_dead(const Run& run,
                                                     const NamedCollection& collection,
                                                     const NamedSegment& named) {
  const manifest::SegmentEntry& entry = *named.entry;
  if (named.dead == nullptr) return std::vector<std::uint32_t>{};
  if (!named.dead->usable()) return std::nullopt;
  auto dead = segment::read_dead_rows(run.env, named.dead->path);
  if (!dead) {
    report_derived(run, *named.dead, FindingId::kDeadRows, dead.error());
    return std::nullopt;
  }
  if (dead->epoch == entry.epoch && dead->seq == entry.seq && dead->row_count == entry.rows &&
      dead->rows.size() == entry.dead_rows && dead->as_of <= collection.entry->flushed_lsn) {
    return std::move(dead->rows);
  }
  run.report(
      *named.dead, FindingId::kDeadRows, {},
      fmt::format("expected {} dead of the {} rows of segment {}-{}, found {} of {} of {}-{}",
                  entry.dead_rows, entry.rows, entry.epoch, entry.seq, dead->rows.size(),
                  dead->row_count, dead->epoch, dead->seq));
  return std::nullopt;
}

void check_index(const Run& run, const NamedCollection& collection, NamedFile& file,
                 const Segment& segment, const std::vector<std::uint32_t>& dead) {
  // Mapped: a check needs no copy in memory.
  const std::vector<index::Placement> mapped(segment.footer().columns.size(),
                                             index::Placement::kMapped);
  const auto opened = index::IndexFile::open(run.env, file.path, segment, mapped);
  if (!opened) return report_derived(run, file, FindingId::kIndexContent, opened.error());
  if (run.level < Level::kSearch) return;
  check_search(run, collection, file, segment, **opened, dead);
  run.pace.spend(segment.file().file_size());
}

void check_fields(const Run& run, NamedFile& file, std::uint32_t rows) {
  const auto opened = payload::FieldsFile::open(run.env, file.path, rows);
  if (!opened) return report_derived(run, file, FindingId::kFieldsContent, opened.error());
  const payload::FieldsFile::State& state = (*opened)->state();
  for (const auto& entry : state.entries) {
    const auto column = state.column(*entry);
    if (column) continue;
    return report_derived(run, file, FindingId::kFieldsContent, column.error());
  }
}

}  // namespace

LiveRows check_segment(const Run& run, const NamedCollection& collection,
                       const NamedSegment& named) {
  const auto dead = check_dead(run, collection, named);
  if (!named.seg->usable()) return {};
  const auto segment = open_segment(run, *named.seg);
  if (segment == nullptr) return {};
  check_identity(run, collection, named, *segment);
  check_columns(run, named, *segment);
  if (run.level < Level::kContents || named.seg->damaged) return {};
  if (named.fields != nullptr && named.fields->usable())
    check_fields(run, *named.fields, segment->row_count());
  const std::vector<std::uint32_t> none;
  LiveRows live = check_rows(run, *named.seg, *segment, dead ? *dead : none);
  // After the rows: a search among wrong ones tells nothing.
  if (named.index != nullptr && named.index->usable() && !named.seg->damaged)
    check_index(run, collection, *named.index, *segment, dead ? *dead : none);
  live.known = live.known && dead.has_value();
  return live;
}

void check_totals(const Run& run, const NamedCollection& collection, const LiveRows& sum) {
  const manifest::CollectionEntry& entry = *collection.entry;
  const std::string& file = run.paths.root;
  if (const auto definition = collection::definition_from_json(entry.definition_json); !definition)
    run.findings.add(FindingId::kDefinition, file, {}, entry.name, definition.error().message);
  if (!sum.known) return;  // Why is a finding already.
  if (sum.points != entry.points) {
    run.findings.add(FindingId::kPointCount, file, {}, entry.name,
                     fmt::format("expected {} points at lsn {}, found {}", entry.points,
                                 entry.flushed_lsn, sum.points));
  }
  if (sum.digest != entry.digest) {
    run.findings.add(FindingId::kDigest, file, {}, entry.name,
                     fmt::format("expected digest {:016x} at lsn {}, found {:016x}", entry.digest,
                                 entry.flushed_lsn, sum.digest));
  }
}

}  // namespace vz::check
