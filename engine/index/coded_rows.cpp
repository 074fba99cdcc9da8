#include "engine/index/coded_rows.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <numeric>
#include <thread>

namespace vz::index {
namespace {

constexpr std::size_t kRowsPerTask = 512;
constexpr std::size_t kScaleRowsMin = 16;
constexpr std::size_t kScaleValuesMax = 1u << 20;
constexpr std::size_t kSampledQueries = 64;
constexpr std::size_t kExactTop = 10;
constexpr std::size_t kCodedTop = 40;

/// Values of evenly spread rows, enough for the scale.
std::vector<float> sample_values(std::span<const float* const> vectors, std::uint32_t dimension) {
  const std::size_t rows =
      std::min(vectors.size(), std::max<std::size_t>(kScaleRowsMin, kScaleValuesMax / dimension));
  std::vector<float> values;
  values.reserve(rows * dimension);
  for (std::size_t i = 0; i < rows; ++i) {
    const float* row = vectors[i * vectors.size() / rows];
    values.insert(values.end(), row, row + dimension);
  }
  return values;
}

/// How many of the exact top of `query` the coded top holds. By value, since equal vectors may
/// stand for each other.
std::size_t hits_of(const CodedRows& rows, std::span<const float* const> vectors,
                    vector::Distance distance, std::span<const std::uint32_t> subset,
                    std::uint32_t query) {
  const std::uint32_t dimension = rows.block.dimension;
  const auto exact_with = [&](std::uint32_t row) {
    return vector::similarity(distance, vectors[query], vectors[row], dimension);
  };
  std::vector<float> exact, coded(subset.size());
  exact.reserve(subset.size());
  for (const std::uint32_t row : subset) exact.push_back(exact_with(row));
  auto ranked = exact;
  std::nth_element(ranked.begin(), ranked.begin() + (kExactTop - 1), ranked.end(),
                   std::greater<>());
  const float threshold = ranked[kExactTop - 1];

  const vector::CodedQuery coded_query(distance, {vectors[query], dimension}, rows.block.scale);
  coded_query.similarities_at(rows.block, subset, coded);
  std::vector<std::uint32_t> order(subset.size());
  std::iota(order.begin(), order.end(), 0u);
  std::nth_element(order.begin(), order.begin() + (kCodedTop - 1), order.end(),
                   [&](std::uint32_t a, std::uint32_t b) {
                     return coded[a] > coded[b] || (coded[a] == coded[b] && a < b);
                   });
  std::size_t hits = 0;
  for (std::size_t i = 0; i < kCodedTop; ++i) hits += exact[order[i]] >= threshold ? 1 : 0;
  return std::min(hits, kExactTop);
}

}  // namespace

void parallel_for(std::size_t count, unsigned threads,
                  const std::function<void(std::size_t)>& work) {
  std::atomic<std::size_t> next{0};
  const auto take_some = [&] {
    for (std::size_t i = next++; i < count; i = next++) work(i);
  };
  std::vector<std::jthread> helpers;
  try {
    for (unsigned i = 1; i < threads && i < count; ++i) helpers.emplace_back(take_some);
  } catch (const std::exception&) {
    // No more threads to be had: those that run do the work.
  }
  take_some();
}

CodedRows encode_rows(std::span<const float* const> vectors, std::uint32_t dimension,
                      unsigned threads) {
  CodedRows rows;
  const std::size_t stride = vector::code_stride(dimension);
  const float scale =
      vectors.empty() ? 1.0f : vector::train_scale(sample_values(vectors, dimension));
  rows.codes.resize(vectors.size() * stride);
  rows.norms.resize(vectors.size());
  parallel_for((vectors.size() + kRowsPerTask - 1) / kRowsPerTask, threads, [&](std::size_t task) {
    const std::size_t end = std::min(vectors.size(), (task + 1) * kRowsPerTask);
    for (std::size_t row = task * kRowsPerTask; row < end; ++row) {
      rows.norms[row] =
          vector::encode_row({vectors[row], dimension}, scale, rows.codes.data() + row * stride);
    }
  });
  rows.block = {.codes = rows.codes.data(),
                .norms = rows.norms.data(),
                .stride = stride,
                .rows = static_cast<std::uint32_t>(vectors.size()),
                .dimension = dimension,
                .scale = scale};
  return rows;
}

double recall_of_codes(const CodedRows& rows, std::span<const float* const> vectors,
                       vector::Distance distance, std::size_t rows_max, unsigned threads) {
  if (vectors.size() <= kCodedTop) return 1.0;
  const std::size_t checked = std::min(vectors.size(), rows_max);
  std::vector<std::uint32_t> subset(checked);
  for (std::size_t i = 0; i < checked; ++i) {
    subset[i] = static_cast<std::uint32_t>(i * vectors.size() / checked);
  }
  const std::size_t queries = std::min(kSampledQueries, vectors.size());
  std::atomic<std::size_t> hits{0};
  parallel_for(queries, threads, [&](std::size_t i) {
    const auto query = static_cast<std::uint32_t>(i * vectors.size() / queries);
    hits += hits_of(rows, vectors, distance, subset, query);
  });
  return static_cast<double>(hits) / static_cast<double>(queries * kExactTop);
}

}  // namespace vz::index
