#include "tools/offline/repair_collection.h"

#include <algorithm>
#include <memory>

#include "engine/collection/definition.h"
#include "tools/offline/image_rebuild.h"
#include "tools/offline/liveness.h"
#include "tools/offline/segment_rows.h"

namespace vz::offline {
namespace {

using manifest::SegmentEntry;
using segment::Segment;

std::string relative(const store::Paths& paths, const std::string& path) {
  return path.substr(paths.root.size() + 1);
}

/// One segment while it is looked at.
struct Part {
  SegmentWork work{};
  bool bad = false;
  bool deaths_known = false;
  std::vector<bool> dead{};                ///< by row
  std::unique_ptr<Segment> segment{};      ///< unless bad
  std::unique_ptr<SegmentRows> rows{};     ///< if bad and there is a footer
  SegmentRows::IdsByRow ids{};             ///< if bad and there is none
  std::vector<SegmentRows::Row> judged{};  ///< of rows
  std::vector<KnownRow> known{};           ///< of judged, with an id
  std::vector<KnownRow> surviving{};       ///< rows of `work`
};

class CollectionPlan {
 public:
  CollectionPlan(Env& env, const store::Paths& paths, const manifest::CollectionEntry& entry,
                 const CollectionDamage& damage)
      : env_(env), paths_(paths), damage_(damage) {
    out_.entry = entry;
    out_.lost.collection = entry.id;
    out_.lost.name = entry.name;
  }

  Result<CollectionRepair> run() {
    bool recount = damage_.totals || damage_.rebuilt;
    for (const SegmentEntry& entry : out_.entry.segments) {
      VZ_TRY(classify(entry));
      recount = recount || parts_.back().bad || !parts_.back().deaths_known;
    }
    if (recount) VZ_TRY(recount_rows());
    out_.recounted = recount;
    for (Part& part : parts_) out_.segments.push_back(std::move(part.work));
    return std::move(out_);
  }

 private:
  [[nodiscard]] bool damaged(const std::string& path) const {
    return damage_.files.contains(relative(paths_, path));
  }

  Status classify(const SegmentEntry& entry) {
    const CollectionId id = out_.entry.id;
    Part& part = parts_.emplace_back();
    part.work.entry = entry;
    part.bad = damaged(paths_.seg(id, entry.epoch, entry.seq));
    part.dead.resize(entry.rows);
    part.work.index =
        entry.index && damaged(paths_.index(id, entry.epoch, entry.seq, entry.index->number));
    part.work.fields =
        entry.fields && damaged(paths_.fields(id, entry.epoch, entry.seq, entry.fields->number));
    if (damage_.rebuilt) return deaths_of_rebuilt(part);
    part.deaths_known = !entry.dead;
    if (!entry.dead || damaged(paths_.dead(id, entry.epoch, entry.seq, entry.dead->number)))
      return {};
    const auto dead =
        segment::read_dead_rows(env_, paths_.dead(id, entry.epoch, entry.seq, entry.dead->number));
    if (!dead) return {};
    for (const std::uint32_t row : dead->rows) part.dead[row] = true;
    part.deaths_known = true;
    return {};
  }

  /// A list that some image has named: not the whole truth, but no lie up to flushed_lsn.
  Status deaths_of_rebuilt(Part& part) {
    const SegmentEntry& entry = part.work.entry;
    const auto files = env_.list(paths_.collection(out_.entry.id));
    if (!files) return {};
    std::uint64_t newest = 0;
    for (const DirectoryEntry& file : *files) {
      const auto name = store::parse_data_file_name(file.name);
      if (!name || name->epoch != entry.epoch || name->seq != entry.seq ||
          name->kind != store::DataFileName::Kind::kDead || name->number < newest)
        continue;
      const auto dead = segment::read_dead_rows(
          env_, paths_.dead(out_.entry.id, entry.epoch, entry.seq, name->number));
      if (!dead || dead->row_count != entry.rows || dead->as_of > out_.entry.flushed_lsn) continue;
      newest = name->number;
      part.dead.assign(entry.rows, false);
      for (const std::uint32_t row : dead->rows) part.dead[row] = true;
    }
    return {};
  }

  Status recount_rows() {
    for (Part& part : parts_) VZ_TRY(part.bad ? judge(part) : open(part));
    find_dead();
    for (Part& part : parts_) {
      if (part.bad) take_rows(part);
    }
    explain_deaths();
    count_points();
    return {};
  }

  Status open(Part& part) {
    const SegmentEntry& entry = part.work.entry;
    VZ_TRY_ASSIGN(part.segment,
                  Segment::open(env_, paths_.seg(out_.entry.id, entry.epoch, entry.seq)));
    return {};
  }

  Status judge(Part& part) {
    const SegmentEntry& entry = part.work.entry;
    part.work.remade = true;
    part.work.index = part.work.fields = false;  // They come with the new segment.
    VZ_TRY(find_source(part));
    if (part.rows == nullptr) {
      auto ids = SegmentRows::ids_of_payload_blocks(
          env_, paths_.seg(out_.entry.id, entry.epoch, entry.seq));
      if (ids) part.ids = std::move(*ids);
    } else {
      part.dead.resize(part.rows->row_count());
      for (std::uint32_t row = 0; row < part.rows->row_count(); ++row)
        part.judged.push_back(part.rows->row(row));
    }
    for (std::uint32_t row = 0; row < part.dead.size(); ++row) {
      const SegmentRows::Row judged = judged_at(part, row);
      if (judged.id_known) part.known.push_back({row, judged.id, judged.version});
    }
    std::sort(part.known.begin(), part.known.end(),
              [](const KnownRow& a, const KnownRow& b) { return a.id < b.id; });
    return {};
  }

  /// The file that says that it is this segment: the one of its name, or one under another name.
  Status find_source(Part& part) {
    const SegmentEntry& entry = part.work.entry;
    const std::string path = paths_.seg(out_.entry.id, entry.epoch, entry.seq);
    if (found_.empty()) {
      VZ_TRY_ASSIGN(found_, find_segments(env_, paths_));
    }
    const FoundSegment* best = nullptr;
    for (const FoundSegment& found : found_) {
      if (!found.footer || found.footer->collection != out_.entry.id ||
          found.footer->epoch != entry.epoch || found.footer->seq != entry.seq)
        continue;
      if (best == nullptr || found.path == path) best = &found;
    }
    if (best == nullptr) return {};
    auto rows = SegmentRows::open(env_, best->path);
    if (!rows) return {};
    if (!has_the_columns(**rows)) return {};
    // Another row count: not the segment that the image means, so row numbers mean nothing.
    if (!damage_.rebuilt && (*rows)->row_count() != entry.rows) return {};
    part.work.source = best->path;
    part.rows = std::move(*rows);
    return {};
  }

  /// The vectors of the collection, one by one: nothing else can go into a segment of it.
  [[nodiscard]] bool has_the_columns(const SegmentRows& rows) const {
    const auto definition = collection::definition_from_json(out_.entry.definition_json);
    return definition && rows.columns() == collection::columns_of(*definition);
  }

  [[nodiscard]] static std::vector<segment::Tombstone> tombstones_of(const Part& part) {
    if (part.segment != nullptr) return part.segment->footer().tombstones;
    return part.rows != nullptr ? part.rows->tombstones() : std::vector<segment::Tombstone>{};
  }

  /// Of what is there, or of what will be there when the damaged segments have been written anew.
  [[nodiscard]] std::vector<std::vector<std::uint32_t>> superseded(bool of_survivors) const {
    std::vector<Generation> generations;
    for (const Part& part : parts_) {
      const auto& listed = of_survivors ? part.surviving : part.known;
      generations.push_back(
          {.seq = part.work.entry.seq,
           .rows = part.segment != nullptr ? rows_of(*part.segment) : rows_of(listed),
           .tombstones = tombstones_of(part)});
    }
    return superseded_rows(generations);
  }

  void find_dead() {
    const auto replaced = superseded(false);
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      Part& part = parts_[i];
      if (part.deaths_known) continue;
      for (const std::uint32_t row : replaced[i]) part.dead[row] = true;
      const auto count =
          static_cast<std::uint32_t>(std::count(part.dead.begin(), part.dead.end(), true));
      if (!damage_.rebuilt && count < part.work.entry.dead_rows)
        out_.lost.returned += part.work.entry.dead_rows - count;
      if (part.bad) continue;
      std::vector<std::uint32_t> rows;
      for (std::uint32_t row = 0; row < part.dead.size(); ++row)
        if (part.dead[row]) rows.push_back(row);
      part.work.dead = std::move(rows);
    }
  }

  /// Without a footer nothing is known of a row but the id that a payload block repeats.
  [[nodiscard]] SegmentRows::Row judged_at(const Part& part, std::uint32_t row) const {
    if (part.rows != nullptr) return part.judged[row];
    const auto id = part.ids.find(row);
    if (id == part.ids.end()) return {};
    return {.id_known = true, .id = id->second, .version = out_.entry.flushed_lsn};
  }

  void take_rows(Part& part) {
    std::optional<PointId> before;  // The last id that could be read.
    bool open_gap = false;
    for (std::uint32_t row = 0; row < part.dead.size(); ++row) {
      const SegmentRows::Row judged = judged_at(part, row);
      if (judged.id_known && open_gap) {
        out_.lost.unnamed.back().before = judged.id;
        open_gap = false;
      }
      if (judged.id_known) before = judged.id;
      if (part.dead[row]) continue;
      if (judged.sound) {
        // A wrong version may not move the place from which the log counts.
        const Lsn version =
            judged.version_sure ? judged.version : std::min(judged.version, out_.entry.flushed_lsn);
        part.work.rows.push_back({row, judged.id, version, judged.hash});
        if (!judged.version_sure) ++out_.lost.unconfirmed_versions;
        out_.entry.flushed_lsn = std::max(out_.entry.flushed_lsn, version);
      } else if (judged.id_known) {
        out_.lost.gone.push_back(judged.id);
      } else {
        if (!open_gap) out_.lost.unnamed.push_back({.rows = 0, .after = before, .before = {}});
        open_gap = true;
        ++out_.lost.unnamed.back().rows;
      }
    }
    auto& rows = part.work.rows;
    std::sort(rows.begin(), rows.end(),
              [](const KeptRow& a, const KeptRow& b) { return a.id < b.id; });
    rows.erase(std::unique(rows.begin(), rows.end(),
                           [](const KeptRow& a, const KeptRow& b) { return a.id == b.id; }),
               rows.end());
    for (const KeptRow& row : rows) part.surviving.push_back({row.row, row.id, row.version});
    part.work.tombstones = tombstones_of(part);
    part.judged = {};  // The largest thing here, and of no further use.
    part.known = {};
  }

  /// A death whose cause is lost becomes a delete of its own in the newest segment that is written
  /// anew: else the next recount would bring the old version of a lost point back.
  void explain_deaths() {
    const auto newest =
        std::find_if(parts_.rbegin(), parts_.rend(), [](const Part& part) { return part.bad; });
    if (newest == parts_.rend()) return;
    const auto explained = superseded(true);
    auto& tombstones = newest->work.tombstones;
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      const Part& part = parts_[i];
      if (part.bad) continue;
      std::vector<bool> known(part.dead.size());
      for (const std::uint32_t row : explained[i]) known[row] = true;
      for (std::uint32_t row = 0; row < part.dead.size(); ++row)
        if (part.dead[row] && !known[row])
          tombstones.push_back({part.segment->id(row), out_.entry.flushed_lsn});
    }
    std::sort(tombstones.begin(), tombstones.end(), [](const auto& a, const auto& b) {
      return a.id != b.id ? a.id < b.id : a.lsn > b.lsn;
    });
    tombstones.erase(std::unique(tombstones.begin(), tombstones.end(),
                                 [](const auto& a, const auto& b) { return a.id == b.id; }),
                     tombstones.end());
  }

  void count_points() {
    out_.entry.points = 0;
    out_.entry.digest = 0;
    for (const Part& part : parts_) {
      for (const KeptRow& row : part.work.rows) out_.entry.digest += row.hash;
      out_.entry.points += part.work.rows.size();
      if (part.segment == nullptr) continue;
      for (std::uint32_t row = 0; row < part.dead.size(); ++row) {
        if (part.dead[row]) continue;
        ++out_.entry.points;
        out_.entry.digest += part.segment->row_hash(row);
      }
    }
    std::sort(out_.lost.gone.begin(), out_.lost.gone.end());
  }

  Env& env_;
  const store::Paths& paths_;
  const CollectionDamage& damage_;
  std::vector<Part> parts_;
  std::vector<FoundSegment> found_;
  CollectionRepair out_;
};

}  // namespace

std::uint64_t LostPoints::gone_count() const {
  std::uint64_t count = gone.size();
  for (const UnnamedRows& rows : unnamed) count += rows.rows;
  return count;
}

bool CollectionRepair::changes() const {
  return recounted || std::any_of(segments.begin(), segments.end(),
                                  [](const SegmentWork& work) { return work.changes(); });
}

Result<CollectionRepair> plan_collection(Env& env, const store::Paths& paths,
                                         const manifest::CollectionEntry& entry,
                                         const CollectionDamage& damage) {
  return CollectionPlan(env, paths, entry, damage).run();
}

}  // namespace vz::offline
