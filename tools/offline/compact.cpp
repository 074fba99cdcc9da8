#include "tools/offline/compact.h"

#include <algorithm>

#include <fmt/format.h>

#include "tools/offline/compact_plan.h"
#include "tools/offline/data_directory.h"
#include "tools/offline/segments.h"
#include "tools/offline/space.h"

namespace vz::offline {
namespace {

using collection::MergedRows;
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

/// Writes what the segments of `group` become; nothing if nothing in them lives.
Result<std::optional<SegmentEntry>> write_group(ImageEditor& editor, const CollectionEntry& entry,
                                                const CollectionParts& parts,
                                                const CompactGroup& group,
                                                const CompactOptions& options) {
  VZ_TRY_ASSIGN(const MergedRows rows, MergedRows::make(group.inputs, entry.flushed_lsn));
  auto tombstones = collection::merged_tombstones(group.inputs, parts.segments, rows);
  if (rows.row_count() == 0 && tombstones.empty()) return std::optional<SegmentEntry>();
  std::vector<SegmentSeq> replaces;
  for (const auto& input : group.inputs) replaces.push_back(input->seq());
  collection::PartWriteOptions write{.threads = options.threads};
  if (options.zstd_level) write.zstd_level = *options.zstd_level;
  VZ_TRY_ASSIGN(
      SegmentEntry written,
      collection::write_part(
          editor.store(), *unserved(entry, parts.definition),
          {.rows = rows, .tombstones = std::move(tombstones), .replaces = std::move(replaces)},
          editor.allocate(), write));
  return std::optional<SegmentEntry>(std::move(written));
}

const SegmentEntry& entry_of(const CollectionEntry& entry, const collection::SealedPart& part) {
  const auto found = std::find_if(
      entry.segments.begin(), entry.segments.end(),
      [&](const auto& one) { return one.seq == part.seq() && one.epoch == part.epoch(); });
  VZ_ASSERT(found != entry.segments.end());
  return *found;
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
    VZ_TRY_ASSIGN(const CollectionParts parts, open_parts(env_, paths_, entry));
    VZ_TRY_ASSIGN(const RowTotals before, total_of(parts.segments, entry.flushed_lsn, pace_));
    VZ_TRY(require_recorded(entry, before));
    VZ_TRY_ASSIGN(CompactPlan plan, plan_compact(env_, paths_, entry, parts, options_));
    plan.report.totals = before;
    if (editor == nullptr || plan.report.reason.empty()) return std::move(plan.report);

    VZ_TRY(require_space(env_, paths_, plan.report.space_needed,
                         "compacting collection '" + entry.name + "'"));
    std::vector<SegmentEntry> segments;
    for (const CompactGroup& group : plan.groups) {
      if (!group.rewritten) {
        segments.push_back(entry_of(entry, *group.inputs.front()));
        continue;
      }
      VZ_TRY_ASSIGN(auto written, write_group(*editor, entry, parts, group, options_));
      if (written) segments.push_back(std::move(*written));
    }
    CompactedCollection report = std::move(plan.report);
    report.segments_after = segments.size();
    report.bytes_after = 0;
    for (const SegmentEntry& segment : segments) report.bytes_after += bytes_of(segment);
    VZ_TRY(replace_segments(*editor, entry, std::move(segments), before, pace_));
    VZ_TRY(editor->drop_old_files());
    report.compacted = true;
    return report;
  }

  Env& env_;
  const store::Paths& paths_;
  const CompactOptions& options_;
  Pace pace_;
  CompactReport report_;
};

}  // namespace

Status replace_segments(ImageEditor& editor, CollectionEntry entry,
                        std::vector<SegmentEntry> segments, const RowTotals& before, Pace& pace) {
  entry.segments = std::move(segments);
  const store::Store& store = editor.store();
  VZ_TRY_ASSIGN(const CollectionParts parts, open_parts(store.env(), store.paths(), entry));
  VZ_TRY_ASSIGN(const RowTotals after, total_of(parts.segments, entry.flushed_lsn, pace));
  if (after != before) {
    return fail(
        ErrorCode::kInternal,
        fmt::format("expected the new segments to hold {}, found {}: a bug of this program. "
                    "They were not put in force; the old ones are as they were. Please "
                    "report it, with the directory if that is possible",
                    text_of(before), text_of(after)));
  }
  return editor.publish(entry);
}

Result<CompactReport> compact(Env& env, const std::string& directory,
                              const CompactOptions& options) {
  VZ_ASSERT(options.segment_rows_max >= 1);
  if (options.run == CompactOptions::Run::kPlan) {
    VZ_TRY_ASSIGN(const DataDirectory data, open_for_reading(env, directory));
    return Compaction(env, data.paths, options).run(data.image, nullptr);
  }
  VZ_TRY_ASSIGN(const auto store, open_for_writing(env, directory));
  VZ_TRY_ASSIGN(ImageEditor editor, ImageEditor::make(*store));
  return Compaction(env, store->paths(), options).run(store->opened_manifest(), &editor);
}

}  // namespace vz::offline
