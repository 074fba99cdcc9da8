// gzip of whole bodies. Only gzip.cpp includes zlib.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "storage/base/status.h"

namespace vz::net {

/// Inflates a whole gzip stream (members may follow one another).
/// Errors: kTooLarge once the output would pass `bytes_max`, with at most that much memory spent;
/// kInvalidArgument if the stream is broken, cut short or followed by something else.
Result<std::string> gzip_inflate(std::string_view compressed, std::size_t bytes_max);

/// Keeps its zlib state (about 256 KiB) between calls. Not thread-safe: one per thread.
class GzipDeflater {
 public:
  GzipDeflater();
  ~GzipDeflater();
  GzipDeflater(const GzipDeflater&) = delete;
  GzipDeflater& operator=(const GzipDeflater&) = delete;

  /// The gzip of `plain` at level 1, or an empty string if it would not be smaller.
  std::string deflate(std::string_view plain);

 private:
  class Stream;
  std::unique_ptr<Stream> stream_;  // Made at first use.
};

}  // namespace vz::net
