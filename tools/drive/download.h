// GET of something large, handed on as it comes.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "storage/base/status.h"
#include "tools/drive/http_client.h"

namespace vz::drive {

/// Gets each piece; total_bytes: of the whole, 0 if unknown. Its error ends the download.
using TakePiece = std::function<Status(std::string_view piece, std::uint64_t total_bytes)>;

/// path: with its slash. silence_ms: how long nothing may come. An answer other than 200 goes into
/// the result's body and not to `take`. Errors: kUnavailable (no whole answer), those of `take`.
Result<HttpAnswer> download(const Endpoint& endpoint, const std::string& path, long silence_ms,
                            const TakePiece& take);

}  // namespace vz::drive
