// Levels 1 and 2 of one checked file: its ends, and its blocks; and the SHA-256 of level 3.
#pragma once

#include <cstdint>
#include <functional>

#include "engine/check/run.h"

namespace vz::check {

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

/// Whether a run of blocks is to be read, by its number in the file.
using Takes = std::function<bool(std::uint64_t at)>;

/// Checks the runs of task `task` that `takes` says; memory: one buffer of a MiB.
void check_blocks(const Run& run, NamedFile& file, std::uint64_t task, const Takes& takes);

/// All blocks and the SHA-256, in one pass. A hash is compared only if all else is right and was
/// read to the end.
void check_whole(const Run& run, NamedFile& file);

}  // namespace vz::check
