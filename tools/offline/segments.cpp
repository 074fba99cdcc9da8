#include "tools/offline/segments.h"

#include <algorithm>

#include <fmt/format.h>

#include "storage/segment/segment_layout.h"

namespace vz::offline {
namespace {

using manifest::CollectionEntry;
using manifest::SegmentEntry;
using segment::CheckedFile;

std::uint64_t bytes_of(const std::optional<manifest::VersionedFile>& file) {
  return file ? file->info.size_bytes : 0;
}

void add_files(const store::Paths& paths, const SelectedSegment& selected, SegmentDetails& out) {
  const SegmentEntry& entry = *selected.entry;
  const CollectionId id = selected.collection->id;
  const auto add = [&](const std::string& path, const segment::FileInfo& info) {
    out.files.push_back({path.substr(paths.root.size() + 1), info.size_bytes, info.sha256});
  };
  add(paths.seg(id, entry.epoch, entry.seq), entry.seg);
  if (entry.dead) add(paths.dead(id, entry.epoch, entry.seq, entry.dead->number), entry.dead->info);
  if (entry.index)
    add(paths.index(id, entry.epoch, entry.seq, entry.index->number), entry.index->info);
  if (entry.fields)
    add(paths.fields(id, entry.epoch, entry.seq, entry.fields->number), entry.fields->info);
}

}  // namespace

Result<SegmentName> parse_segment_name(std::string_view text) {
  const auto parsed = store::parse_data_file_name(std::string(text) + ".seg");
  if (parsed) return SegmentName{parsed->epoch, parsed->seq};
  return fail(
      ErrorCode::kInvalidArgument,
      "SEGMENT: expected <epoch>-<seq> as its files are named, such as 0001-00000007 (`data "
      "segment list` shows them), found '" +
          std::string(text.substr(0, 64)) + "'");
}

std::string text_of(const SegmentName& name) {
  return fmt::format("{:04}-{:08}", name.epoch, name.seq);
}

SegmentSummary summary_of(const SelectedSegment& selected) {
  const SegmentEntry& entry = *selected.entry;
  return {.name = {entry.epoch, entry.seq},
          .collection = selected.collection->id,
          .collection_name = selected.collection->name,
          .rows = entry.rows,
          .dead_rows = entry.dead_rows,
          .seg_bytes = entry.seg.size_bytes,
          .dead_bytes = bytes_of(entry.dead),
          .index_bytes = bytes_of(entry.index),
          .fields_bytes = bytes_of(entry.fields)};
}

std::uint64_t bytes_of(const SegmentEntry& entry) {
  return entry.seg.size_bytes + bytes_of(entry.dead) + bytes_of(entry.index) +
         bytes_of(entry.fields);
}

Result<std::vector<SelectedSegment>> select_segments(const store::Paths& paths,
                                                     const manifest::Manifest& image,
                                                     const SegmentSelection& selection) {
  VZ_TRY_ASSIGN(const auto wanted, wanted_collections(paths, image, selection.collection));
  std::vector<SelectedSegment> found;
  for (const CollectionEntry* collection : wanted) {
    for (const SegmentEntry& entry : collection->segments) {
      if (!selection.segment || *selection.segment == SegmentName{entry.epoch, entry.seq})
        found.push_back({collection, &entry});
    }
  }
  if (!selection.segment || found.size() == 1) return found;
  const std::string name = text_of(*selection.segment);
  if (found.empty()) {
    return fail(ErrorCode::kNotFound, "there is no segment " + name + " in " + paths.root +
                                          ": `data segment list` shows them");
  }
  return fail(ErrorCode::kInvalidArgument,
              "collections '" + found[0].collection->name + "' and '" + found[1].collection->name +
                  "' both have a segment " + name + ": name one with --collection");
}

Result<std::vector<SegmentSummary>> list_segments(Env& env, const std::string& directory,
                                                  const std::string& collection) {
  VZ_TRY_ASSIGN(const DataDirectory data, open_for_reading(env, directory));
  VZ_TRY_ASSIGN(const auto selected,
                select_segments(data.paths, data.image, {.collection = collection}));
  std::vector<SegmentSummary> out;
  for (const SelectedSegment& one : selected) out.push_back(summary_of(one));
  return out;
}

Result<SegmentDetails> show_segment(Env& env, const std::string& directory,
                                    const SegmentSelection& selection) {
  VZ_ASSERT(selection.segment.has_value());
  VZ_TRY_ASSIGN(const DataDirectory data, open_for_reading(env, directory));
  VZ_TRY_ASSIGN(const auto selected, select_segments(data.paths, data.image, selection));
  const SelectedSegment& one = selected.front();
  SegmentDetails out{.summary = summary_of(one)};
  add_files(data.paths, one, out);

  VZ_TRY_ASSIGN(
      const auto file,
      CheckedFile::open(env, data.paths.seg(one.collection->id, one.entry->epoch, one.entry->seq),
                        segment::FileKind::kSegment, format::kSegmentVersionNewest));
  VZ_TRY_ASSIGN(const format::SegmentFooter layout, segment::read_layout(*file));
  VZ_TRY_ASSIGN(const auto payload, segment::payload_sizes(*file, layout));
  out.min_lsn = layout.min_lsn;
  out.max_lsn = layout.max_lsn;
  out.min_id = layout.min_id;
  out.max_id = layout.max_id;
  out.tombstones = layout.tombstones.size / format::kTombstoneSize;
  out.replaces = layout.replaces;
  out.payload_blocks = payload.blocks;
  out.payload_raw_bytes = payload.raw_bytes;
  out.payload_stored_bytes = payload.stored_bytes;
  for (const format::SegmentColumn& column : layout.columns) {
    out.columns.push_back(
        {.name = column.name,
         .kind = static_cast<segment::VectorKind>(column.kind),
         .dimension = column.dimension,
         .present = column.present,
         .bytes = column.values.size + column.indices.size + column.offsets.size});
  }
  return out;
}

}  // namespace vz::offline
