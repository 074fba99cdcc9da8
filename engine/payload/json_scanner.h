// One pass over a JSON object: checks everything, tells a Sink what it meets. The only JSON parser
// of this folder, so that text, flat rows, edits and filters agree on what a payload is.
//
// Why not simdjson: number tokens must stay verbatim (1e999, 30-digit integers), payloads are
// small, and the canonical text is written in the same pass.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "engine/payload/json_text.h"
#include "storage/base/status.h"

namespace vz::payload {

/// The bytes between the quotes of a string; escapes and UTF-8 are valid.
struct RawString {
  std::string_view bytes;
  bool plain = true;  ///< without escapes: the bytes are the text
};

/// What of the input is bounded; `what` names it in errors ("payload", "filter").
struct ScanLimits {
  std::string_view what;
  std::size_t depth_max = 0;
  std::size_t bytes_max = 0;
};

/// Sink: begin_object() -> Mark, key(RawString), end_object(Mark), begin_array() -> Mark,
/// element(), end_array(Mark), comma(), string(RawString), number(token), null(), boolean(bool).
template <typename Sink>
class JsonScanner {
 public:
  JsonScanner(std::string_view text, const ScanLimits& limits, Sink& sink)
      : begin_(text.data()),
        at_(begin_),
        end_(begin_ + text.size()),
        limits_(limits),
        sink_(sink) {}

  /// Errors: kInvalidArgument with the byte offset, kOutOfRange.
  Status scan_object() {
    if (static_cast<std::size_t>(end_ - begin_) > limits_.bytes_max) {
      return fail(ErrorCode::kOutOfRange,
                  std::string(limits_.what) + " of " + std::to_string(end_ - begin_) +
                      " bytes is longer than " + std::to_string(limits_.bytes_max) + " bytes");
    }
    skip_space();
    if (at_ == end_ || *at_ != '{') {
      stop("expected a JSON object");
    } else if (object(1)) {
      skip_space();
      if (at_ == end_) return {};
      stop("unexpected bytes after the JSON object");
    }
    const std::string where =
        std::string(limits_.what) + ": " + problem_ + " at byte " + std::to_string(at_ - begin_);
    return fail(too_deep_ ? ErrorCode::kOutOfRange : ErrorCode::kInvalidArgument, where);
  }

 private:
  static constexpr std::uint64_t kOnes = 0x0101010101010101ull;
  static constexpr std::uint64_t kHighs = 0x8080808080808080ull;

  bool stop(const char* problem) {
    problem_ = problem;
    return false;
  }
  void skip_space() {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\t' || *at_ == '\r')) ++at_;
  }
  bool enter(std::size_t depth) {
    if (depth <= limits_.depth_max) return true;
    too_deep_ = true;
    return stop("nested deeper than the limit");
  }

  bool object(std::size_t depth) {
    if (!enter(depth)) return false;
    ++at_;
    const auto mark = sink_.begin_object();
    skip_space();
    if (at_ != end_ && *at_ == '}') {
      ++at_;
      sink_.end_object(mark);
      return true;
    }
    for (;;) {
      RawString name;
      if (at_ == end_ || *at_ != '"') return stop("expected a string as key");
      if (!string(name)) return false;
      sink_.key(name);
      skip_space();
      if (at_ == end_ || *at_ != ':') return stop("expected ':'");
      ++at_;
      skip_space();
      if (!value(depth)) return false;
      skip_space();
      if (at_ == end_) return stop("unexpected end, expected ',' or '}'");
      if (*at_ == '}') break;
      if (*at_ != ',') return stop("expected ',' or '}'");
      ++at_;
      sink_.comma();
      skip_space();
    }
    ++at_;
    sink_.end_object(mark);
    return true;
  }

  bool array(std::size_t depth) {
    if (!enter(depth)) return false;
    ++at_;
    const auto mark = sink_.begin_array();
    skip_space();
    if (at_ != end_ && *at_ == ']') {
      ++at_;
      sink_.end_array(mark);
      return true;
    }
    for (;;) {
      sink_.element();
      if (!value(depth)) return false;
      skip_space();
      if (at_ == end_) return stop("unexpected end, expected ',' or ']'");
      if (*at_ == ']') break;
      if (*at_ != ',') return stop("expected ',' or ']'");
      ++at_;
      sink_.comma();
      skip_space();
    }
    ++at_;
    sink_.end_array(mark);
    return true;
  }

  bool value(std::size_t depth) {
    if (at_ == end_) return stop("unexpected end, expected a value");
    switch (*at_) {
      case '{':
        return object(depth + 1);
      case '[':
        return array(depth + 1);
      case '"': {
        RawString text;
        if (!string(text)) return false;
        sink_.string(text);
        return true;
      }
      case 'n':
        if (!word("null")) return false;
        sink_.null();
        return true;
      case 't':
        if (!word("true")) return false;
        sink_.boolean(true);
        return true;
      case 'f':
        if (!word("false")) return false;
        sink_.boolean(false);
        return true;
      default:
        return number();
    }
  }

  bool word(std::string_view expected) {
    if (static_cast<std::size_t>(end_ - at_) < expected.size() ||
        std::memcmp(at_, expected.data(), expected.size()) != 0) {
      return stop("expected a value");
    }
    at_ += expected.size();
    return true;
  }

  [[nodiscard]] bool digit_at(const char* at) const {
    return at != end_ && *at >= '0' && *at <= '9';
  }
  /// After the last digit, or nullptr if there is none at `at`.
  [[nodiscard]] const char* digits(const char* at) const {
    if (!digit_at(at)) return nullptr;
    while (digit_at(at)) ++at;
    return at;
  }

  bool number() {
    const char* from = at_;
    const char* at = at_;
    if (*at == '-') ++at;
    if (at != end_ && *at == '0') {
      ++at;
    } else if ((at = digits(at)) == nullptr) {
      return stop("expected a value");
    }
    if (at != end_ && *at == '.' && (at = digits(at + 1)) == nullptr) {
      return stop("malformed number");
    }
    if (at != end_ && (*at == 'e' || *at == 'E')) {
      ++at;
      if (at != end_ && (*at == '+' || *at == '-')) ++at;
      if ((at = digits(at)) == nullptr) return stop("malformed number");
    }
    if (digit_at(at)) return stop("malformed number");  // a leading zero
    at_ = at;
    sink_.number(std::string_view(from, static_cast<std::size_t>(at - from)));
    return true;
  }

  /// The next byte of [at, end) that is '"', '\\', a control character or not ASCII, or end.
  /// Eight at a time; a borrow can only mark bytes above the first true one, so the first is exact.
  [[nodiscard]] const char* next_special(const char* at) const {
    while (end_ - at >= 8) {
      std::uint64_t word = 0;
      std::memcpy(&word, at, 8);
      const std::uint64_t quote = word ^ (kOnes * '"');
      const std::uint64_t slash = word ^ (kOnes * '\\');
      const std::uint64_t special = (((quote - kOnes) & ~quote) | ((slash - kOnes) & ~slash) |
                                     ((word - kOnes * 0x20) & ~word) | word) &
                                    kHighs;
      if (special != 0) return at + std::countr_zero(special) / 8;
      at += 8;
    }
    while (at != end_) {
      const auto byte = static_cast<unsigned char>(*at);
      if (byte == '"' || byte == '\\' || byte < 0x20 || byte >= 0x80) break;
      ++at;
    }
    return at;
  }

  /// Text in Greek, Cyrillic, Hebrew or Arabic is runs of these; anything else is left to string().
  [[nodiscard]] const char* skip_two_byte_sequences(const char* at) const {
    while (end_ - at >= 2) {
      const auto first = static_cast<unsigned char>(at[0]);
      const auto second = static_cast<unsigned char>(at[1]);
      if (first < 0xC2 || first >= 0xE0 || (second & 0xC0u) != 0x80u) break;
      at += 2;
    }
    return at;
  }

  bool string(RawString& out) {
    const char* from = at_ + 1;
    const char* at = from;
    for (;;) {
      at = next_special(at);
      if (at == end_) {
        at_ = at;
        return stop("unexpected end in a string");
      }
      const auto byte = static_cast<unsigned char>(*at);
      if (byte == '"') break;
      std::size_t size = 0;
      if (byte == '\\') {
        out.plain = false;
        size = escape_size(at);
      } else if (byte >= 0x80) {
        size = utf8_sequence_size(at, end_);
      }
      if (size == 0) {
        at_ = at;
        if (byte == '\\') return stop("invalid escape");
        return stop(byte >= 0x80 ? "invalid UTF-8" : "control character in a string");
      }
      at += size;
      if (byte >= 0x80) at = skip_two_byte_sequences(at);
    }
    out.bytes = std::string_view(from, static_cast<std::size_t>(at - from));
    at_ = at + 1;
    return true;
  }

  /// Bytes of the escape at `at`, both halves of a surrogate pair; 0 if it is malformed.
  [[nodiscard]] std::size_t escape_size(const char* at) const {
    if (end_ - at < 2) return 0;
    if (std::strchr("\"\\/bfnrt", at[1]) != nullptr && at[1] != '\0') return 2;
    if (at[1] != 'u' || end_ - at < 6) return 0;
    const int high = parse_hex4(at + 2);
    if (high < 0 || (high >= 0xDC00 && high < 0xE000)) return 0;
    if (high < 0xD800 || high >= 0xE000) return 6;
    if (end_ - at < 12 || at[6] != '\\' || at[7] != 'u') return 0;
    const int low = parse_hex4(at + 8);
    return low >= 0xDC00 && low < 0xE000 ? 12 : 0;
  }

  const char* begin_;
  const char* at_;
  const char* end_;
  const ScanLimits& limits_;
  Sink& sink_;
  const char* problem_ = "";
  bool too_deep_ = false;
};

/// Scans `text` into `sink`. Errors: kInvalidArgument with the byte offset, kOutOfRange.
template <typename Sink>
Status scan_json_object(std::string_view text, const ScanLimits& limits, Sink& sink) {
  return JsonScanner<Sink>(text, limits, sink).scan_object();
}

}  // namespace vz::payload
