// Compaction without a node: a collection's segments become as few as possible, without dead rows.
//
// Works on segments alone: the log and every flushed lsn stay as they are, so a directory whose log
// holds unflushed records may be compacted too; the next start applies them to the new segments as
// it would have to the old ones.
//
// A collection's segments are replaced group by group (neighbours that become one), so that the
// files of one group at most lie there twice. An image puts a new segment in force when its files
// are written, synced, read back and found to hold the same points (count and logical digest) as
// the old ones. A kill at any moment leaves each group old or new, whole; a rerun goes on with the
// others. Numbers of files are given out before they are written, so that what a killed run has
// left is a leftover, which a rerun, the next start and `data gc` remove.
//
// Without room for a group twice a work directory on another disk helps (compact_group.h).
// Memory: about 100 bytes a row of the largest new segment, and codes and graph of one of its
// vectors.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/check/pace.h"
#include "engine/limits.h"
#include "storage/env/env.h"
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
  /// On another disk: files are built in it when the data directory's has no room. "": none.
  std::string workdir{};
  check::Pace::Progress progress{};  ///< bytes of old segments done with, of all that will be
};

inline constexpr int kZstdLevelMax = 22;

/// What to do about kNoSpace.
inline constexpr std::string_view kCompactAdvice =
    "free some (`data gc` shows what nobody needs), build on another disk (--workdir), make the "
    "pieces smaller (--max-rows), or move the directory to a larger disk (`snapshot pack` and "
    "`snapshot restore`)";

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
  /// Bytes beside the old files, while it runs; upper bounds. In the data directory alone; and in
  /// it and in the work directory, if that is used.
  std::uint64_t space_needed = 0;
  std::uint64_t space_with_workdir = 0;
  std::uint64_t space_in_workdir = 0;
  std::uint64_t memory_needed = 0;  ///< bytes; an estimate
  bool compacted = false;
  bool built_in_workdir = false;
};

struct CompactReport {
  std::vector<CompactedCollection> collections{};  ///< by id
  std::uint64_t free_bytes = 0;                    ///< of the disk, before
  std::uint64_t workdir_free_bytes = 0;            ///< 0 without a work directory
};

/// Plans (shared lock, writes nothing) or does it (exclusive lock).
/// Errors: those of open_for_reading() or open_for_writing(); kNotFound (no such collection);
/// kCorruption: a collection's rows cannot be read, or are not what the manifest says (check()
/// tells more); kNoSpace, before anything of that collection is written; kNotFound, kLocked:
/// the work directory; kInternal: what was written does not hold the same points; kIoError.
/// Collections before the one in the message are compacted, those behind it are as they were; of
/// that one each group is old or new.
Result<CompactReport> compact(Env& env, const std::string& directory,
                              const CompactOptions& options);

}  // namespace vz::offline
