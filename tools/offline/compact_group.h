// Puts one new segment in the place of a group of old ones: what compact() does again and again.
//
// In the data directory itself: numbers are given out by an image, the files written under them,
// read back, and put in force by ONE publish; the old files go with the next one.
//
// By way of a work directory, where no room is for both: the new files are built there first. Then
// each step below is one image, after which the files that it names no longer are removed:
//   1. the old segments without their .index and .fields: a node searches them exactly
//   2. the new .seg, copied beside the old ones and read back, in their place
//   3. its .index and .fields, copied
// A kill between them leaves the points, whole, in segments without graph or columns, of which a
// node builds these anew, and a rerun does as well.
#pragma once

#include "tools/offline/compact_plan.h"
#include "tools/offline/compact_workdir.h"
#include "tools/offline/image_editor.h"

namespace vz::offline {

/// A run of neighbours in CollectionEntry::segments.
struct SegmentRun {
  std::size_t first = 0;
  std::size_t count = 0;
};

/// Puts `segments`, whose files are written, in the place of `run`, if they hold just what `before`
/// says. Errors: kInternal: they do not, and nothing was changed; kCorruption (a file cannot be
/// read); those of ImageEditor::publish().
Status replace_segments(ImageEditor& editor, manifest::CollectionEntry entry, SegmentRun run,
                        std::vector<manifest::SegmentEntry> segments, const RowTotals& before,
                        check::Pace& pace);

/// Merges the segments of `run` of the collection in force, whose live rows are `before`, and
/// removes their files. `workdir` is null to build in place. Nobody else may have them open.
/// returns  the new segment; nothing if no row and no delete of them goes on.
/// errors   kNoSpace: by the sizes of what was built, before anything of the data directory was
///          removed; kCorruption, kInternal, kIoError: the points are whole, in old segments or
///          new.
Result<std::optional<manifest::SegmentEntry>> compact_run(
    ImageEditor& editor, CollectionId collection, SegmentRun run, const RowTotals& before,
    CompactWorkdir* workdir, const CompactOptions& options, check::Pace& pace);

}  // namespace vz::offline
