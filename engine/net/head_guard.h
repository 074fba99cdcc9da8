// What a request head must look like before it is parsed: stricter than the parser, because two
// programs that read one head differently are how requests are smuggled (RFC 9112, section 11.2).
// Pure functions over bytes: no sockets here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

#include "engine/limits.h"
#include "engine/net/request.h"

namespace vz::net {

/// An error the server answers by itself, closing the connection.
struct Refusal {
  int status = 400;
  std::string message;
};

/// Finds the end of one head while its bytes arrive, looking at each byte once. Refuses: a line
/// that does not end in CRLF, a folded line, a space before the colon, control bytes, a name that
/// is no token (400); a target beyond kUriBytesMax (414); fields beyond kHeaderBytesMax bytes or
/// kHeadersMax in number (431).
class HeadScanner {
 public:
  /// `bytes`: everything since the head's first byte; longer at every call.
  /// Returns the head's size with its blank line, or 0 if more bytes are needed.
  tl::expected<std::size_t, Refusal> scan(std::string_view bytes);
  void reset() { *this = HeadScanner(); }

 private:
  tl::expected<void, Refusal> take_line(std::string_view line);

  std::size_t seen_bytes_ = 0;
  std::size_t line_start_ = 0;
  std::size_t request_line_bytes_ = 0;  // With its CRLF; 0 before its end was seen.
  std::size_t fields_ = 0;
};

/// How the body comes and what happens after the answer.
struct Framing {
  std::uint64_t content_length = 0;  ///< 0 if chunked
  bool chunked = false;
  bool gzip = false;
  bool expect_continue = false;
  bool keep_alive = true;
  bool accepts_gzip = false;
  [[nodiscard]] bool has_body() const { return chunked || content_length > 0; }
};

/// Refuses: not exactly one Host on HTTP/1.1 (400), Content-Length with Transfer-Encoding, a second
/// or malformed Content-Length, any Transfer-Encoding but one `chunked` on HTTP/1.1 (400), a body
/// beyond `body_bytes_max` (413), an unknown Content-Encoding (415) or Expect (417).
/// `http_minor` is the x of HTTP/1.x.
tl::expected<Framing, Refusal> read_framing(const RequestHead& head, int http_minor,
                                            std::uint64_t body_bytes_max = limits::kBodyBytesMax);

/// ^[A-Za-z0-9._-]{1,64}$
bool is_request_id(std::string_view text);

}  // namespace vz::net
