#include "tools/offline/compact_group.h"

#include <algorithm>

#include <fmt/format.h>

#include "storage/store/space.h"
#include "tools/offline/file_copy.h"
#include "tools/offline/segments.h"
#include "tools/offline/space.h"

namespace vz::offline {
namespace {

using collection::MergedRows;
using manifest::CollectionEntry;
using manifest::SegmentEntry;

void replace(CollectionEntry& entry, SegmentRun run, const std::vector<SegmentEntry>& by) {
  const auto first = entry.segments.begin() + static_cast<std::ptrdiff_t>(run.first);
  const auto at = entry.segments.erase(first, first + static_cast<std::ptrdiff_t>(run.count));
  entry.segments.insert(at, by.begin(), by.end());
}

class GroupMerge {
 public:
  GroupMerge(ImageEditor& editor, CollectionId collection, SegmentRun run, const RowTotals& before,
             CompactWorkdir* workdir, const CompactOptions& options, check::Pace& pace)
      : editor_(editor),
        env_(editor.store().env()),
        paths_(editor.store().paths()),
        collection_(collection),
        run_(run),
        before_(before),
        workdir_(workdir),
        options_(options),
        pace_(pace) {}

  Result<std::optional<SegmentEntry>> run() {
    VZ_TRY_ASSIGN(const std::optional<SegmentEntry> built, build());
    if (built && workdir_ != nullptr) {
      VZ_TRY(bring(*built));
      workdir_->clear();
      return built;
    }
    std::vector<SegmentEntry> segments;
    if (built) segments.push_back(*built);
    VZ_TRY(replace_segments(editor_, entry(), run_, std::move(segments), before_, pace_));
    VZ_TRY(editor_.drop_old_files());
    return built;
  }

 private:
  [[nodiscard]] const CollectionEntry& entry() const { return editor_.entry_of(collection_); }

  /// Lets go of the old segments at the end, so that their space is free once they are removed.
  Result<std::optional<SegmentEntry>> build() {
    VZ_TRY_ASSIGN(const CollectionParts parts, open_parts(env_, paths_, entry()));
    const auto first = parts.segments.begin() + static_cast<std::ptrdiff_t>(run_.first);
    const Parts inputs(first, first + static_cast<std::ptrdiff_t>(run_.count));
    VZ_TRY_ASSIGN(const MergedRows rows, MergedRows::make(inputs, entry().flushed_lsn));
    auto tombstones = collection::merged_tombstones(inputs, parts.segments, rows);
    if (rows.row_count() == 0 && tombstones.empty()) return std::optional<SegmentEntry>();
    std::vector<SegmentSeq> replaces;
    for (const auto& input : inputs) replaces.push_back(input->seq());
    collection::PartWriteOptions write{.threads = options_.threads};
    if (options_.zstd_level) write.zstd_level = *options_.zstd_level;
    VZ_TRY_ASSIGN(const auto numbers, editor_.reserve());
    VZ_TRY_ASSIGN(
        SegmentEntry written,
        collection::write_part(
            env_, workdir_ != nullptr ? workdir_->paths() : paths_,
            *unserved(entry(), parts.definition),
            {.rows = rows, .tombstones = std::move(tombstones), .replaces = std::move(replaces)},
            numbers, write));
    return std::optional<SegmentEntry>(std::move(written));
  }

  /// From the work directory into the data directory, and in force.
  Status bring(const SegmentEntry& built) {
    VZ_TRY(require_room(built));
    CollectionEntry next = entry();
    for (std::size_t i = run_.first; i < run_.first + run_.count; ++i) {
      next.segments[i].index.reset();
      next.segments[i].fields.reset();
    }
    VZ_TRY(editor_.publish(next));
    VZ_TRY(editor_.drop_old_files());

    SegmentEntry bare = built;
    bare.index.reset();
    bare.fields.reset();
    VZ_TRY(editor_.store().create_collection_directory(collection_));
    VZ_TRY(copy(paths_.seg(collection_, built.epoch, built.seq), built.seg));
    VZ_TRY(replace_segments(editor_, entry(), run_, {bare}, before_, pace_));
    VZ_TRY(editor_.drop_old_files());
    if (!built.index && !built.fields) return {};

    if (built.index) {
      VZ_TRY(copy(paths_.index(collection_, built.epoch, built.seq, built.index->number),
                  built.index->info));
    }
    if (built.fields) {
      VZ_TRY(copy(paths_.fields(collection_, built.epoch, built.seq, built.fields->number),
                  built.fields->info));
    }
    next = entry();
    next.segments[run_.first] = built;
    return editor_.publish(next);
  }

  /// The plan's bounds are kept by a data directory that nobody else fills; now sizes are known.
  Status require_room(const SegmentEntry& built) const {
    CompactGroup group{.rewritten = true};
    for (std::size_t i = 0; i < run_.count; ++i) {
      const SegmentEntry& old = entry().segments[run_.first + i];
      group.bytes.old_total += bytes_of(old);
      group.bytes.old_derived += old.index ? old.index->info.size_bytes : 0;
      group.bytes.old_derived += old.fields ? old.fields->info.size_bytes : 0;
    }
    group.bytes.new_seg = built.seg.size_bytes + kPublishBytes;
    group.bytes.new_derived = bytes_of(built) - built.seg.size_bytes;
    return store::require_space(env_, {{paths_.root, space_for({group}).with_workdir}},
                                "bringing what was built for collection '" + entry().name + "'",
                                kCompactAdvice);
  }

  Status copy(const std::string& to, const segment::FileInfo& expected) {
    const std::string from = workdir_->paths().root + to.substr(paths_.root.size());
    VZ_TRY_ASSIGN(const CopiedFile copied, copy_file(env_, from, to));
    if (copied.size_bytes == expected.size_bytes && copied.sha256 == expected.sha256) return {};
    return fail(ErrorCode::kCorruption,
                from + ": the disk gave other bytes than were written: choose another --workdir");
  }

  ImageEditor& editor_;
  Env& env_;
  const store::Paths& paths_;
  const CollectionId collection_;
  const SegmentRun run_;
  const RowTotals& before_;
  CompactWorkdir* const workdir_;
  const CompactOptions& options_;
  check::Pace& pace_;
};

}  // namespace

Status replace_segments(ImageEditor& editor, CollectionEntry entry, SegmentRun run,
                        std::vector<SegmentEntry> segments, const RowTotals& before,
                        check::Pace& pace) {
  const store::Store& store = editor.store();
  CollectionEntry alone = entry;
  alone.segments = segments;
  {
    VZ_TRY_ASSIGN(const CollectionParts parts, open_parts(store.env(), store.paths(), alone));
    VZ_TRY_ASSIGN(const RowTotals after, total_of(parts.segments, entry.flushed_lsn, pace));
    if (after != before) {
      return fail(
          ErrorCode::kInternal,
          fmt::format("expected the new segments to hold {}, found {}: a bug of this program. "
                      "They were not put in force; the old ones are as they were. Please "
                      "report it, with the directory if that is possible",
                      text_of(before), text_of(after)));
    }
  }
  replace(entry, run, segments);
  return editor.publish(entry);
}

Result<std::optional<SegmentEntry>> compact_run(ImageEditor& editor, CollectionId collection,
                                                SegmentRun run, const RowTotals& before,
                                                CompactWorkdir* workdir,
                                                const CompactOptions& options, check::Pace& pace) {
  return GroupMerge(editor, collection, run, before, workdir, options, pace).run();
}

}  // namespace vz::offline
