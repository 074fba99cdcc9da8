// Segments of generated vectors, their index, and the exact answers, for the tests of this folder.
#pragma once

#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "engine/index/index_file.h"
#include "tests/storage/segment/memory_env.h"

namespace vz::test {

/// Rows of one dense column; an empty vector means that the row lacks it.
class VectorRows final : public segment::RowSource {
 public:
  explicit VectorRows(const std::vector<std::vector<float>>& rows) : rows_(rows) {}
  [[nodiscard]] std::uint32_t row_count() const override {
    return static_cast<std::uint32_t>(rows_.size());
  }
  [[nodiscard]] PointId id(std::uint32_t row) const override { return PointId::number(row + 1); }
  [[nodiscard]] Lsn version(std::uint32_t row) const override { return row + 1; }
  [[nodiscard]] std::uint64_t row_hash(std::uint32_t row) const override { return row * 31; }
  Result<std::optional<segment::VectorRef>> vector(std::size_t, std::uint32_t row) const override {
    if (rows_[row].empty()) return std::nullopt;
    return segment::VectorRef{.values = rows_[row], .indices = {}};
  }
  Result<std::string_view> payload(std::uint32_t) const override { return std::string_view(); }

 private:
  const std::vector<std::vector<float>>& rows_;
};

/// `count` vectors around `centres` centres, normalised if `distance` is Cosine.
inline std::vector<std::vector<float>> clustered(std::size_t count, std::uint32_t dimension,
                                                 std::size_t centres, vector::Distance distance,
                                                 unsigned centre_seed, unsigned seed) {
  std::mt19937 random(centre_seed);
  std::normal_distribution<float> normal;
  std::vector<std::vector<float>> middle(centres, std::vector<float>(dimension));
  for (auto& centre : middle) {
    for (float& value : centre) value = normal(random);
  }
  random.seed(seed);
  std::vector<std::vector<float>> rows(count, std::vector<float>(dimension));
  for (auto& row : rows) {
    const auto& centre = middle[random() % centres];
    for (std::uint32_t i = 0; i < dimension; ++i) row[i] = centre[i] + 0.5f * normal(random);
    if (distance == vector::Distance::kCosine) vector::normalize(row);
  }
  return rows;
}

/// A segment with its index, in memory.
struct Example {
  MemoryEnv env;
  std::vector<std::vector<float>> rows;
  vector::Distance distance = vector::Distance::kCosine;
  std::unique_ptr<segment::Segment> segment;
  std::unique_ptr<index::IndexFile> file;

  [[nodiscard]] const index::ColumnIndex& column() const { return *file->column(0); }

  /// Best `k` rows by float32, ties by row; all that `filter` passes if there are fewer.
  [[nodiscard]] std::vector<std::uint32_t> exact(std::span<const float> query, std::size_t k,
                                                 const index::RowFilter& filter = {}) const {
    std::vector<std::pair<float, std::uint32_t>> all;
    for (std::uint32_t row = 0; row < rows.size(); ++row) {
      if (rows[row].empty() || !filter.passes(row)) continue;
      all.emplace_back(-vector::similarity(distance, query.data(), rows[row].data(), query.size()),
                       row);
    }
    return best_of(all, k);
  }
  /// The same among the index's candidates.
  [[nodiscard]] std::vector<std::uint32_t> rescored(
      std::span<const float> query, std::size_t k,
      const std::vector<index::Candidate>& found) const {
    std::vector<std::pair<float, std::uint32_t>> all;
    for (const auto& candidate : found) {
      const auto& row = rows[candidate.row];
      all.emplace_back(-vector::similarity(distance, query.data(), row.data(), query.size()),
                       candidate.row);
    }
    return best_of(all, k);
  }

 private:
  static std::vector<std::uint32_t> best_of(std::vector<std::pair<float, std::uint32_t>>& all,
                                            std::size_t k) {
    const std::size_t count = std::min(k, all.size());
    std::partial_sort(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(count), all.end());
    std::vector<std::uint32_t> out;
    for (std::size_t i = 0; i < count; ++i) out.push_back(all[i].second);
    return out;
  }
};

inline constexpr const char* kSegmentPath = "d/1-1.seg";
inline constexpr const char* kIndexPath = "d/1-1.index";

/// Writes `rows` as segment `seq` of one dense column and opens it.
inline Result<std::unique_ptr<segment::Segment>> write_and_open(
    Env& env, const std::string& path, const std::vector<std::vector<float>>& rows,
    std::uint32_t dimension, SegmentSeq seq) {
  segment::Footer footer;
  footer.collection = 7;
  footer.collection_name = "words";
  footer.definition_json = "{}";
  footer.epoch = 1;
  footer.seq = seq;
  footer.columns = {{.name = "", .kind = segment::VectorKind::kDense, .dimension = dimension}};
  VZ_TRY(segment::write_segment(env, path, footer, VectorRows(rows), {}));
  return segment::Segment::open(env, path);
}

/// With a graph from `graph_rows_min` rows on. Errors: those of the parts.
inline Result<std::unique_ptr<Example>> make_example(std::vector<std::vector<float>> rows,
                                                     std::uint32_t dimension,
                                                     vector::Distance distance,
                                                     std::uint32_t graph_rows_min,
                                                     unsigned threads = 1) {
  auto example = std::make_unique<Example>();
  example->rows = std::move(rows);
  example->distance = distance;
  VZ_TRY_ASSIGN(example->segment,
                write_and_open(example->env, kSegmentPath, example->rows, dimension, 1));
  const index::ColumnPlan plan = {.column = 0, .distance = distance, .hnsw = {}};
  VZ_TRY(index::build_index(example->env, kIndexPath, *example->segment, {&plan, 1},
                            {.graph_rows_min = graph_rows_min, .threads = threads, .stop = {}}));
  VZ_TRY_ASSIGN(example->file, index::IndexFile::open(example->env, kIndexPath, *example->segment));
  return example;
}

/// Share of `expected` that `found` holds.
inline double recall(const std::vector<std::uint32_t>& found,
                     const std::vector<std::uint32_t>& expected) {
  if (expected.empty()) return 1.0;
  std::size_t hits = 0;
  for (const std::uint32_t row : expected) {
    hits += std::find(found.begin(), found.end(), row) != found.end() ? 1 : 0;
  }
  return static_cast<double>(hits) / static_cast<double>(expected.size());
}

}  // namespace vz::test
