#include "engine/node/housekeeper.h"

#include <algorithm>
#include <chrono>

#include "storage/base/log.h"

namespace vz::node {
namespace {

using collection::LiveCollection;
using collection::SealedPart;

std::int64_t ms_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() -
                                                               begin)
      .count();
}

manifest::SegmentEntry* entry_of(manifest::CollectionEntry& entry, const SealedPart& part) {
  for (manifest::SegmentEntry& segment : entry.segments)
    if (segment.seq == part.seq() && segment.epoch == part.epoch()) return &segment;
  return nullptr;
}

bool serves(const collection::Parts& parts, const std::shared_ptr<SealedPart>& part) {
  return std::find(parts.segments.begin(), parts.segments.end(), part) != parts.segments.end();
}

}  // namespace

manifest::SegmentEntry Housekeeper::unpublished(const collection::PartNumbers& numbers) {
  return {.epoch = numbers.epoch,
          .seq = numbers.seq,
          .rows = 0,
          .seg = {},
          .dead = {},
          .index = manifest::VersionedFile{numbers.index, {}},
          .fields = manifest::VersionedFile{numbers.fields, {}}};
}

void Housekeeper::discard(CollectionId collection, const manifest::SegmentEntry& entry) {
  const store::Paths& paths = store_.paths();
  if (store_.restore_pending()) return;  // By now it may be a file that tar has put there.
  // Best effort: what stays is removed at the next start.
  (void)store_.env().remove(paths.seg(collection, entry.epoch, entry.seq));
  if (entry.index)
    (void)store_.env().remove(paths.index(collection, entry.epoch, entry.seq, entry.index->number));
  if (entry.fields)
    (void)store_.env().remove(
        paths.fields(collection, entry.epoch, entry.seq, entry.fields->number));
}

/// For every segment with deaths that its dead file does not hold yet: a new one, with exactly the
/// rows that died at or below `as_of`.
Status Housekeeper::write_deaths(const LiveCollection& collection, Lsn as_of,
                                 manifest::CollectionEntry& entry) {
  const auto parts = collection.view().parts;
  for (const auto& part : parts->segments) {
    manifest::SegmentEntry* segment = entry_of(entry, *part);
    if (segment == nullptr)
      return fail(ErrorCode::kInternal, "a segment in service is not in the manifest");
    auto dead = collection::dead_rows(*part, part->row_count(), as_of);
    if (dead.size() == segment->dead_rows && !part->deaths_lost()) continue;
    VZ_TRY(collection::write_dead(store_, collection.id(), std::move(dead), as_of,
                                  publisher_.allocate_number(), *segment));
  }
  return {};
}

Result<bool> Housekeeper::seal_oldest(LiveCollection& collection) {
  MutexLock lock(seal_mutex_);
  const auto begin = std::chrono::steady_clock::now();
  if (collection.view().parts->frozen.empty() || collection.dropped()) return false;
  // Between two groups everything applied is durable: a seal never holds what the log may lose.
  writer_.run_between_groups([](const log::NodeState&) {});
  if (writer_.poisoned()) return fail(ErrorCode::kUnavailable, "the log has failed");

  const collection::FrozenMemtable frozen = collection.view().parts->frozen.front();
  const collection::MemtableRows rows(frozen);
  auto tombstones = rows.tombstones();
  std::optional<manifest::SegmentEntry> written;
  std::shared_ptr<SealedPart> part;
  if (rows.row_count() > 0 || !tombstones.empty()) {
    const collection::PartNumbers numbers = publisher_.allocate();
    auto sealed = collection::write_part(
        store_.env(), store_.paths(), collection,
        {.rows = rows, .tombstones = std::move(tombstones), .replaces = {}}, numbers,
        {.graph = index::GraphPolicy::kCodesOnly, .zstd_level = options_.zstd_level()});
    if (!sealed) discard(collection.id(), unpublished(numbers));
    VZ_TRY_ASSIGN(written, std::move(sealed));
    VZ_TRY_ASSIGN(part, SealedPart::open(store_.env(), store_.paths(), collection.id(), *written,
                                         *collection.definition()));
  }
  const Status published = publisher_.publish(
      collection.id(),
      [&](manifest::CollectionEntry& entry) -> Status {
        VZ_TRY(write_deaths(collection, frozen.flushed_lsn, entry));
        if (written) entry.segments.push_back(*written);
        entry.flushed_lsn = frozen.flushed_lsn;
        entry.points = frozen.points;
        entry.digest = frozen.digest;
        entry.updated_at_us = frozen.updated_at_us;
        return {};
      },
      [&] { collection.replace_frozen(part, rows.order()); });
  if (!published) {
    if (written && published.error().code == ErrorCode::kNotFound)
      discard(collection.id(), *written);
    if (published.error().code == ErrorCode::kNotFound) return false;
    return tl::unexpected<Error>(published.error());
  }
  LogEvent(LogLevel::kInfo, "segment_sealed")
      .with("collection", collection.name())
      .with("rows", rows.row_count())
      .with("flushed_lsn", frozen.flushed_lsn)
      .with("took_ms", ms_since(begin));
  return true;
}

Status Housekeeper::seal_memory(LiveCollection& collection) {
  writer_.run_between_groups(
      [&](const log::NodeState&) { collection.freeze(writer_.next_lsn() - 1); });
  for (bool more = true; more;) {
    VZ_TRY_ASSIGN(more, seal_oldest(collection));
  }
  return {};
}

bool Housekeeper::derived_outdated(const LiveCollection& collection, const SealedPart& part) {
  if (part.row_count() == 0 || !part.damage().empty()) return false;
  const auto definition = collection.definition();
  const auto built = built_for_.find(part.seq());
  if (part.needs_rebuild()) return built == built_for_.end() || built->second != definition->fields;
  const auto derived = part.derived();
  const bool lacks_column =
      derived->fields != nullptr &&
      std::any_of(definition->fields.begin(), definition->fields.end(),
                  [&](const auto& field) { return !derived->fields->has_column(field.path); });
  return lacks_column && (built == built_for_.end() || built->second != definition->fields);
}

Result<bool> Housekeeper::merge_next(LiveCollection& collection, collection::Activity activity,
                                     std::stop_token stop) {
  MutexLock lock(merge_mutex_);
  if (collection.dropped()) return false;
  const auto parts = collection.view().parts;
  for (const auto& part : parts->segments) {
    if (!derived_outdated(collection, *part)) continue;
    VZ_TRY(rebuild(collection, part, stop));
    return true;
  }
  auto known = publisher_.entry(collection.id());
  if (!known) return false;  // Never sealed.
  std::vector<collection::SegmentSummary> summaries;
  for (const auto& part : parts->segments) {
    const manifest::SegmentEntry* entry = entry_of(*known, *part);
    if (entry == nullptr || !part->damage().empty()) return false;
    summaries.push_back({.rows = part->row_count(),
                         .dead_rows = entry->dead_rows,
                         .has_graph = part->has_graph(),
                         .settled = part->settled()});
  }
  const auto plan = collection::plan_merge(summaries, activity);
  if (plan.empty()) return false;
  Segments inputs;
  for (const std::size_t at : plan) inputs.push_back(parts->segments[at]);
  // One that is to lose dead rows as well would have its graph built twice.
  const bool sound = activity != collection::Activity::kAsked || summaries[plan[0]].dead_rows == 0;
  if (inputs.size() == 1 && !inputs.front()->settled() && sound) {
    VZ_TRY(rebuild(collection, inputs.front(), stop));
  } else {
    VZ_TRY(merge(collection, inputs, parts->segments, stop));
  }
  return true;
}

Result<bool> Housekeeper::rewrite(LiveCollection& collection,
                                  const std::shared_ptr<SealedPart>& part, std::stop_token stop) {
  MutexLock lock(merge_mutex_);
  const auto parts = collection.view().parts;
  if (collection.dropped() || !serves(*parts, part)) return false;
  VZ_TRY(merge(collection, {part}, parts->segments, std::move(stop)));
  return true;
}

Result<bool> Housekeeper::rebuild_derived(LiveCollection& collection,
                                          const std::shared_ptr<SealedPart>& part,
                                          std::stop_token stop) {
  MutexLock lock(merge_mutex_);
  if (collection.dropped() || !serves(*collection.view().parts, part)) return false;
  if (part->row_count() == 0) return false;  // Tombstones alone: it has none.
  VZ_TRY(rebuild(collection, part, std::move(stop)));
  return true;
}

Result<bool> Housekeeper::rewrite_deaths(LiveCollection& collection,
                                         const std::shared_ptr<SealedPart>& part) {
  MutexLock lock(merge_mutex_);
  if (collection.dropped() || !serves(*collection.view().parts, part)) return false;
  VZ_TRY(publish_segment(
      collection, *part,
      [&](Lsn flushed, manifest::SegmentEntry& segment) {
        return collection::write_dead(store_, collection.id(),
                                      collection::dead_rows(*part, part->row_count(), flushed),
                                      flushed, publisher_.allocate_number(), segment);
      },
      [] {}));
  return true;
}

Status Housekeeper::publish_segment(const LiveCollection& collection, const SealedPart& part,
                                    const SegmentEdit& edit, const Publisher::Swap& apply) {
  return publisher_.publish(
      collection.id(),
      [&](manifest::CollectionEntry& entry) -> Status {
        manifest::SegmentEntry* segment = entry_of(entry, part);
        if (segment == nullptr)
          return fail(ErrorCode::kInternal, "the segment is not in the manifest");
        return edit(entry.flushed_lsn, *segment);
      },
      apply);
}

Result<Garbage> Housekeeper::collect_garbage() {
  // A file that a seal or a merge has begun has no name in an image yet.
  MutexLock merges(merge_mutex_);
  MutexLock seals(seal_mutex_);
  return publisher_.collect_garbage();
}

Status Housekeeper::rebuild(LiveCollection& collection, const std::shared_ptr<SealedPart>& part,
                            std::stop_token stop) {
  const auto begin = std::chrono::steady_clock::now();
  const auto fields = collection.definition()->fields;
  VZ_TRY_ASSIGN(auto known, publisher_.entry(collection.id()));
  const manifest::SegmentEntry* present = entry_of(known, *part);
  if (present == nullptr) return fail(ErrorCode::kInternal, "the segment is not in the manifest");
  const collection::PartNumbers numbers = publisher_.allocate();
  auto built = collection::rebuild_derived(
      store_.env(), store_.paths(), collection, *part, *present, numbers,
      {.graph = index::GraphPolicy::kBySize, .threads = options_.index_threads, .stop = stop});
  if (!built) {
    for (const std::string& path :
         {store_.paths().index(collection.id(), part->epoch(), part->seq(), numbers.index),
          store_.paths().fields(collection.id(), part->epoch(), part->seq(), numbers.fields)})
      (void)store_.env().remove(path);
    // What passes is tried again; the same bytes would fail in the same way.
    if (built.error().code == ErrorCode::kCorruption) built_for_[part->seq()] = fields;
    return tl::unexpected<Error>(std::move(built).error());
  }
  built_for_[part->seq()] = fields;
  const manifest::SegmentEntry rebuilt = *std::move(built);
  auto derived = std::make_shared<collection::Derived>();
  const store::Paths& paths = store_.paths();
  VZ_TRY_ASSIGN(derived->index,
                index::IndexFile::open(
                    store_.env(),
                    paths.index(collection.id(), rebuilt.epoch, rebuilt.seq, rebuilt.index->number),
                    part->segment(), collection::index_placements(*collection.definition())));
  VZ_TRY_ASSIGN(derived->fields,
                payload::FieldsFile::open(store_.env(),
                                          paths.fields(collection.id(), rebuilt.epoch, rebuilt.seq,
                                                       rebuilt.fields->number),
                                          part->row_count()));
  VZ_TRY(publish_segment(
      collection, *part,
      [&](Lsn, manifest::SegmentEntry& segment) -> Status {
        segment.index = rebuilt.index;
        segment.fields = rebuilt.fields;
        return {};
      },
      [&] {
        part->set_derived(derived);
        part->mark_settled();
        collection.part_changed();
      }));
  LogEvent(LogLevel::kInfo, "segment_indexed")
      .with("collection", collection.name())
      .with("rows", part->row_count())
      .with("took_ms", ms_since(begin));
  return {};
}

/// A merge that meets the end of the disk takes, until then, the space that the log may need.
Status Housekeeper::require_room(const Segments& inputs) const {
  std::uint64_t needed = 0;
  for (const auto& input : inputs) needed += input->file_bytes();
  VZ_TRY_ASSIGN(const DiskSpace space, store_.env().disk_space(store_.paths().root));
  if (space.free_bytes >= needed) return {};
  return fail(ErrorCode::kNoSpace, "a merge needs up to " + std::to_string(needed) +
                                       " bytes and the disk has " +
                                       std::to_string(space.free_bytes));
}

Status Housekeeper::merge(LiveCollection& collection, const Segments& inputs, const Segments& all,
                          std::stop_token stop) {
  const auto begin = std::chrono::steady_clock::now();
  VZ_TRY(require_room(inputs));
  // Rows that died after the flushed lsn stay: the log's replay may edit or kill them once more.
  VZ_TRY_ASSIGN(const auto known, publisher_.entry(collection.id()));
  VZ_TRY_ASSIGN(const auto rows, collection::MergedRows::make(inputs, known.flushed_lsn));
  auto tombstones = collection::merged_tombstones(inputs, all, rows);
  std::vector<SegmentSeq> replaces;
  for (const auto& input : inputs) replaces.push_back(input->seq());

  std::optional<manifest::SegmentEntry> written;
  std::shared_ptr<SealedPart> output;
  if (rows.row_count() > 0 || !tombstones.empty()) {
    const collection::PartNumbers numbers = publisher_.allocate();
    auto part = collection::write_part(
        store_.env(), store_.paths(), collection,
        {.rows = rows, .tombstones = std::move(tombstones), .replaces = std::move(replaces)},
        numbers,
        {.graph = index::GraphPolicy::kBySize,
         .threads = options_.index_threads,
         .stop = stop,
         .zstd_level = options_.zstd_level()});
    // Nobody knows it: on a full disk its first files would be held for nothing.
    if (!part) discard(collection.id(), unpublished(numbers));
    VZ_TRY_ASSIGN(written, std::move(part));
    VZ_TRY_ASSIGN(output, SealedPart::open(store_.env(), store_.paths(), collection.id(), *written,
                                           *collection.definition()));
    output->mark_settled();
  }

  const auto edit = [&](manifest::CollectionEntry& entry) -> Status {
    if (written) {
      std::vector<std::uint32_t> dead;
      const auto& sources = rows.sources();
      for (std::uint32_t row = 0; row < sources.size(); ++row)
        if (inputs[sources[row].input]->dead().dead_at(sources[row].row, entry.flushed_lsn))
          dead.push_back(row);
      VZ_TRY(collection::write_dead(store_, collection.id(), std::move(dead), entry.flushed_lsn,
                                    publisher_.allocate_number(), *written));
    }
    auto& segments = entry.segments;
    const auto is_input = [&](const manifest::SegmentEntry& segment) {
      return std::any_of(inputs.begin(), inputs.end(), [&](const auto& input) {
        return input->seq() == segment.seq && input->epoch() == segment.epoch;
      });
    };
    const auto position =
        std::find_if(segments.begin(), segments.end(), is_input) - segments.begin();
    segments.erase(std::remove_if(segments.begin(), segments.end(), is_input), segments.end());
    if (written) segments.insert(segments.begin() + position, *written);
    return {};
  };
  const Status published = publisher_.publish(
      collection.id(), edit, [&] { collection.replace_segments(inputs, output, rows.sources()); });
  if (!published) {
    // After any other failure the image that names the new file may be the one on the disk: which
    // one is in force, and what it does not name, the next start tells.
    if (published.error().code != ErrorCode::kNotFound) return published;
    if (written) discard(collection.id(), *written);
    return {};
  }
  LogEvent(LogLevel::kInfo, "segments_merged")
      .with("collection", collection.name())
      .with("inputs", inputs.size())
      .with("rows", rows.row_count())
      .with("took_ms", ms_since(begin));
  return {};
}

}  // namespace vz::node
