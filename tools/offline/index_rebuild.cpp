#include "tools/offline/index_rebuild.h"

#include "storage/store/space.h"
#include "tools/offline/data_directory.h"
#include "tools/offline/image_editor.h"
#include "tools/offline/parts.h"
#include "tools/offline/space.h"

namespace vz::offline {
namespace {

using manifest::CollectionEntry;
using manifest::SegmentEntry;

/// Writes and publishes the derived files of one segment.
Status rebuild_one(ImageEditor& editor, CollectionEntry entry, const SegmentEntry& old,
                   unsigned threads, RebuiltSegment& out) {
  const store::Store& store = editor.store();
  CollectionEntry alone = entry;  // Opened without its neighbours: their rows do not matter.
  alone.segments = {old};
  alone.segments.front().dead.reset();
  VZ_TRY_ASSIGN(const CollectionParts parts, open_parts(store.env(), store.paths(), alone));
  const std::uint64_t needed =
      old.rows * index_bytes_per_row(*parts.definition) + old.seg.size_bytes + kPublishBytes;
  VZ_TRY(store::require_space(store.env(), {{store.paths().root, needed}},
                              "the index of segment " + text_of(out.before.name),
                              "free some (`data gc` shows what nobody needs)"));
  VZ_TRY_ASSIGN(const auto numbers, editor.reserve());
  VZ_TRY_ASSIGN(
      const SegmentEntry written,
      collection::rebuild_derived(store.env(), store.paths(), *unserved(entry, parts.definition),
                                  *parts.segments.front(), old, numbers, {.threads = threads}));
  for (SegmentEntry& segment : entry.segments)
    if (segment.epoch == old.epoch && segment.seq == old.seq) segment = written;
  VZ_TRY(editor.publish(entry));
  out.index_bytes = written.index ? written.index->info.size_bytes : 0;
  out.fields_bytes = written.fields ? written.fields->info.size_bytes : 0;
  out.rebuilt = true;
  return {};
}

/// Copies of what is selected: publishing replaces the image that pointers are into.
struct Target {
  CollectionId collection = 0;
  SegmentEntry entry{};
};

Result<std::vector<Target>> targets_of(const store::Paths& paths, const manifest::Manifest& image,
                                       const SegmentSelection& selection,
                                       std::vector<RebuiltSegment>& out) {
  VZ_TRY_ASSIGN(const auto selected, select_segments(paths, image, selection));
  std::vector<Target> targets;
  for (const SelectedSegment& one : selected) {
    if (one.entry->rows == 0) continue;
    targets.push_back({one.collection->id, *one.entry});
    out.push_back({.before = summary_of(one)});
    out.back().index_bytes = out.back().before.index_bytes;
    out.back().fields_bytes = out.back().before.fields_bytes;
  }
  return targets;
}

}  // namespace

Result<std::vector<RebuiltSegment>> rebuild_index(Env& env, const std::string& directory,
                                                  const RebuildOptions& options) {
  std::vector<RebuiltSegment> out;
  if (options.run == RebuildOptions::Run::kPlan) {
    VZ_TRY_ASSIGN(const DataDirectory data, open_for_reading(env, directory));
    VZ_TRY(targets_of(data.paths, data.image, options.selection, out));
    return out;
  }
  VZ_TRY_ASSIGN(const auto store, open_for_writing(env, directory));
  VZ_TRY_ASSIGN(ImageEditor editor, ImageEditor::make(*store));
  VZ_TRY_ASSIGN(const auto targets,
                targets_of(store->paths(), editor.image(), options.selection, out));
  check::Pace pace(0, options.progress);
  for (const Target& target : targets) pace.add_total(target.entry.seg.size_bytes);
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const CollectionEntry entry = editor.entry_of(targets[i].collection);
    const Status done = rebuild_one(editor, entry, targets[i].entry, options.threads, out[i]);
    if (!done) return while_doing(done.error(), "segment " + text_of(out[i].before.name));
    pace.spend(targets[i].entry.seg.size_bytes);
  }
  VZ_TRY(editor.drop_old_files());
  return out;
}

}  // namespace vz::offline
