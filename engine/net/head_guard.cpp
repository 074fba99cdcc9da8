#include "engine/net/head_guard.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "engine/limits.h"
#include "engine/net/header_text.h"

namespace vz::net {
namespace {

// The longest method and version around a target of the greatest size.
constexpr std::size_t kRequestLineBytesMax = limits::kUriBytesMax + 64;

bool is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

constexpr auto kTokenTable = [] {
  std::array<bool, 256> table{};
  for (int c = 0; c < 256; ++c) {
    table[static_cast<std::size_t>(c)] =
        (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  }
  for (const char c : {'!', '#', '$', '%', '&', '\'', '*', '+', '-', '.', '^', '_', '`', '|', '~'})
    table[static_cast<unsigned char>(c)] = true;
  return table;
}();

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return kTokenTable[static_cast<unsigned char>(c)];
  });
}

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\t') || byte == 0x7F;
  });
}

tl::unexpected<Refusal> refuse(int status, std::string message) {
  return tl::unexpected<Refusal>(Refusal{status, std::move(message)});
}

tl::expected<void, Refusal> check_request_line(std::string_view line) {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last)
    return refuse(400, "the request line must be: method target version");
  if (!is_token(line.substr(0, first)) || first > 32) return refuse(400, "malformed method");
  const std::string_view target = line.substr(first + 1, last - first - 1);
  if (target.size() > limits::kUriBytesMax) return refuse(414, "the target is over 8192 bytes");
  if (target.empty() || has_control(target) ||
      target.find_first_of(" \t") != std::string_view::npos)
    return refuse(400, "an empty request target, or a space or control byte in it");
  const std::string_view version = line.substr(last + 1);
  if (version != "HTTP/1.1" && version != "HTTP/1.0")
    return refuse(400, "the version must be HTTP/1.1 or HTTP/1.0");
  return {};
}

tl::expected<void, Refusal> check_field(std::string_view line) {
  if (line.front() == ' ' || line.front() == '\t') return refuse(400, "a folded header line");
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return refuse(400, "a header line without a colon");
  if (!is_token(line.substr(0, colon)))
    return refuse(400, "a header name must be a token, with no space before its colon");
  if (has_control(line.substr(colon + 1))) return refuse(400, "a control byte in a header value");
  return {};
}

/// Calls `visit` with each element of a comma-separated list.
template <typename Visit>
void each_element(std::string_view list, Visit visit) {
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    visit(trimmed(list.substr(0, comma)));
    list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
  }
}

bool accepts_gzip(std::string_view list) {
  bool accepted = false;
  each_element(list, [&](std::string_view element) {
    const std::size_t semicolon = element.find(';');
    if (!equals_ignoring_case(trimmed(element.substr(0, semicolon)), "gzip")) return;
    const std::string_view weight =
        semicolon == std::string_view::npos ? "" : trimmed(element.substr(semicolon + 1));
    // q=0, q=0.0, q=0.000: "not acceptable".
    accepted = !(weight.starts_with("q=0") && weight.find_first_not_of("0.", 2) == weight.npos);
  });
  return accepted;
}

struct Seen {
  int hosts = 0;
  int lengths = 0;
  int transfer_encodings = 0;
  int content_encodings = 0;
};

Refusal too_large(std::uint64_t body_bytes_max) {
  return {413, "the body is over " + std::to_string(body_bytes_max) + " bytes"};
}

std::optional<Refusal> read_length(std::string_view value, std::uint64_t body_bytes_max,
                                   Framing& framing) {
  const auto [end, error] =
      std::from_chars(value.data(), value.data() + value.size(), framing.content_length);
  if (error == std::errc::result_out_of_range && end == value.data() + value.size())
    return too_large(body_bytes_max);
  if (error != std::errc() || end != value.data() + value.size())
    return Refusal{400, "malformed Content-Length"};
  if (framing.content_length > body_bytes_max) return too_large(body_bytes_max);
  return std::nullopt;
}

std::optional<Refusal> read_field(std::string_view name, std::string_view value,
                                  std::uint64_t body_bytes_max, Seen& seen, Framing& framing) {
  if (name == "host") {
    ++seen.hosts;
  } else if (name == "content-length") {
    if (++seen.lengths > 1) return Refusal{400, "more than one Content-Length"};
    return read_length(value, body_bytes_max, framing);
  } else if (name == "transfer-encoding") {
    if (++seen.transfer_encodings > 1 || !equals_ignoring_case(value, "chunked"))
      return Refusal{400, "the only Transfer-Encoding understood is one 'chunked'"};
    framing.chunked = true;
  } else if (name == "content-encoding") {
    if (++seen.content_encodings > 1) return Refusal{400, "more than one Content-Encoding"};
    framing.gzip = equals_ignoring_case(value, "gzip") || equals_ignoring_case(value, "x-gzip");
    if (!framing.gzip && !value.empty() && !equals_ignoring_case(value, "identity"))
      return Refusal{415, "the only Content-Encoding understood is gzip"};
  } else if (name == "expect") {
    if (!equals_ignoring_case(value, "100-continue"))
      return Refusal{417, "the only expectation understood is 100-continue"};
    framing.expect_continue = true;
  } else if (name == "connection") {
    each_element(value, [&](std::string_view element) {
      if (equals_ignoring_case(element, "close")) framing.keep_alive = false;
    });
  } else if (name == "accept-encoding") {
    framing.accepts_gzip = framing.accepts_gzip || accepts_gzip(value);
  }
  return std::nullopt;
}

bool asks_keep_alive(const RequestHead& head) {
  bool asked = false;
  each_element(head.header("connection").value_or(""), [&](std::string_view element) {
    asked = asked || equals_ignoring_case(element, "keep-alive");
  });
  return asked;
}

}  // namespace

tl::expected<void, Refusal> HeadScanner::take_line(std::string_view line) {
  if (request_line_bytes_ == 0) {
    request_line_bytes_ = line.size() + 2;
    return check_request_line(line);
  }
  if (++fields_ > limits::kHeadersMax) return refuse(431, "more than 100 header fields");
  return check_field(line);
}

tl::expected<std::size_t, Refusal> HeadScanner::scan(std::string_view bytes) {
  while (true) {
    const std::size_t lf = bytes.find('\n', seen_bytes_);
    const std::size_t end = lf == std::string_view::npos ? bytes.size() : lf + 1;
    if (request_line_bytes_ == 0 && end - line_start_ > kRequestLineBytesMax)
      return refuse(414, "the request line is over 8256 bytes");
    if (request_line_bytes_ != 0 && end - request_line_bytes_ > limits::kHeaderBytesMax)
      return refuse(431, "the header fields are over 16384 bytes");
    seen_bytes_ = end;
    if (lf == std::string_view::npos) return 0;
    if (lf == line_start_ || bytes[lf - 1] != '\r')
      return refuse(400, "a line of the head does not end in CR LF");
    const std::string_view line = bytes.substr(line_start_, lf - 1 - line_start_);
    line_start_ = end;
    if (line.empty() && request_line_bytes_ != 0) return end;
    if (auto checked = take_line(line); !checked)
      return refuse(checked.error().status, checked.error().message);
  }
}

tl::expected<Framing, Refusal> read_framing(const RequestHead& head, int http_minor,
                                            std::uint64_t body_bytes_max) {
  Framing framing;
  Seen seen;
  for (const auto& [name, value] : head.headers) {
    if (auto refusal = read_field(name, value, body_bytes_max, seen, framing))
      return tl::unexpected<Refusal>(std::move(*refusal));
  }
  if (seen.hosts > 1 || (seen.hosts == 0 && http_minor >= 1))
    return refuse(400, "exactly one Host header is needed");
  if (framing.chunked && seen.lengths > 0)
    return refuse(400, "both Content-Length and Transfer-Encoding");
  if (framing.chunked && http_minor == 0) return refuse(400, "Transfer-Encoding needs HTTP/1.1");
  if (http_minor == 0) {
    framing.keep_alive = framing.keep_alive && asks_keep_alive(head);
    framing.expect_continue = false;
  }
  return framing;
}

bool is_request_id(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
    return is_alphanumeric(c) || c == '.' || c == '_' || c == '-';
  });
}

}  // namespace vz::net
