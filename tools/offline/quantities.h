// Sizes and durations as people write them on a command line.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

#include "storage/base/status.h"

namespace vz::offline {

// Errors of both: kInvalidArgument; the message lacks what the text is of.

/// "50MiB", "1.5G", "200000": bytes, at least one.
Result<std::uint64_t> parse_bytes(std::string_view text);

/// "90s", "30m", "2h", "1d": at least a second, at most kDurationMax.
Result<std::chrono::seconds> parse_duration(std::string_view text);

inline constexpr std::chrono::seconds kDurationMax{366 * 86'400};

}  // namespace vz::offline
