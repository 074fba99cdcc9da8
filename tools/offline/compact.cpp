#include "tools/offline/compact.h"

#include <fmt/format.h>

#include "storage/store/space.h"
#include "tools/offline/compact_group.h"
#include "tools/offline/data_directory.h"
#include "tools/offline/segments.h"

namespace vz::offline {
namespace {

using manifest::CollectionEntry;
using manifest::SegmentEntry;

/// What makes a compaction of this collection pointless: the points are not what they should be.
Status require_recorded(const CollectionEntry& entry, const RowTotals& found) {
  const RowTotals recorded{.points = entry.points, .digest = entry.digest};
  if (found == recorded) return {};
  return fail(ErrorCode::kCorruption,
              fmt::format("collection '{}': expected {} by the manifest, found {}: run `data check "
                          "--deep`; it was not compacted",
                          entry.name, text_of(recorded), text_of(found)));
}

/// Plans one collection after another, and does it if asked to.
class Compaction {
 public:
  Compaction(Env& env, const store::Paths& paths, const CompactOptions& options)
      : env_(env), paths_(paths), options_(options), pace_(0, options.progress) {}

  /// `editor` is null for a plan.
  Result<CompactReport> run(const manifest::Manifest& image, ImageEditor* editor) {
    VZ_TRY_ASSIGN(const DiskSpace space, env_.disk_space(paths_.root));
    report_.free_bytes = space.free_bytes;
    if (!options_.workdir.empty()) {
      VZ_TRY_ASSIGN(const DiskSpace elsewhere, env_.disk_space(options_.workdir));
      report_.workdir_free_bytes = elsewhere.free_bytes;
    }
    VZ_TRY_ASSIGN(const auto wanted, wanted_collections(paths_, image, options_.collection));
    // Each is read before it is written, and what was written is read back.
    const std::uint64_t passes = editor == nullptr ? 1 : 2;
    for (const CollectionEntry* entry : wanted)
      for (const SegmentEntry& segment : entry->segments)
        pace_.add_total(segment.seg.size_bytes * passes);
    for (const CollectionEntry* entry : wanted) {
      // A copy: publishing replaces the image that it is in.
      const CollectionEntry old = *entry;
      auto done = compact_one(old, editor);
      if (!done) return while_doing(done.error(), "collection '" + old.name + "'");
      report_.collections.push_back(std::move(*done));
    }
    return std::move(report_);
  }

 private:
  Result<CompactedCollection> compact_one(const CollectionEntry& entry, ImageEditor* editor) {
    CompactPlan plan;
    std::vector<RowTotals> totals;  // By segment.
    {
      VZ_TRY_ASSIGN(const CollectionParts parts, open_parts(env_, paths_, entry));
      RowTotals before;
      for (const auto& part : parts.segments) {
        VZ_TRY_ASSIGN(const RowTotals one, total_of(*part, entry.flushed_lsn, pace_));
        totals.push_back(one);
        before += one;
      }
      VZ_TRY(require_recorded(entry, before));
      VZ_TRY_ASSIGN(plan, plan_compact(env_, paths_, entry, parts, options_));
      plan.report.totals = before;
    }
    for (CompactGroup& group : plan.groups) group.inputs.clear();
    if (editor != nullptr && !plan.report.reason.empty())
      VZ_TRY(carry_out(entry, totals, plan, *editor));
    return std::move(plan.report);
  }

  Status carry_out(const CollectionEntry& entry, const std::vector<RowTotals>& totals,
                   CompactPlan& plan, ImageEditor& editor) {
    VZ_TRY_ASSIGN(const auto workdir, workdir_for(entry, plan.groups, editor));
    std::size_t old_at = 0;
    std::size_t at = 0;
    for (const CompactGroup& group : plan.groups) {
      RowTotals before;
      for (std::size_t i = 0; i < group.count; ++i) before += totals[old_at + i];
      old_at += group.count;
      if (!group.rewritten) {
        ++at;
        continue;
      }
      VZ_TRY_ASSIGN(const auto made, compact_run(editor, entry.id, {at, group.count}, before,
                                                 workdir.get(), options_, pace_));
      at += made ? 1 : 0;
    }
    CompactedCollection& report = plan.report;
    const CollectionEntry& now = editor.entry_of(entry.id);
    report.segments_after = now.segments.size();
    report.bytes_after = 0;
    for (const SegmentEntry& segment : now.segments) report.bytes_after += bytes_of(segment);
    report.compacted = true;
    report.built_in_workdir = workdir != nullptr;
    return {};
  }

  /// Null if the new files fit beside the old ones. Errors: kNoSpace, kNotFound, kLocked, kIoError.
  Result<std::unique_ptr<CompactWorkdir>> workdir_for(const CollectionEntry& entry,
                                                      const std::vector<CompactGroup>& groups,
                                                      const ImageEditor& editor) const {
    const CompactSpace needed = space_for(groups);
    const std::string doing = "compacting collection '" + entry.name + "'";
    const Status fits =
        store::require_space(env_, {{paths_.root, needed.in_place}}, doing, kCompactAdvice);
    if (fits) return nullptr;
    if (options_.workdir.empty() || fits.error().code != ErrorCode::kNoSpace)
      return tl::unexpected<Error>(fits.error());
    VZ_TRY_ASSIGN(auto workdir,
                  CompactWorkdir::open(env_, options_.workdir, editor.store().identity()));
    VZ_TRY(store::require_space(
        env_, {{paths_.root, needed.with_workdir}, {workdir->paths().root, needed.in_workdir}},
        doing, kCompactAdvice));
    return workdir;
  }

  Env& env_;
  const store::Paths& paths_;
  const CompactOptions& options_;
  check::Pace pace_;
  CompactReport report_;
};

}  // namespace

Result<CompactReport> compact(Env& env, const std::string& directory,
                              const CompactOptions& options) {
  VZ_ASSERT(options.segment_rows_max >= 1);
  if (options.run == CompactOptions::Run::kPlan) {
    VZ_TRY_ASSIGN(const DataDirectory data, open_for_reading(env, directory));
    return Compaction(env, data.paths, options).run(data.image, nullptr);
  }
  VZ_TRY_ASSIGN(const auto store, open_for_writing(env, directory));
  VZ_TRY(store->remove_leftovers());  // Of a run that was killed, too: their space is needed.
  VZ_TRY_ASSIGN(ImageEditor editor, ImageEditor::make(*store));
  return Compaction(env, store->paths(), options).run(store->opened_manifest(), &editor);
}

}  // namespace vz::offline
