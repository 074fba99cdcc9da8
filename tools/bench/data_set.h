// Vectors, queries and exact answers of a benchmark: from files, or generated.
#pragma once

#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "engine/index/row_filter.h"
#include "engine/vector/distance.h"
#include "storage/base/status.h"

namespace vz::bench {

/// Row-major floats.
struct Matrix {
  std::uint32_t rows = 0;
  std::uint32_t dimension = 0;
  std::vector<float> values;

  [[nodiscard]] std::span<const float> row(std::uint32_t index) const {
    return std::span(values).subspan(std::size_t{index} * dimension, dimension);
  }
  [[nodiscard]] std::span<float> row(std::uint32_t index) {
    return std::span(values).subspan(std::size_t{index} * dimension, dimension);
  }
};

struct DataSet {
  std::string name;
  vector::Distance distance = vector::Distance::kCosine;
  Matrix base;                                      ///< normalised for Cosine
  Matrix queries;                                   ///< likewise
  std::vector<std::vector<std::uint32_t>> answers;  ///< exact top k of each query, best first
};

/// .fbin: int32 n, int32 d, then n x d float32.
/// Errors: kNotFound, kIoError (shorter than a header), kCorruption (sizes that cannot be, or more
/// rows than there are bytes for).
Result<Matrix> read_fbin(const std::string& path);
/// .ibin: int32 n, int32 k, then n x k int32. Ids beyond `rows` are refused.
Result<std::vector<std::vector<std::uint32_t>>> read_ibin(const std::string& path,
                                                          std::uint32_t rows);

/// x = A z + 0.1 noise, with z in R^32 around 1,000 centres and A fixed: easy, as embeddings are.
class ClusteredVectors {
 public:
  ClusteredVectors(std::uint32_t dimension, unsigned seed);

  /// The next `rows` of them. How they are divided into draws changes none.
  Matrix draw(std::uint32_t rows);

 private:
  Matrix projection_;
  Matrix centres_;
  std::mt19937 random_;
  std::normal_distribution<float> normal_;
};

/// Clustered vectors, and `queries` more that are drawn apart. Fixed seeds.
DataSet generate(std::uint32_t rows, std::uint32_t dimension, std::uint32_t queries);

/// The first `rows` rows and `queries` queries, normalised for Cosine.
void prepare(DataSet& data);

/// Exact top `k` of the first `queries` queries among the rows that its filter passes; an empty
/// `filters` passes all.
std::vector<std::vector<std::uint32_t>> exact_answers(const DataSet& data, std::uint32_t queries,
                                                      std::size_t k, unsigned threads,
                                                      std::span<const index::RowSet> filters);

/// Share of the first k of `answer` that are among `found`.
double recall_of(std::span<const std::uint32_t> found, std::span<const std::uint32_t> answer,
                 std::size_t k);

}  // namespace vz::bench
