#include "engine/collection/part_writer.h"

#include <algorithm>
#include <map>

namespace vz::collection {
namespace {

std::vector<index::ColumnPlan> plans_of(const CollectionDefinition& definition) {
  std::vector<index::ColumnPlan> plans;
  for (std::size_t c = 0; c < definition.vectors.size(); ++c) {
    const VectorDefinition& vector = definition.vectors[c];
    if (vector.kind != segment::VectorKind::kDense) continue;
    plans.push_back(
        {.column = c, .distance = vector.distance, .hnsw = vector.hnsw.value_or(definition.hnsw)});
  }
  return plans;
}

/// Newest tombstone of each id, sorted, without the ids for which `lives` is true.
template <typename Lives>
std::vector<segment::Tombstone> newest_of_each(std::vector<segment::Tombstone> all,
                                               const Lives& lives) {
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) {
    return a.id != b.id ? a.id < b.id : a.lsn > b.lsn;
  });
  all.erase(std::unique(all.begin(), all.end(),
                        [](const auto& a, const auto& b) { return a.id == b.id; }),
            all.end());
  std::erase_if(all, lives);
  return all;
}

}  // namespace

Result<manifest::SegmentEntry> write_part(Env& env, const store::Paths& paths,
                                          const LiveCollection& collection, PartContent content,
                                          const PartNumbers& numbers,
                                          const PartWriteOptions& options) {
  const auto definition = collection.definition();
  segment::Footer footer;
  footer.collection = collection.id();
  footer.collection_name = collection.name();
  footer.definition_json = to_json(*definition);
  footer.epoch = numbers.epoch;
  footer.seq = numbers.seq;
  footer.replaces = std::move(content.replaces);
  footer.tombstones = std::move(content.tombstones);
  footer.columns = columns_of(*definition);

  VZ_TRY(env.create_directory(paths.collection(collection.id())));
  VZ_TRY(env.sync_directory(paths.collections()));
  const std::string path = paths.seg(collection.id(), numbers.epoch, numbers.seq);
  manifest::SegmentEntry entry{.epoch = numbers.epoch,
                               .seq = numbers.seq,
                               .rows = content.rows.row_count(),
                               .seg = {},
                               .dead = {},
                               .index = {},
                               .fields = {}};
  VZ_TRY_ASSIGN(entry.seg, segment::write_segment(env, path, std::move(footer), content.rows,
                                                  {.zstd_level = options.zstd_level}));
  if (entry.rows == 0) return entry;
  VZ_TRY_ASSIGN(const auto part, SealedPart::open(env, paths, collection.id(), entry, *definition));
  return rebuild_derived(env, paths, collection, *part, std::move(entry), numbers, options);
}

Result<manifest::VersionedFile> write_index(Env& env, const store::Paths& paths,
                                            const CollectionDefinition& definition,
                                            const segment::Segment& segment, std::uint64_t number,
                                            const PartWriteOptions& options) {
  const segment::Footer& of = segment.footer();
  VZ_TRY_ASSIGN(
      const auto info,
      index::build_index(
          env, paths.index(of.collection, of.epoch, of.seq, number), segment, plans_of(definition),
          {.graph = options.graph, .threads = options.threads, .stop = options.stop}));
  return manifest::VersionedFile{number, info};
}

Result<manifest::VersionedFile> write_fields(Env& env, const store::Paths& paths,
                                             const CollectionDefinition& definition,
                                             const segment::Segment& segment,
                                             std::uint64_t number) {
  const segment::Footer& of = segment.footer();
  std::string text;
  const auto payload = [&](std::uint32_t row) -> Result<std::string_view> {
    VZ_TRY_ASSIGN(text, segment.payload(row));
    return std::string_view(text);
  };
  VZ_TRY_ASSIGN(const auto info,
                payload::build_fields(env, paths.fields(of.collection, of.epoch, of.seq, number),
                                      segment.row_count(), payload, definition.fields));
  return manifest::VersionedFile{number, info};
}

Result<manifest::SegmentEntry> rebuild_derived(Env& env, const store::Paths& paths,
                                               const LiveCollection& collection,
                                               const SealedPart& part, manifest::SegmentEntry entry,
                                               const PartNumbers& numbers,
                                               const PartWriteOptions& options) {
  const auto definition = collection.definition();
  VZ_TRY_ASSIGN(entry.index,
                write_index(env, paths, *definition, part.segment(), numbers.index, options));
  VZ_TRY_ASSIGN(entry.fields,
                write_fields(env, paths, *definition, part.segment(), numbers.fields));
  return entry;
}

std::vector<std::uint32_t> dead_rows(const Part& part, std::uint32_t rows, Lsn as_of) {
  std::vector<std::uint32_t> out;
  for (std::uint32_t row = 0; row < rows; ++row)
    if (part.dead().dead_at(row, as_of)) out.push_back(row);
  return out;
}

Status write_dead(store::Store& store, CollectionId collection, std::vector<std::uint32_t> rows,
                  Lsn as_of, std::uint64_t number, manifest::SegmentEntry& entry) {
  entry.dead_rows = static_cast<std::uint32_t>(rows.size());
  entry.dead.reset();
  if (rows.empty()) return {};
  const std::string path = store.paths().dead(collection, entry.epoch, entry.seq, number);
  VZ_TRY_ASSIGN(const auto info, segment::write_dead_rows(store.env(), path,
                                                          {.epoch = entry.epoch,
                                                           .seq = entry.seq,
                                                           .as_of = as_of,
                                                           .row_count = entry.rows,
                                                           .rows = std::move(rows)}));
  entry.dead = manifest::VersionedFile{number, info};
  return {};
}

MemtableRows::MemtableRows(const FrozenMemtable& frozen)
    : table_(*frozen.memtable), flushed_lsn_(frozen.flushed_lsn) {
  for (std::uint32_t row = 0; row < table_.rows(); ++row)
    if (table_.alive(row, flushed_lsn_)) order_.push_back(row);
  std::sort(order_.begin(), order_.end(),
            [this](std::uint32_t a, std::uint32_t b) { return table_.id(a) < table_.id(b); });
}

std::vector<segment::Tombstone> MemtableRows::tombstones() const {
  return newest_of_each(table_.tombstones(), [this](const segment::Tombstone& tombstone) {
    return table_.find(tombstone.id, flushed_lsn_).has_value();
  });
}

Result<MergedRows> MergedRows::make(std::span<const std::shared_ptr<SealedPart>> inputs,
                                    Lsn as_of) {
  MergedRows out(inputs);
  struct Source {
    PointId id;
    LiveCollection::MergedRow from;
  };
  std::vector<Source> rows;
  for (std::uint32_t input = 0; input < inputs.size(); ++input) {
    const SealedPart& part = *inputs[input];
    for (std::uint32_t row = 0; row < part.row_count(); ++row)
      if (!part.dead().dead_at(row, as_of)) rows.push_back({part.id(row), {input, row}});
    if (const std::string damage = part.damage(); !damage.empty())
      return fail(ErrorCode::kCorruption, damage);
  }
  // No id repeats: `as_of` is not below the lsn that any input was sealed at, and at one lsn at
  // most one row of an id lives.
  std::sort(rows.begin(), rows.end(), [](const Source& a, const Source& b) { return a.id < b.id; });
  for (const Source& row : rows) out.sources_.push_back(row.from);
  return out;
}

Result<std::string_view> MergedRows::payload(std::uint32_t row) const {
  VZ_TRY_ASSIGN(payload_, part(row).payload(sources_[row].row));
  return std::string_view(payload_);
}

std::vector<segment::Tombstone> merged_tombstones(
    std::span<const std::shared_ptr<SealedPart>> inputs,
    std::span<const std::shared_ptr<SealedPart>> all, const MergedRows& rows) {
  std::vector<segment::Tombstone> tombstones;
  for (const auto& input : inputs) {
    const auto& own = input->segment().footer().tombstones;
    tombstones.insert(tombstones.end(), own.begin(), own.end());
  }
  std::map<PointId, Lsn> versions;
  if (!tombstones.empty()) {
    for (std::uint32_t row = 0; row < rows.row_count(); ++row)
      versions[rows.id(row)] = rows.version(row);
  }
  const auto needless = [&](const segment::Tombstone& tombstone) {
    const auto alive = versions.find(tombstone.id);
    if (alive != versions.end() && alive->second >= tombstone.lsn) return true;
    return std::none_of(all.begin(), all.end(), [&](const std::shared_ptr<SealedPart>& other) {
      return std::find(inputs.begin(), inputs.end(), other) == inputs.end() &&
             other->segment().footer().min_lsn < tombstone.lsn;
    });
  };
  return newest_of_each(std::move(tombstones), needless);
}

}  // namespace vz::collection
