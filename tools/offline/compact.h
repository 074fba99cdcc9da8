// Compaction without a node: a collection's segments become as few as possible, without dead rows.
//
// Works on segments alone: the log and every flushed lsn stay as they are, so a directory whose log
// holds unflushed records may be compacted too; the next start applies them to the new segments as
// it would have to the old ones.
//
// One image per collection, published when its new files are written, synced, read back and found
// to hold the same points (count and logical digest) as the old ones. A kill at any moment leaves
// each collection with its old segments or with its new ones, whole; what was written and not
// published stays under numbers that a rerun, or the node's next segments, overwrite.
// Memory: about 100 bytes a row of the largest new segment, and codes and graph of one of its
// vectors.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/limits.h"
#include "storage/env/env.h"
#include "tools/offline/image_editor.h"
#include "tools/offline/pace.h"
#include "tools/offline/parts.h"

namespace vz::offline {

struct CompactOptions {
  enum class Run : std::uint8_t { kPlan, kApply };
  Run run = Run::kPlan;
  std::string collection{};  ///< name or alias; empty: all of them
  /// Of payload blocks: 0 stores them as they are, 1 .. 22 is zstd. Nothing: segments are not
  /// written anew for it, and new ones get level 1.
  std::optional<int> zstd_level{};
  std::uint64_t segment_rows_max = limits::kSegmentRowsMax;  ///< of a new segment; >= 1
  unsigned threads = 1;                                      ///< that build graphs
  Pace::Progress progress{};  ///< bytes of old segments done with, of all that will be
};

inline constexpr int kZstdLevelMax = 22;

/// "zstd:LEVEL" or "none". Errors: kInvalidArgument.
Result<int> parse_compression(std::string_view text);

struct CompactedCollection {
  CollectionId id = 0;
  std::string name{};
  RowTotals totals{};  ///< the same before and after
  std::uint64_t segments = 0;
  std::uint64_t rows = 0;  ///< dead ones included
  std::uint64_t dead_rows = 0;
  std::uint64_t bytes = 0;  ///< of all files that the image names
  /// Why it gains something, such as "3 segments, 120 dead rows"; "" if it does not.
  std::string reason{};
  std::uint64_t segments_after = 0;
  std::uint64_t bytes_after =
      0;  ///< after a run what they are; before it an estimate, without new graphs
  std::uint64_t space_needed = 0;   ///< bytes beside the old files, while it runs; an upper bound
  std::uint64_t memory_needed = 0;  ///< bytes; an estimate
  bool compacted = false;
};

struct CompactReport {
  std::vector<CompactedCollection> collections{};  ///< by id
  std::uint64_t free_bytes = 0;                    ///< of the disk, before
};

/// Plans (shared lock, writes nothing) or does it (exclusive lock).
/// Errors: those of open_for_reading() or open_for_writing(); kNotFound (no such collection);
/// kCorruption: a collection's rows cannot be read, or are not what the manifest says (check()
/// tells more); kNoSpace, before anything of that collection is written; kInternal: what was
/// written does not hold the same points; kIoError. Collections before the one in the message are
/// compacted, that one and those behind it are as they were; after kIoError of a publish either.
Result<CompactReport> compact(Env& env, const std::string& directory,
                              const CompactOptions& options);

/// Puts `segments`, whose files are written, in the place of a collection's old ones, if they hold
/// just what `before` says. Errors: kInternal: they do not, and nothing was changed; kCorruption (a
/// file cannot be read); those of ImageEditor::publish().
Status replace_segments(ImageEditor& editor, manifest::CollectionEntry entry,
                        std::vector<manifest::SegmentEntry> segments, const RowTotals& before,
                        Pace& pace);

}  // namespace vz::offline
