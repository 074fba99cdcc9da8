// Levels 1 and 2 of one checked file: its ends, and its blocks; and the SHA-256 of level 3.
#pragma once

#include <cstdint>

#include "tools/offline/check_run.h"
#include "tools/offline/sample.h"

namespace vz::offline {

/// Blocks of one task of check_blocks: 16 MiB of content, so that a large file keeps every thread
/// busy.
inline constexpr std::uint64_t kBlocksPerTask = 256;

/// Runs of blocks that are read at once, a MiB each: what a sample takes or leaves.
inline constexpr std::uint64_t kBlocksPerRun = 16;
inline constexpr std::uint64_t kRunsPerTask = kBlocksPerTask / kBlocksPerRun;

/// Tasks of check_blocks that cover `file`; at least one, which also checks the block table.
std::uint64_t block_tasks(const NamedFile& file);
/// Runs of the whole file; 0 if it has no blocks, or a length that no such file has.
std::uint64_t runs_of(const NamedFile& file);
/// Content of run `at`.
std::uint64_t bytes_of_run(const NamedFile& file, std::uint64_t at);

/// Compares length and trailer with what the manifest records.
void check_ends(const Run& run, NamedFile& file);

/// Checks the runs of task `task` that `choice` takes; memory: one buffer of a MiB.
void check_blocks(const Run& run, NamedFile& file, std::uint64_t task, const Choice& choice);

/// All blocks and the SHA-256, in one pass. A hash is compared only if all else is right.
void check_whole(const Run& run, NamedFile& file);

}  // namespace vz::offline
