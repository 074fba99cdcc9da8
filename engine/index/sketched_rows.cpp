#include "engine/index/sketched_rows.h"

#include <algorithm>
#include <numeric>

#include "engine/index/coded_rows.h"
#include "engine/vector/distance.h"

namespace vz::index {
namespace {

constexpr std::size_t kRowsPerTask = 512;
constexpr std::size_t kCentreRowsMax = 16'384;
constexpr std::size_t kSampledQueries = 256;
constexpr std::size_t kNearest = 10;

/// The mean of evenly spread rows.
std::vector<float> centre_of(std::span<const float* const> vectors, std::uint32_t dimension) {
  std::vector<double> sums(dimension);
  const std::size_t rows = std::min(vectors.size(), kCentreRowsMax);
  for (std::size_t i = 0; i < rows; ++i) {
    const float* const row = vectors[i * vectors.size() / rows];
    for (std::uint32_t at = 0; at < dimension; ++at) sums[at] += row[at];
  }
  std::vector<float> centre(dimension);
  for (std::uint32_t at = 0; rows > 0 && at < dimension; ++at) {
    centre[at] = static_cast<float>(sums[at] / static_cast<double>(rows));
  }
  return centre;
}

/// Places, counted from 1, of the rows nearest to `query` in the order by sketches. The query is a
/// row, and none of its own nearest.
void places_of_nearest(const SketchedRows& rows, std::span<const float* const> vectors,
                       std::uint32_t dimension, vector::Distance distance,
                       std::span<const std::uint32_t> subset, std::uint32_t query,
                       std::span<std::size_t> places) {
  std::vector<std::uint32_t> others(subset.begin(), subset.end());
  std::erase(others, query);
  std::vector<std::pair<float, std::uint32_t>> exact(others.size());
  for (std::uint32_t i = 0; i < others.size(); ++i) {
    exact[i] = {-vector::similarity(distance, vectors[query], vectors[others[i]], dimension), i};
  }
  std::partial_sort(exact.begin(), exact.begin() + kNearest, exact.end());
  std::vector<float> ranks(others.size());
  vector::SketchQuery sketched;
  sketched.assign(vector::CodedQuery(distance, {vectors[query], dimension}, 1.0f));
  sketched.ranks_at(rows.block, others, ranks);
  for (std::size_t i = 0; i < kNearest; ++i) {
    const float own = ranks[exact[i].second];
    places[i] = static_cast<std::size_t>(
        std::count_if(ranks.begin(), ranks.end(), [own](float other) { return other >= own; }));
  }
}

}  // namespace

SketchedRows sketch_rows(std::span<const float* const> vectors, std::uint32_t dimension,
                         unsigned threads) {
  SketchedRows rows;
  const std::size_t stride = vector::sketch_stride(dimension);
  const std::vector<float> centre = centre_of(vectors, dimension);
  rows.words.resize(vectors.size() * stride);
  parallel_for((vectors.size() + kRowsPerTask - 1) / kRowsPerTask, threads, [&](std::size_t task) {
    std::vector<float> difference(dimension);
    const std::size_t end = std::min(vectors.size(), (task + 1) * kRowsPerTask);
    for (std::size_t row = task * kRowsPerTask; row < end; ++row) {
      for (std::uint32_t i = 0; i < dimension; ++i) difference[i] = vectors[row][i] - centre[i];
      vector::encode_sketch(difference, rows.words.data() + row * stride);
    }
  });
  rows.block = {
      .rows = rows.words.data(), .words = vector::sketch_words(dimension), .stride = stride};
  return rows;
}

ShortlistShares shortlist_shares(const SketchedRows& rows, std::span<const float* const> vectors,
                                 std::uint32_t dimension, vector::Distance distance,
                                 unsigned threads) {
  ShortlistShares shares;
  shares.fill(1.0f);
  if (vectors.size() < kShortlistRows) return shares;
  std::vector<std::uint32_t> subset(kShortlistRows);
  for (std::size_t i = 0; i < subset.size(); ++i) {
    subset[i] = static_cast<std::uint32_t>(i * vectors.size() / subset.size());
  }
  std::vector<std::size_t> places(kSampledQueries * kNearest);
  parallel_for(kSampledQueries, threads, [&](std::size_t i) {
    const auto query = static_cast<std::uint32_t>(i * vectors.size() / kSampledQueries);
    places_of_nearest(rows, vectors, dimension, distance, subset, query,
                      std::span(places).subspan(i * kNearest, kNearest));
  });
  std::sort(places.begin(), places.end());
  const auto last = static_cast<double>(places.size() - 1);
  for (std::size_t level = 0; level < shares.size(); ++level) {
    const auto held = static_cast<std::size_t>(kHeldByShortlist[level] * last);
    shares[level] = static_cast<float>(places[held]) / static_cast<float>(kShortlistRows);
  }
  return shares;
}

}  // namespace vz::index
