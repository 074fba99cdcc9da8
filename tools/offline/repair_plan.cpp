#include "tools/offline/repair_plan.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "storage/format/points_record.h"
#include "storage/store/restoration.h"
#include "tools/offline/hindrance.h"
#include "tools/offline/image_choice.h"
#include "tools/offline/image_rebuild.h"

namespace vz::offline {
namespace {

std::vector<check::FindingId> ids_of(const FindingsByFile& files, const std::string& file) {
  const auto found = files.find(file);
  return found == files.end() ? std::vector<check::FindingId>{} : found->second;
}

class Planner {
 public:
  Planner(Env& env, const store::Paths& paths, const RepairOptions& options)
      : env_(env), paths_(paths), options_(options) {}

  Result<RepairPlan> run() {
    VZ_TRY_ASSIGN(plan_.seen, store::look_around(env_, paths_));
    VZ_TRY_ASSIGN(ImageChoice choice, choose_image(env_, paths_, plan_.seen));
    VZ_TRY_ASSIGN(CheckReport report, check_against(choice.image));
    if (report.damaged() && choice.newer) {
      choice.image = std::move(*choice.newer);
      choice.current_is_wrong = true;
      VZ_TRY_ASSIGN(report, check_against(choice.image));
    }
    sort_findings(choice, report);
    plan_.image = std::move(choice.image);
    plan_root(choice);
    for (const manifest::CollectionEntry& entry : plan_.image.collections)
      VZ_TRY(plan_one(entry, choice.rebuilt));
    VZ_TRY(plan_log());
    VZ_TRY(forget_what_the_log_knows());
    finish(choice);
    return std::move(plan_);
  }

 private:
  Result<CheckReport> check_against(const manifest::Manifest& image) {
    return check(env_, paths_.root,
                 {.level = check::Level::kContents,
                  .threads = options_.threads,
                  .progress = options_.progress,
                  .image = &image});
  }

  void sort_findings(const ImageChoice& choice, const CheckReport& report) {
    for (const auto& [file, id] : choice.damaged) files_[file].push_back(id);
    for (const check::Finding& finding : report.findings) {
      if (finding.severity == check::Severity::kNote) continue;
      switch (finding.id) {
        case check::FindingId::kDigest:
        case check::FindingId::kPointCount:
          totals_.insert(finding.collection);
          break;
        case check::FindingId::kUnlistable:
        case check::FindingId::kDefinition:
          // Without its directory the files of a collection, or the log, are missing, too.
          if (finding.file == "collections" && !env_.exists(paths_.collections())) break;
          plan_.report.unmended.push_back(finding);
          break;
        default:
          files_[finding.file].push_back(finding.id);
      }
    }
  }

  void act(const std::string& file, std::string what) {
    plan_.report.actions.push_back({file, std::move(what), ids_of(files_, file)});
  }

  [[nodiscard]] QuarantineRecord record_of(std::string name, std::string kind,
                                           const std::string& file, std::string why) const {
    QuarantineRecord record{.name = std::move(name),
                            .kind = std::move(kind),
                            .why = std::move(why),
                            .findings = ids_of(files_, file),
                            .tool = options_.tool};
    if (env_.exists(paths_.root + "/" + file))
      record.files.push_back({.name = file.substr(file.rfind('/') + 1), .from = file});
    return record;
  }

  void keep(QuarantineRecord record) {
    if (!record.files.empty()) plan_.quarantine.push_back(std::move(record));
  }

  /// FORMAT, CURRENT, the images.
  void plan_root(const ImageChoice& choice) {
    for (const auto& [file, id] : choice.damaged) {
      switch (id) {
        case check::FindingId::kFormatMissing:
        case check::FindingId::kFormatDamaged:
          plan_.format_lost = true;
          act(file,
              "is written again, with a new node id and a new cluster id: the old ones are "
              "lost with it");
          keep(record_of("format", "format", file, "damaged"));
          break;
        case check::FindingId::kImageDamaged:
        case check::FindingId::kOldImageDamaged:
          act(file, "goes to quarantine");
          keep(record_of(file, "manifest", file, "damaged"));
          plan_.removed.push_back(paths_.root + "/" + file);
          break;
        case check::FindingId::kCurrentDamaged:
          keep(record_of("CURRENT", "current", file, "damaged"));
          break;
        default:
          break;
      }
    }
    if (choice.rebuilt) {
      act("CURRENT",
          "names a manifest made again from the footers of the segments and from the "
          "log");
    } else if (choice.current_is_wrong) {
      act("CURRENT", "names " + manifest::file_name(plan_.image.number) +
                         ", the newest manifest that is there whole");
    }
    plan_.new_image = choice.rebuilt;
    plan_.current_only = choice.current_is_wrong && !choice.rebuilt;
    plan_.report.notes = choice.notes;
  }

  Status plan_one(const manifest::CollectionEntry& entry, bool rebuilt) {
    const bool totals = totals_.contains(entry.name);
    const CollectionDamage damage{files_, totals, rebuilt};
    VZ_TRY_ASSIGN(CollectionRepair repair, plan_collection(env_, paths_, entry, damage));
    if (!repair.changes()) return {};
    plan_.new_image = true;
    if (totals && !rebuilt)
      plan_.report.notes.push_back(
          fmt::format("collection '{}': its points and digest are counted again", entry.name));
    for (const SegmentWork& work : repair.segments) describe(repair, work);
    plan_.collections.push_back(std::move(repair));
    return {};
  }

  void describe(const CollectionRepair& repair, const SegmentWork& work) {
    const auto relative = [&](const std::string& path) {
      return path.substr(paths_.root.size() + 1);
    };
    const CollectionId id = repair.entry.id;
    const manifest::SegmentEntry& entry = work.entry;
    const std::string seg = relative(paths_.seg(id, entry.epoch, entry.seq));
    if (work.remade) {
      const std::string from =
          work.source.empty() || relative(work.source) == seg ? "" : " of " + relative(work.source);
      act(seg, work.rows.empty() && work.tombstones.empty()
                   ? "is dropped: no row of it can be read"
                   : fmt::format("is written anew under another name with {} rows{} that decode; "
                                 "its index and columns too",
                                 work.rows.size(), from));
      auto record = record_of(fmt::format("{}-{}", id, seg.substr(seg.rfind('/') + 1)), "segment",
                              seg, "damaged; the rows that decode were written anew");
      record.collection = repair.entry.name;
      plan_.quarantine.push_back(std::move(record));
      if (env_.exists(paths_.root + "/" + seg)) plan_.removed.push_back(paths_.root + "/" + seg);
      return;
    }
    if (work.dead && (entry.dead || !work.dead->empty())) {
      const std::string file =
          entry.dead ? relative(paths_.dead(id, entry.epoch, entry.seq, entry.dead->number)) : seg;
      act(file, fmt::format("{} dead rows are found again from newer rows and deletes",
                            work.dead->size()));
    }
    if (work.index)
      act(relative(paths_.index(id, entry.epoch, entry.seq, entry.index->number)),
          "is built again");
    if (work.fields)
      act(relative(paths_.fields(id, entry.epoch, entry.seq, entry.fields->number)),
          "is built again");
  }

  Status plan_log() {
    VZ_TRY_ASSIGN(plan_.log, judge_log(env_, paths_, plan_.image));
    if (const auto& tail = plan_.log.torn_tail) {
      act(tail->path.substr(paths_.root.size() + 1),
          fmt::format("the write that was cut short at {} goes to quarantine: {} bytes, never "
                      "acknowledged",
                      tail->offset, tail->size));
    }
    if (!plan_.log.cut) return {};
    LogCut& cut = *plan_.log.cut;
    const std::string name = fmt::format("log-{}", cut.first_lost);
    const auto& epochs = plan_.image.epochs;
    // A run that was killed behind its publish: the loss is in force, only the cut is to be made.
    const bool published = !epochs.empty() && epochs.back().kind == manifest::EpochKind::kRestore &&
                           epochs.back().first_lsn > cut.last_lost &&
                           has_quarantine_record(env_, paths_, name);
    if (published) cut.records = 0;
    const std::string at = cut.path.empty() ? paths_.wal() : cut.path;
    act(at.substr(paths_.root.size() + 1),
        fmt::format("the log ends in front of record {}; what is behind it goes to quarantine ({} "
                    "more files), and a new epoch begins",
                    cut.first_lost, cut.removed.size()));
    keep_log(cut, name);
    if (cut.records > 0) {
      plan_.report.records = {cut.records, cut.count_is_known,
                              std::max(cut.first_lost, plan_.image.log_lsn), cut.last_lost};
    }
    return published ? Status() : begin_epoch(cut);
  }

  void keep_log(const LogCut& cut, const std::string& name) {
    QuarantineRecord record{
        .name = name,
        .kind = "log",
        .why = cut.message,
        .findings = {check::FindingId::kLogDamaged},
        .first_lsn = cut.records > 0 ? std::max(cut.first_lost, plan_.image.log_lsn) : 0,
        .last_lsn = cut.records > 0 ? cut.last_lost : 0,
        .tool = options_.tool};
    const auto add = [&](const std::string& path, std::uint64_t offset) {
      record.files.push_back({.name = path.substr(path.rfind('/') + 1),
                              .from = path.substr(paths_.root.size() + 1),
                              .offset = offset});
    };
    if (!cut.path.empty()) add(cut.path, cut.offset);
    for (const std::string& path : cut.removed) add(path, 0);
    plan_.quarantine.push_back(std::move(record));
  }

  Status begin_epoch(const LogCut& cut) {
    VZ_TRY_ASSIGN(const auto epoch, store::begin_epoch(plan_.image, plan_.seen, cut.last_lost));
    plan_.new_image = true;
    plan_.new_epoch = true;
    plan_.report.new_epoch = epoch.epoch;
    plan_.report.new_first_lsn = epoch.first_lsn;
    return {};
  }

  /// A point that a record of the log writes whole, or deletes, is not lost with its old row.
  Status forget_what_the_log_knows() {
    std::map<CollectionId, CollectionRepair*> losing;
    for (CollectionRepair& repair : plan_.collections)
      if (!repair.lost.gone.empty()) losing[repair.entry.id] = &repair;
    if (losing.empty()) return {};
    std::map<CollectionId, std::set<PointId>> written;
    const auto visit = [&](const format::WalRecord& record) -> Status {
      const auto at = losing.find(record.collection);
      if (at == losing.end() || record.kind != format::WalRecordKind::kPoints ||
          record.lsn <= at->second->entry.flushed_lsn)
        return {};
      VZ_TRY_ASSIGN(const auto operations, format::decode_points(record.payload));
      for (const auto& operation : operations) {
        if (const auto* put = std::get_if<format::PutRows>(&operation))
          for (const auto& row : put->rows) written[record.collection].insert(row.id);
        if (const auto* erased = std::get_if<format::DeleteRows>(&operation))
          written[record.collection].insert(erased->ids.begin(), erased->ids.end());
      }
      return {};
    };
    VZ_TRY(each_kept_record(env_, paths_, plan_.image.log_lsn, plan_.log, visit));
    for (const auto& [id, repair] : losing) {
      std::erase_if(repair->lost.gone,
                    [&, id = id](const PointId& point) { return written[id].contains(point); });
    }
    return {};
  }

  void finish(const ImageChoice& choice) {
    for (const CollectionRepair& repair : plan_.collections) {
      const LostPoints& lost = repair.lost;
      if (lost.count() == 0 && lost.unconfirmed_versions == 0) continue;
      plan_.report.points.push_back(lost);
      for (QuarantineRecord& record : plan_.quarantine) {
        if (record.kind != "segment" || record.collection != lost.name) continue;
        record.points_gone = lost.gone;
        record.points_gone_unnamed = lost.gone_count() - lost.gone.size();
        record.points_returned = lost.returned;
        break;
      }
    }
    plan_.directories_lost = !env_.exists(paths_.wal()) || !env_.exists(paths_.collections());
    if (plan_.directories_lost) act("", "wal/ and collections/ are made where they are missing");
    if (plan_.new_image) plan_.current_only = false;
    if (plan_.new_image && plan_.report.actions.empty())
      act(choice.rebuilt ? "CURRENT" : manifest::file_name(plan_.image.number),
          "a new manifest takes its place");
    for (const QuarantineRecord& record : plan_.quarantine)
      plan_.report.quarantined.push_back(record.name);
  }

  Env& env_;
  const store::Paths& paths_;
  const RepairOptions& options_;
  FindingsByFile files_;
  std::set<std::string> totals_;  ///< names of collections
  RepairPlan plan_;
};

}  // namespace

Result<RepairPlan> plan_repair(Env& env, const store::Paths& paths, const RepairOptions& options) {
  VZ_TRY(require_plain_files(env, paths));
  check::WatchedEnv watched(env);
  auto plan = Planner(watched, paths, options).run();
  VZ_TRY(unhindered(watched));  // What could not be read would count as lost.
  return plan;
}

}  // namespace vz::offline
