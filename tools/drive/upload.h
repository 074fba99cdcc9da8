// POST of something large, sent as it is read.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>

#include "storage/base/status.h"
#include "tools/drive/http_client.h"

namespace vz::drive {

/// The next bytes into `out`, which is not empty; how many, 0 at the end. Its error ends the
/// upload.
using GivePiece = std::function<Result<std::size_t>(std::span<std::byte> out)>;

/// path: with its slash. size_bytes: of all that `give` gives; nothing: unknown, it is sent in
/// chunks. silence_ms: for how long the node may take nothing before all is sent; its answer may
/// take as long as it likes. An answer that comes before all is sent ends the upload. Errors:
/// kUnavailable (no whole answer: whether the node did it is then unknown), those of `give`.
Result<HttpAnswer> upload(const Endpoint& endpoint, const std::string& path,
                          std::optional<std::uint64_t> size_bytes, long silence_ms,
                          const GivePiece& give);

}  // namespace vz::drive
