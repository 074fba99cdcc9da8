// The steps of an application, in the order that repair.h promises.
#include <algorithm>
#include <utility>

#include "engine/collection/definition.h"
#include "engine/collection/part_writer.h"
#include "tools/offline/repair_plan.h"
#include "tools/offline/segment_rows.h"

namespace vz::offline {
namespace {

/// The rows of a damaged segment that go on.
class KeptRows final : public segment::RowSource {
 public:
  KeptRows(const std::vector<KeptRow>& kept, SegmentRows* source) : kept_(kept), source_(source) {}

  [[nodiscard]] std::uint32_t row_count() const override {
    return static_cast<std::uint32_t>(kept_.size());
  }
  [[nodiscard]] PointId id(std::uint32_t row) const override { return kept_[row].id; }
  [[nodiscard]] Lsn version(std::uint32_t row) const override { return kept_[row].version; }
  [[nodiscard]] std::uint64_t row_hash(std::uint32_t row) const override { return kept_[row].hash; }
  Result<std::optional<segment::VectorRef>> vector(std::size_t column,
                                                   std::uint32_t row) const override {
    return source_->vector(column, kept_[row].row);
  }
  Result<std::string_view> payload(std::uint32_t row) const override {
    return source_->payload(kept_[row].row);
  }

 private:
  const std::vector<KeptRow>& kept_;
  SegmentRows* source_;  ///< not null if there is a row
};

class Application {
 public:
  Application(Env& env, const store::Paths& paths, const RepairOptions& options, RepairPlan& plan)
      : env_(env), paths_(paths), options_(options), plan_(plan), image_(plan.image) {}

  Status run() {
    VZ_TRY(keep_copies());
    if (plan_.new_image) {
      image_.number = std::max(plan_.seen.manifest_number, image_.number) + 1;
      image_.next_seq = std::max(image_.next_seq, plan_.seen.next_seq);
      image_.next_file_number = std::max(image_.next_file_number, plan_.seen.next_file_number);
      for (const CollectionRepair& repair : plan_.collections) VZ_TRY(write_collection(repair));
      if (plan_.new_epoch) begin_epoch();
    }
    if (plan_.new_image || plan_.current_only) VZ_TRY(manifest::publish(env_, paths_.root, image_));
    VZ_TRY(cut_log());
    for (const std::string& path : plan_.removed) VZ_TRY(remove(path));
    if (plan_.directories_lost) {
      VZ_TRY(env_.create_directory(paths_.wal()));
      VZ_TRY(env_.create_directory(paths_.collections()));
      VZ_TRY(env_.sync_directory(paths_.root));
    }
    if (plan_.format_lost) {
      VZ_TRY_ASSIGN(const auto identity, store::new_identity());
      VZ_TRY(publish_file(env_, paths_.format(), as_bytes(store::encode_identity(identity))));
    }
    plan_.report.applied = true;
    return {};
  }

 private:
  Status keep_copies() {
    plan_.report.quarantined.clear();
    for (const QuarantineRecord& record : plan_.quarantine) {
      VZ_TRY_ASSIGN(const auto kept, keep_in_quarantine(env_, paths_, record));
      plan_.report.quarantined.push_back(kept.name);
    }
    return {};
  }

  [[nodiscard]] Epoch epoch() const {
    if (plan_.new_epoch) return plan_.report.new_epoch;
    return std::max<Epoch>(1, plan_.seen.epoch);
  }

  Status write_collection(const CollectionRepair& repair) {
    const auto at = std::find_if(image_.collections.begin(), image_.collections.end(),
                                 [&](const auto& entry) { return entry.id == repair.entry.id; });
    VZ_ASSERT(at != image_.collections.end());
    VZ_TRY_ASSIGN(const auto definition,
                  collection::definition_from_json(repair.entry.definition_json));
    *at = repair.entry;
    at->segments.clear();
    for (const SegmentWork& work : repair.segments) {
      manifest::SegmentEntry entry = work.entry;
      if (work.remade && work.rows.empty() && work.tombstones.empty()) continue;
      if (work.remade) {
        VZ_TRY_ASSIGN(entry, write_anew(repair.entry, definition, work));
      } else {
        VZ_TRY(write_derived(repair.entry, definition, work, entry));
      }
      at->segments.push_back(std::move(entry));
    }
    return {};
  }

  Result<manifest::SegmentEntry> write_anew(const manifest::CollectionEntry& collection,
                                            const collection::CollectionDefinition& definition,
                                            const SegmentWork& work) {
    std::unique_ptr<SegmentRows> source;
    if (!work.rows.empty()) {
      VZ_TRY_ASSIGN(source, SegmentRows::open(env_, work.source));
    }
    manifest::SegmentEntry entry{.epoch = epoch(),
                                 .seq = image_.next_seq++,
                                 .rows = static_cast<std::uint32_t>(work.rows.size())};
    segment::Footer footer;
    footer.collection = collection.id;
    footer.collection_name = collection.name;
    footer.definition_json = collection.definition_json;
    footer.epoch = entry.epoch;
    footer.seq = entry.seq;
    footer.replaces = {work.entry.seq};
    footer.tombstones = work.tombstones;
    footer.columns = collection::columns_of(definition);
    VZ_TRY(env_.create_directory(paths_.collections()));
    VZ_TRY(env_.create_directory(paths_.collection(collection.id)));
    VZ_TRY(env_.sync_directory(paths_.collections()));
    const std::string path = paths_.seg(collection.id, entry.epoch, entry.seq);
    VZ_TRY_ASSIGN(entry.seg, segment::write_segment(env_, path, std::move(footer),
                                                    KeptRows(work.rows, source.get()), {}));
    if (entry.rows == 0) return entry;
    VZ_TRY_ASSIGN(const auto written, segment::Segment::open(env_, path));
    VZ_TRY(write_index(definition, *written, entry));
    VZ_TRY(write_fields(definition, *written, entry));
    return entry;
  }

  Status write_index(const collection::CollectionDefinition& definition,
                     const segment::Segment& segment, manifest::SegmentEntry& entry) {
    VZ_TRY_ASSIGN(entry.index, collection::write_index(env_, paths_, definition, segment,
                                                       image_.next_file_number++,
                                                       {.threads = options_.threads}));
    return {};
  }

  Status write_fields(const collection::CollectionDefinition& definition,
                      const segment::Segment& segment, manifest::SegmentEntry& entry) {
    VZ_TRY_ASSIGN(entry.fields, collection::write_fields(env_, paths_, definition, segment,
                                                         image_.next_file_number++));
    return {};
  }

  Status write_derived(const manifest::CollectionEntry& collection,
                       const collection::CollectionDefinition& definition, const SegmentWork& work,
                       manifest::SegmentEntry& entry) {
    if (work.dead) {
      entry.dead.reset();
      entry.dead_rows = static_cast<std::uint32_t>(work.dead->size());
      if (!work.dead->empty()) {
        const std::uint64_t number = image_.next_file_number++;
        const std::string path = paths_.dead(collection.id, entry.epoch, entry.seq, number);
        VZ_TRY_ASSIGN(const auto info, segment::write_dead_rows(env_, path,
                                                                {.epoch = entry.epoch,
                                                                 .seq = entry.seq,
                                                                 .as_of = collection.flushed_lsn,
                                                                 .row_count = entry.rows,
                                                                 .rows = *work.dead}));
        entry.dead = manifest::VersionedFile{number, info};
      }
    }
    if (!work.index && !work.fields) return {};
    VZ_TRY_ASSIGN(const auto segment,
                  segment::Segment::open(env_, paths_.seg(collection.id, entry.epoch, entry.seq)));
    if (work.index) VZ_TRY(write_index(definition, *segment, entry));
    if (work.fields) VZ_TRY(write_fields(definition, *segment, entry));
    return {};
  }

  /// The log as the plan's epoch finds it.
  void begin_epoch() {
    image_.clean_lsn = 0;
    if (plan_.log.cut->first_lost > image_.log_lsn) return;  // Records in front are needed.
    image_.log_lsn = plan_.report.new_first_lsn;
    image_.catalog_lsn = plan_.report.new_first_lsn - 1;
  }

  Status cut_log() {
    if (const auto& tail = plan_.log.torn_tail) {
      VZ_TRY(env_.create_directory(paths_.quarantine()));
      VZ_TRY(wal::cut_torn_tail(env_, *tail, wal::torn_tail_path(paths_.quarantine(), *tail)));
    }
    if (!plan_.log.cut) return {};
    const LogCut& cut = *plan_.log.cut;
    // The last one first: a kill in between leaves no hole.
    for (auto path = cut.removed.rbegin(); path != cut.removed.rend(); ++path)
      VZ_TRY(remove(*path));
    if (cut.path.empty()) return {};
    VZ_TRY_ASSIGN(const auto file, env_.open(cut.path, OpenMode::kReadWrite));
    VZ_TRY(file->truncate(cut.offset));
    return file->sync();
  }

  /// A power cut may undo one removal, not the one before.
  Status remove(const std::string& path) {
    const Status removed = env_.remove(path);
    if (!removed && removed.error().code != ErrorCode::kNotFound) return removed;
    return env_.sync_directory(parent_directory(path));
  }

  Env& env_;
  const store::Paths& paths_;
  const RepairOptions& options_;
  RepairPlan& plan_;
  manifest::Manifest image_;
};

}  // namespace

Status apply_repair(Env& env, const store::Paths& paths, const RepairOptions& options,
                    RepairPlan& plan) {
  return Application(env, paths, options, plan).run();
}

}  // namespace vz::offline
