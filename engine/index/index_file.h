// .index: int8 codes and, above a size, an HNSW graph, by vector name: derived from a segment.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/index/row_filter.h"
#include "engine/vector/distance.h"
#include "storage/segment/checked_file.h"
#include "storage/segment/segment.h"

namespace vz::index {

struct HnswParameters {
  std::uint32_t m = 16;
  std::uint32_t ef_construct = 200;
  friend bool operator==(const HnswParameters&, const HnswParameters&) = default;
};

/// What to index of one dense column of a segment.
struct ColumnPlan {
  std::size_t column = 0;  ///< in segment.footer().columns
  vector::Distance distance = vector::Distance::kCosine;
  HnswParameters hnsw;
};

enum class GraphPolicy : std::uint8_t {
  kCodesOnly,  ///< for a segment that will soon be merged
  kBySize,     ///< a graph for columns with at least kGraphRowsMin rows
};
inline constexpr std::uint32_t kGraphRowsMin = 5'000;
/// Breadth of a walk when neither the request nor the collection names one.
inline constexpr std::uint32_t kDefaultEfSearch = 160;

struct BuildOptions {
  GraphPolicy graph = GraphPolicy::kBySize;
  std::uint32_t graph_rows_min = kGraphRowsMin;  ///< for kBySize
  unsigned threads = 1;
  std::stop_token stop{};  ///< asked between rows; the build then gives kCancelled
};

/// Builds the index of `segment` and publishes it at `path`.
/// Memory while it runs: codes and graph of one column at a time.
/// Errors: kCorruption (the segment), kCancelled, kIoError, kNoSpace, kExhausted (memory),
/// kInvalidArgument (a plan's column is not dense); nothing is published.
Result<segment::FileInfo> build_index(Env& env, const std::string& path,
                                      const segment::Segment& segment,
                                      std::span<const ColumnPlan> plans,
                                      const BuildOptions& options);

struct Candidate {
  float similarity = 0;   ///< approximate
  std::uint32_t row = 0;  ///< of the segment
};

/// How a search goes about it: for measurements and tests; results are the same but for recall.
enum class SearchMethod : std::uint8_t {
  kByCost,  ///< whichever the cost model expects to be cheaper
  kWalk,    ///< the graph, if there is one; it gives way to a scan when too few rows turn up
  kScan,
};

/// What a search asks of one part and what it cost.
struct CandidateRequest {
  std::span<const float> query;  ///< normalised for Cosine
  std::size_t wanted = 0;        ///< candidates to return; the best by float32 are among them
  std::size_t ef = 0;            ///< breadth of a graph walk; at least `wanted` is used
  RowFilter filter;
  SearchMethod method = SearchMethod::kByCost;
};
struct CandidateStats {
  std::uint64_t evaluations = 0;  ///< distances computed
  std::uint64_t walks = 0;        ///< parts searched by a graph walk
  std::uint64_t scans = 0;        ///< parts searched by a scan
};

/// The index of one column. Thread-safe.
class ColumnIndex {
 public:
  virtual ~ColumnIndex() = default;
  [[nodiscard]] virtual bool has_graph() const = 0;
  /// False if a sample showed that codes lose too much: such a column is compared in float32.
  [[nodiscard]] virtual bool codes_on() const = 0;
  /// Of codes and graph, wherever they are kept.
  [[nodiscard]] virtual std::uint64_t memory_bytes() const = 0;
  /// Best rows by approximate similarity, best first, at most `wanted`. Walks the graph or scans
  /// the passing rows' codes, whichever the cost model says is cheaper. Appends to `out`.
  /// Errors: kCorruption (the file is damaged: the caller scans in float32 and has it rebuilt).
  virtual Status candidates(const CandidateRequest& request, std::vector<Candidate>& out,
                            CandidateStats& stats) const = 0;
};

/// Where an open index keeps the codes and graph of a column.
enum class Placement : std::uint8_t {
  kResident,  ///< copied into memory of ours, in large pages
  kMapped,    ///< read through the mapping: as much memory as the kernel likes
};

/// Opened .index of a segment. Thread-safe.
class IndexFile {
 public:
  /// `segment` must be the one it was built from and must outlive this (its float32 rows are read
  /// when codes are off). `placements` are by column of the segment; the columns beyond them are
  /// resident, and the mapped pages of a file that is resident whole are let go. Structure is
  /// validated before the first use, so that a damaged file can make no walk leave its bounds.
  /// Errors: kNotFound, kIoError, kCorruption; kIncompatible for another version: rebuild it;
  /// kExhausted (not enough memory).
  static Result<std::unique_ptr<IndexFile>> open(Env& env, const std::string& path,
                                                 const segment::Segment& segment,
                                                 std::span<const Placement> placements = {});
  virtual ~IndexFile() = default;
  /// nullptr if that column was not indexed.
  [[nodiscard]] virtual const ColumnIndex* column(std::size_t column) const = 0;
  [[nodiscard]] virtual const segment::CheckedFile& file() const = 0;
  /// Memory of ours that it takes: the resident columns.
  [[nodiscard]] virtual std::uint64_t memory_bytes() const = 0;
};

}  // namespace vz::index
