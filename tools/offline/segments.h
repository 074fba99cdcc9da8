// The segments of a data directory: which there are, and what is in one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/env/env.h"
#include "storage/segment/segment.h"
#include "tools/offline/data_directory.h"
#include "tools/offline/segment_name.h"

namespace vz::offline {

/// What a command names of a directory's segments.
struct SegmentSelection {
  std::string collection{};              ///< name or alias; empty: any
  std::optional<SegmentName> segment{};  ///< nothing: all of them
};

/// A segment of an image; pointers are into that.
struct SelectedSegment {
  const manifest::CollectionEntry* collection = nullptr;
  const manifest::SegmentEntry* entry = nullptr;
};

/// By collection, then oldest first. Errors: kNotFound (no such collection or segment);
/// kInvalidArgument: two collections have a segment of that name.
Result<std::vector<SelectedSegment>> select_segments(const store::Paths& paths,
                                                     const manifest::Manifest& image,
                                                     const SegmentSelection& selection);

/// Bytes of all its files that the manifest names.
std::uint64_t bytes_of(const manifest::SegmentEntry& entry);

struct SegmentSummary {
  SegmentName name{};
  CollectionId collection = 0;
  std::string collection_name{};
  std::uint32_t rows = 0;
  std::uint32_t dead_rows = 0;
  std::uint64_t seg_bytes = 0;
  std::uint64_t dead_bytes = 0;  ///< 0 if there is no such file; the two below alike
  std::uint64_t index_bytes = 0;
  std::uint64_t fields_bytes = 0;
};

SegmentSummary summary_of(const SelectedSegment& selected);

/// By the manifest alone. Shared lock, never writes. Errors: those of open_for_reading(), kNotFound
/// (no such collection).
Result<std::vector<SegmentSummary>> list_segments(Env& env, const std::string& directory,
                                                  const std::string& collection);

struct SegmentFile {
  std::string path{};  ///< relative to the directory
  std::uint64_t bytes = 0;
  Sha256Digest sha256{};  ///< as the manifest has it
};

struct SegmentColumn {
  std::string name{};
  segment::VectorKind kind = segment::VectorKind::kDense;
  std::uint32_t dimension = 0;  ///< 0 for sparse
  std::uint32_t present = 0;    ///< rows that have a vector
  std::uint64_t bytes = 0;      ///< of values, indices and offsets
};

/// What the footer of a segment says.
struct SegmentDetails {
  SegmentSummary summary{};
  Lsn min_lsn = 0;
  Lsn max_lsn = 0;
  PointId min_id{};
  PointId max_id{};
  std::uint64_t tombstones = 0;
  std::vector<SegmentSeq> replaces{};
  std::uint64_t payload_blocks = 0;
  std::uint64_t payload_raw_bytes = 0;     ///< decompressed
  std::uint64_t payload_stored_bytes = 0;  ///< as they lie in the file
  std::vector<SegmentColumn> columns{};
  std::vector<SegmentFile> files{};
};

/// Shared lock, never writes. Errors: those of open_for_reading() and select_segments();
/// kCorruption, kNotFound, kIncompatible: of the file.
Result<SegmentDetails> show_segment(Env& env, const std::string& directory,
                                    const SegmentSelection& selection);

}  // namespace vz::offline
