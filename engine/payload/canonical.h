// The canonical writer with limits of the caller's choice: payloads and filters.
#pragma once

#include "engine/payload/json_scanner.h"

namespace vz::payload {

/// Steps of a key path at most: it bounds how deep set() can nest a payload.
inline constexpr std::size_t kKeyPathStepsMax = 32;

/// A flat row is at most 4.5 times its text, and its sizes are u32.
inline constexpr std::size_t kStoredPayloadBytesMax = 256u << 20;

/// As canonical(). `null` and white space only give "{}".
Result<std::string> canonical_text(std::string_view json, const ScanLimits& limits);

/// Bounds of a stored payload: canonical() admits fewer levels, and set() adds its path's.
ScanLimits stored_payload_limits();

}  // namespace vz::payload
