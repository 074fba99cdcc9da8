// --limit-rate, as every command has it.
#pragma once

#include <cstdint>
#include <string_view>

#include "storage/base/status.h"

namespace vz::cli {

/// "50MiB/s", "1.5G", "200000": bytes a second. Errors: kInvalidArgument.
Result<std::uint64_t> parse_limit_rate(std::string_view text);

}  // namespace vz::cli
