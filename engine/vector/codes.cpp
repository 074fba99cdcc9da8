#include "engine/vector/codes.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "engine/vector/kernels.h"

namespace vz::vector {
namespace {

constexpr float kCodeMax = 127.0f;
constexpr std::uint8_t kBias = 128;
constexpr std::size_t kStrideAlignment = 64;
/// Enough for a quantile of 0.9995 within a few percent: 100 values lie above it.
constexpr std::size_t kScaleSampleMax = 200'000;
constexpr double kScaleQuantile = 0.9995;
/// Smaller ones would make the inverse infinite.
constexpr float kScaleMin = 1e-35f;
constexpr std::size_t kBatchRows = 64;
constexpr std::size_t kBitsPerWord = 64;

float usable_scale(float maximum) {
  const float scale = maximum / kCodeMax;
  return std::isfinite(scale) && scale >= kScaleMin ? scale : 1.0f;
}

}  // namespace

std::size_t code_stride(std::uint32_t dimension) {
  return (std::size_t{dimension} + kStrideAlignment - 1) / kStrideAlignment * kStrideAlignment;
}

float train_scale(std::span<const float> values) {
  // An odd step, so that the sample does not keep to a few of the dimensions.
  const std::size_t step = (values.size() / kScaleSampleMax + 1) | 1u;
  std::vector<float> sample;
  sample.reserve(values.size() / step + 1);
  for (std::size_t i = 0; i < values.size(); i += step) {
    const float magnitude = std::fabs(values[i]);
    if (std::isfinite(magnitude)) sample.push_back(magnitude);
  }
  if (sample.empty()) return 1.0f;
  const auto rank =
      static_cast<std::ptrdiff_t>(kScaleQuantile * static_cast<double>(sample.size() - 1) + 0.5);
  std::nth_element(sample.begin(), sample.begin() + rank, sample.end());
  const float quantile = sample[static_cast<std::size_t>(rank)];
  // Almost only zeros: clipping at the quantile would erase everything.
  return usable_scale(quantile > 0 ? quantile : kernels().magnitude(values.data(), values.size()));
}

float encode_row(std::span<const float> values, float scale, std::uint8_t* codes) {
  const std::size_t stride = code_stride(static_cast<std::uint32_t>(values.size()));
  kernels().encode(values.data(), values.size(), 1 / scale, reinterpret_cast<std::int8_t*>(codes));
  for (std::size_t i = 0; i < values.size(); ++i) codes[i] ^= kBias;
  std::fill(codes + values.size(), codes + stride, std::uint8_t{kBias});
  return kernels().dot(values.data(), values.data(), values.size());
}

std::size_t sketch_words(std::uint32_t dimension) {
  return code_stride(dimension) / kBitsPerWord;
}

std::size_t sketch_stride(std::uint32_t dimension) {
  constexpr std::size_t kLineWords = 8;
  const std::size_t used = sketch_words(dimension) + 1;
  static_assert(kSketchStrideMin == kLineWords / 2);
  if (used <= kSketchStrideMin) return kSketchStrideMin;
  return (used + kLineWords - 1) / kLineWords * kLineWords;
}

void encode_sketch(std::span<const float> difference, std::uint64_t* row) {
  const std::size_t words = sketch_words(static_cast<std::uint32_t>(difference.size()));
  std::fill_n(row, words + 1, std::uint64_t{0});
  double square = 0, sum = 0;
  for (std::size_t i = 0; i < difference.size(); ++i) {
    const float value = difference[i];
    if (value > 0) row[i / kBitsPerWord] |= std::uint64_t{1} << (i % kBitsPerWord);
    square += double{value} * value;
    sum += std::fabs(double{value});
  }
  const float factor = sum > 0 && std::isfinite(square) ? static_cast<float>(square / sum) : 0.0f;
  row[words] = std::bit_cast<std::uint32_t>(factor);
}

float similarity_of_rows(Distance distance, const CodeBlock& block, std::uint32_t a,
                         std::uint32_t b) {
  const std::uint8_t* const left = block.codes + std::size_t{a} * block.stride;
  const std::uint8_t* const right = block.codes + std::size_t{b} * block.stride;
  if (distance == Distance::kManhattan) {
    return -(static_cast<float>(kernels().sad_rows(left, right, block.stride)) * block.scale);
  }
  const float dot = static_cast<float>(kernels().dot_rows(left, right, block.stride)) *
                    (block.scale * block.scale);
  return distance == Distance::kEuclid ? 2 * dot - block.norms[a] - block.norms[b] : dot;
}

CodedQuery::CodedQuery(Distance distance, std::span<const float> query, float scale) {
  assign(distance, query, scale);
}

void CodedQuery::assign(Distance distance, std::span<const float> query, float scale) {
  distance_ = distance;
  scale_ = scale;
  // Only differences of codes need the scale of the rows; products take the query's own range, so
  // that nothing of it is clipped.
  const bool differences = distance == Distance::kManhattan;
  query_scale_ =
      differences ? scale : usable_scale(kernels().magnitude(query.data(), query.size()));
  norm_ =
      distance == Distance::kEuclid ? kernels().dot(query.data(), query.data(), query.size()) : 0;
  const std::size_t stride = code_stride(static_cast<std::uint32_t>(query.size()));
  codes_.resize(stride);
  correction_ = std::int64_t{kBias} *
                kernels().encode(query.data(), query.size(), 1 / query_scale_, codes_.data());
  std::fill(codes_.begin() + static_cast<std::ptrdiff_t>(query.size()), codes_.end(),
            std::int8_t{0});
  if (!differences) return;
  biased_.resize(stride);
  for (std::size_t i = 0; i < stride; ++i) {
    biased_[i] = static_cast<std::uint8_t>(codes_[i] ^ kBias);
  }
}

void CodedQuery::assign_row(Distance distance, const CodeBlock& block, std::uint32_t row) {
  const std::uint8_t* const from = block.codes + std::size_t{row} * block.stride;
  distance_ = distance;
  scale_ = query_scale_ = block.scale;
  norm_ = block.norms[row];
  if (distance == Distance::kManhattan) {
    biased_.assign(from, from + block.stride);
    return;
  }
  codes_.resize(block.stride);
  std::int32_t sum = 0;
  for (std::size_t i = 0; i < block.stride; ++i) {
    codes_[i] = static_cast<std::int8_t>(from[i] ^ kBias);
    sum += codes_[i];
  }
  correction_ = std::int64_t{sum} * kBias;
}

float CodedQuery::from_sum(const CodeBlock& block, std::uint32_t row, std::int32_t sum) const {
  if (distance_ == Distance::kManhattan) return -(static_cast<float>(sum) * scale_);
  const float dot = static_cast<float>(sum - correction_) * (scale_ * query_scale_);
  if (distance_ == Distance::kEuclid) return 2 * dot - norm_ - block.norms[row];
  return dot;
}

float CodedQuery::similarity(const CodeBlock& block, std::uint32_t row) const {
  float out = 0;
  similarities_at(block, {&row, 1}, {&out, 1});
  return out;
}

void CodedQuery::similarities(const CodeBlock& block, std::uint32_t first,
                              std::span<float> out) const {
  std::array<std::uint32_t, kBatchRows> slots;
  for (std::size_t done = 0; done < out.size(); done += kBatchRows) {
    const std::size_t count = std::min(kBatchRows, out.size() - done);
    for (std::size_t i = 0; i < count; ++i) {
      slots[i] = first + static_cast<std::uint32_t>(done + i);
    }
    similarities_at(block, {slots.data(), count}, out.subspan(done, count));
  }
}

void CodedQuery::similarities_at(const CodeBlock& block, std::span<const std::uint32_t> slots,
                                 std::span<float> out) const {
  const Kernels& kernel = kernels();
  std::array<std::int32_t, kBatchRows> sums;
  for (std::size_t done = 0; done < slots.size(); done += kBatchRows) {
    const std::size_t count = std::min(kBatchRows, slots.size() - done);
    const std::uint32_t* const at = slots.data() + done;
    if (distance_ == Distance::kManhattan) {
      kernel.sad_at(biased_.data(), block.codes, block.stride, at, count, sums.data());
    } else {
      kernel.dot_at(codes_.data(), block.codes, block.stride, at, count, sums.data());
    }
    for (std::size_t i = 0; i < count; ++i) out[done + i] = from_sum(block, at[i], sums[i]);
  }
}

void SketchQuery::assign(const CodedQuery& query) {
  constexpr int kDropped = 8 - kSketchQueryBits, kHalf = 1 << (kDropped - 1),
                kMax = (1 << (kSketchQueryBits - 1)) - 1;
  const std::span<const std::int8_t> codes = query.codes();
  codes_.resize(codes.size());
  all_ = 0;
  for (std::size_t i = 0; i < codes.size(); ++i) {
    codes_[i] = static_cast<std::int8_t>(std::min((codes[i] + kHalf) >> kDropped, kMax));
    all_ += codes_[i];
  }
}

void SketchQuery::ranks_at(const SketchBlock& block, std::span<const std::uint32_t> slots,
                           std::span<float> out) const {
  kernels().sketch_at(codes_.data(), all_, block.rows, block.words, block.stride, slots.data(),
                      slots.size(), out.data());
}

}  // namespace vz::vector
