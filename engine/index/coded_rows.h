// The codes of a column while its index is built. Internal to engine/index.
#pragma once

#include <cstdint>
#include <span>
#include <stop_token>
#include <vector>

#include "engine/index/index_file.h"
#include "engine/vector/codes.h"
#include "storage/base/huge_pages.h"

namespace vz::index {

/// Codes of n vectors, in the order they were given.
struct CodedRows {
  HugeVector<std::uint8_t> codes;
  std::vector<float> norms;
  vector::CodeBlock block;  ///< borrows the above
};

/// `vectors` point to `dimension` values each. Uses up to `threads` threads.
CodedRows encode_rows(std::span<const float* const> vectors, std::uint32_t dimension,
                      unsigned threads);

/// Share of the ten nearest rows that the best 40 by codes hold, over 64 sampled rows as queries;
/// both among at most `rows_max` rows. 1 if there are too few rows to tell.
double recall_of_codes(const CodedRows& rows, std::span<const float* const> vectors,
                       vector::Distance distance, std::size_t rows_max, unsigned threads);

/// Below this, codes are not used for the column (storage.md, "Reading").
inline constexpr double kCodesRecallMin = 0.98;

/// Runs work(i) for i below `count` on up to `threads` threads.
void parallel_for(std::size_t count, unsigned threads,
                  const std::function<void(std::size_t)>& work);

}  // namespace vz::index
