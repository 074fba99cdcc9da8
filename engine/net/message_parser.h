// Beast's parser, decoding straight into our structs. message_parser.cpp is the only file that
// includes Beast.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "engine/net/request.h"

namespace vz::net {

/// One per message. Not thread-safe.
class MessageParser {
 public:
  MessageParser();
  ~MessageParser();
  MessageParser(MessageParser&&) noexcept;
  MessageParser& operator=(MessageParser&&) noexcept;

  /// Parses a whole head (HeadScanner found its end) into method, target and headers of `head`.
  /// Returns the x of HTTP/1.x, or -1 if it is malformed.
  int parse_head(std::string_view bytes, RequestHead& head);

  enum class ChunkState : std::uint8_t { kMore, kDone, kTooLarge, kBroken };
  struct Fed {
    std::size_t consumed = 0;
    ChunkState state = ChunkState::kMore;
  };
  /// Decodes a piece of a chunked body (after parse_head) and appends it to `body`, which never
  /// grows beyond `body_bytes_max`. Trailers are read and dropped.
  Fed feed_chunks(std::string_view bytes, std::string& body, std::size_t body_bytes_max);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vz::net
