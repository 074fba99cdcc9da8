// Recall of answers that come with scores: points that are as near as each other are equally right.
#pragma once

#include <cstdint>
#include <span>

#include "tools/drive/node_api.h"

namespace vz::bench {

enum class Order : std::uint8_t { kLargerIsNearer, kSmallerIsNearer };

/// Share of the exact answer's places that `found` fills with a point of it, or with one whose
/// score is no worse than that of its last point. 1 of an empty exact answer.
double recall_by_score(std::span<const drive::Scored> found, std::span<const drive::Scored> exact,
                       Order order);

}  // namespace vz::bench
