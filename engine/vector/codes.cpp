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

float encode_row(std::span<const float> values, float scale, std::uint8_t* codes) {
  const float inverse = 1 / scale;
  for (std::size_t i = 0; i < values.size(); ++i) {
    codes[i] = static_cast<std::uint8_t>(code_of(values[i], inverse) + kBias);
  }
  const std::size_t stride = code_stride(static_cast<std::uint32_t>(values.size()));
  std::fill(codes + values.size(), codes + stride, std::uint8_t{kBias});
  return kernels().dot(values.data(), values.data(), values.size());
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
  query_scale_ = distance == Distance::kManhattan ? scale : usable_scale(largest_magnitude(query));
  norm_ = kernels().dot(query.data(), query.data(), query.size());
  const float inverse = 1 / query_scale_;
  const std::size_t stride = code_stride(static_cast<std::uint32_t>(query.size()));
  if (distance == Distance::kManhattan) {
    biased_.assign(stride, std::uint8_t{kBias});
    for (std::size_t i = 0; i < query.size(); ++i) {
      biased_[i] = static_cast<std::uint8_t>(code_of(query[i], inverse) + kBias);
    }
    return;
  }
  codes_.assign(stride, std::int8_t{0});
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < query.size(); ++i) {
    const int code = code_of(query[i], inverse);
    codes_[i] = static_cast<std::int8_t>(code);
    sum += code;
  }
  correction_ = sum * kBias;
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

}  // namespace vz::vector
