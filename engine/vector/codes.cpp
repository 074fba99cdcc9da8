#include "engine/vector/codes.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "engine/vector/kernels.h"

namespace vz::vector {
namespace {

constexpr float kCodeMax = 127.0f;
constexpr int kBias = 128;
constexpr std::size_t kStrideAlignment = 64;
/// Enough for a quantile of 0.9995 within a few percent: 100 values lie above it.
constexpr std::size_t kScaleSampleMax = 200'000;
constexpr double kScaleQuantile = 0.9995;
/// Smaller ones would make the inverse infinite.
constexpr float kScaleMin = 1e-35f;
constexpr std::size_t kBatchRows = 64;

/// NaN becomes -127: no value makes the conversion undefined.
inline int code_of(float value, float inverse) {
  const float scaled = value * inverse;
  const float clipped = scaled > -kCodeMax ? (scaled < kCodeMax ? scaled : kCodeMax) : -kCodeMax;
  return static_cast<int>(clipped + (clipped >= 0 ? 0.5f : -0.5f));
}

float usable_scale(float maximum) {
  const float scale = maximum / kCodeMax;
  return std::isfinite(scale) && scale >= kScaleMin ? scale : 1.0f;
}

float largest_magnitude(std::span<const float> values) {
  float maximum = 0;
  for (const float value : values) {
    const float magnitude = std::fabs(value);
    if (std::isfinite(magnitude)) maximum = std::max(maximum, magnitude);
  }
  return maximum;
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
  return usable_scale(quantile > 0 ? quantile : largest_magnitude(values));
}

EncodedRow encode_row(std::span<const float> values, float scale, std::int8_t* codes) {
  const float inverse = 1 / scale;
  std::int32_t sum = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const int code = code_of(values[i], inverse);
    codes[i] = static_cast<std::int8_t>(code);
    sum += code;
  }
  const std::size_t stride = code_stride(static_cast<std::uint32_t>(values.size()));
  std::fill(codes + values.size(), codes + stride, std::int8_t{0});
  return {.sum = sum, .norm = kernels().dot(values.data(), values.data(), values.size())};
}

CodedQuery::CodedQuery(Distance distance, std::span<const float> query, float scale) {
  assign(distance, query, scale);
}

void CodedQuery::assign(Distance distance, std::span<const float> query, float scale) {
  distance_ = distance;
  scale_ = scale;
  // Only differences of codes need the scale of the rows; products take the query's own range, so
  // that nothing of it is clipped.
  query_scale_ = distance == Distance::kManhattan ? scale : usable_scale(largest_magnitude(query));
  norm_ = kernels().dot(query.data(), query.data(), query.size());
  codes_.resize(code_stride(static_cast<std::uint32_t>(query.size())));
  const float inverse = 1 / query_scale_;
  for (std::size_t i = 0; i < query.size(); ++i) {
    codes_[i] = static_cast<std::uint8_t>(code_of(query[i], inverse) + kBias);
  }
  std::fill(codes_.begin() + static_cast<std::ptrdiff_t>(query.size()), codes_.end(),
            std::uint8_t{kBias});
}

float CodedQuery::from_sum(const CodeBlock& block, std::uint32_t row, std::int32_t sum) const {
  if (distance_ == Distance::kManhattan) return -(static_cast<float>(sum) * scale_);
  // In 64 bits: sums come from a file and may be anything.
  const std::int64_t product = std::int64_t{sum} - std::int64_t{kBias} * block.sums[row];
  const float dot = static_cast<float>(product) * (scale_ * query_scale_);
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
  const auto sums_at = distance_ == Distance::kManhattan ? kernel.sad_at : kernel.dot_at;
  std::array<std::int32_t, kBatchRows> sums;
  for (std::size_t done = 0; done < slots.size(); done += kBatchRows) {
    const std::size_t count = std::min(kBatchRows, slots.size() - done);
    sums_at(codes_.data(), block.codes, block.stride, slots.data() + done, count, sums.data());
    for (std::size_t i = 0; i < count; ++i) {
      out[done + i] = from_sum(block, slots[done + i], sums[i]);
    }
  }
}

}  // namespace vz::vector
