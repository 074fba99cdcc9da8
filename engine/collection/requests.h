// What readers ask of a collection, and what they get. Plain structs; the codec makes them valid.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "engine/index/index_file.h"
#include "engine/payload/filter.h"
#include "engine/payload/payload.h"
#include "storage/base/ids.h"

namespace vz::collection {

struct VectorSelection {
  enum class Mode : std::uint8_t { kNone, kAll, kNamed };
  Mode mode = Mode::kNone;
  std::vector<std::string> names;
};
/// What of each point an answer carries.
struct PointSelection {
  payload::Selection payload;
  VectorSelection vectors;
};

struct VectorValue {
  std::string name;
  segment::VectorKind kind = segment::VectorKind::kDense;
  std::uint32_t dimension = 0;         ///< of a dense or multi row
  std::vector<float> values;           ///< multi: row after row
  std::vector<std::uint32_t> indices;  ///< sparse only
};
struct Record {
  PointId id;
  Lsn version = 0;
  std::string payload = {};               ///< canonical JSON; "" when it was not selected
  std::vector<VectorValue> vectors = {};  ///< empty when not selected
};
struct ScoredPoint {
  Record record;
  float score = 0;
};

struct SearchRequest {
  /// The query vector as the client sent it (search() normalises it), or a point whose vector is
  /// the query and which is left out of the answer.
  std::variant<std::vector<float>, PointId> query;
  std::string using_vector;  ///< name of the vector
  std::size_t limit = 10;    ///< 1..limits::kLimitMax
  std::size_t offset = 0;    ///< 0..limits::kOffsetMax
  payload::Filter filter;
  std::optional<float> score_threshold;
  std::optional<std::uint32_t> ef;  ///< 1..limits::kEfSearchMax
  bool exact = false;               ///< compare every row in float32
  PointSelection selection;
};
struct SearchOutcome {
  std::vector<ScoredPoint> points;  ///< best first; equal scores by id
  index::CandidateStats stats;
  std::uint32_t ef = 0;  ///< that graphs were searched with; 0: exact
};

struct ScrollRequest {
  std::optional<PointId> offset;  ///< first id of the page
  std::size_t limit = 10;
  payload::Filter filter;
  PointSelection selection;
};
struct ScrollOutcome {
  std::vector<Record> points;  ///< ascending by id
  std::optional<PointId> next_page_offset;
};

/// Numbers of one collection, as of now.
struct CollectionStats {
  std::uint64_t points = 0;          ///< alive
  std::uint64_t deleted_points = 0;  ///< dead rows that still take space
  std::uint64_t indexed_points = 0;  ///< alive, in parts with a graph or small enough without
  std::uint64_t segments = 0;
  std::uint64_t size_bytes = 0;    ///< files and unsealed rows
  std::uint64_t memory_bytes = 0;  ///< of ours; not the pages of mapped files that are in memory
  std::uint64_t searches = 0;
  std::uint64_t evaluations = 0;  ///< distances computed by all searches
  double avg_search_ms = 0;
  double p50_search_ms = 0;
  double p99_search_ms = 0;
  std::int64_t created_at_us = 0;
  std::int64_t updated_at_us = 0;
  std::string status;  ///< "green", "yellow" (unindexed rows), "red" (a damaged part)
  std::string damage;  ///< what is damaged; "" if nothing is
};

}  // namespace vz::collection
