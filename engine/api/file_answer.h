// A file as an answer: whole, or the range that was asked for (RFC 9110, section 14), read while it
// is sent.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "engine/net/request.h"
#include "engine/net/response.h"
#include "engine/runtime/thread_pool.h"
#include "storage/env/env.h"

namespace vz::api {

struct ByteRange {
  std::uint64_t offset = 0;
  std::uint64_t size_bytes = 0;
};
enum class RangeKind : std::uint8_t { kWhole, kPart, kUnsatisfiable };
struct RangeAsked {
  RangeKind kind = RangeKind::kWhole;
  ByteRange range{};
};
/// What "bytes=0-99", "bytes=100-" or "bytes=-100" asks of a file. A header that is something else,
/// several ranges too, is not minded, as the RFC lets us: the whole file.
RangeAsked parse_range(std::string_view header, std::uint64_t file_bytes);

/// 200, 206 or 416. Pieces are read on `pool`, which must outlive the answer. etag: of the content,
/// without quotes; an If-Range that is another one gets the whole file.
net::Response file_response(const net::RequestHead& head, std::unique_ptr<File> file,
                            std::uint64_t file_bytes, std::string_view etag,
                            runtime::ThreadPool& pool);

}  // namespace vz::api
