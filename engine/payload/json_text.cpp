#include "engine/payload/json_text.h"

#include <cstdint>

namespace vz::payload {
namespace {

bool continues(unsigned char byte) {
  return (byte & 0xC0u) == 0x80u;
}

void append_utf8(std::uint32_t point, std::string& out) {
  if (point < 0x80) {
    out.push_back(static_cast<char>(point));
  } else if (point < 0x800) {
    out.push_back(static_cast<char>(0xC0u | point >> 6));
    out.push_back(static_cast<char>(0x80u | (point & 0x3Fu)));
  } else if (point < 0x10000) {
    out.push_back(static_cast<char>(0xE0u | point >> 12));
    out.push_back(static_cast<char>(0x80u | (point >> 6 & 0x3Fu)));
    out.push_back(static_cast<char>(0x80u | (point & 0x3Fu)));
  } else {
    out.push_back(static_cast<char>(0xF0u | point >> 18));
    out.push_back(static_cast<char>(0x80u | (point >> 12 & 0x3Fu)));
    out.push_back(static_cast<char>(0x80u | (point >> 6 & 0x3Fu)));
    out.push_back(static_cast<char>(0x80u | (point & 0x3Fu)));
  }
}

char unescaped(char letter) {
  switch (letter) {
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return letter;  // '"', '\\', '/'
  }
}

}  // namespace

std::size_t utf8_sequence_size(const char* at, const char* end) {
  const auto byte = [at](std::size_t i) { return static_cast<unsigned char>(at[i]); };
  const auto left = static_cast<std::size_t>(end - at);
  const unsigned first = byte(0);
  if (first < 0xC2) return 0;
  if (first < 0xE0) return left >= 2 && continues(byte(1)) ? 2 : 0;
  if (first < 0xF0) {
    if (left < 3 || !continues(byte(1)) || !continues(byte(2))) return 0;
    if (first == 0xE0 && byte(1) < 0xA0) return 0;
    if (first == 0xED && byte(1) >= 0xA0) return 0;
    return 3;
  }
  if (first > 0xF4 || left < 4) return 0;
  if (!continues(byte(1)) || !continues(byte(2)) || !continues(byte(3))) return 0;
  if (first == 0xF0 && byte(1) < 0x90) return 0;
  if (first == 0xF4 && byte(1) >= 0x90) return 0;
  return 4;
}

int parse_hex4(const char* at) {
  int value = 0;
  for (int i = 0; i < 4; ++i) {
    const char c = at[i];
    int digit = 0;
    if (c >= '0' && c <= '9') {
      digit = c - '0';
    } else if (c >= 'a' && c <= 'f') {
      digit = c - 'a' + 10;
    } else if (c >= 'A' && c <= 'F') {
      digit = c - 'A' + 10;
    } else {
      return -1;
    }
    value = value * 16 + digit;
  }
  return value;
}

void unescape_to(std::string_view raw, std::string& out) {
  std::size_t at = 0;
  while (at < raw.size()) {
    const std::size_t escape = raw.find('\\', at);
    if (escape == std::string_view::npos) break;
    out.append(raw, at, escape - at);
    if (raw[escape + 1] != 'u') {
      out.push_back(unescaped(raw[escape + 1]));
      at = escape + 2;
      continue;
    }
    auto point = static_cast<std::uint32_t>(parse_hex4(raw.data() + escape + 2));
    at = escape + 6;
    if (point >= 0xD800 && point < 0xDC00) {
      const auto low = static_cast<std::uint32_t>(parse_hex4(raw.data() + at + 2));
      point = 0x10000 + ((point - 0xD800) << 10) + (low - 0xDC00);
      at += 6;
    }
    append_utf8(point, out);
  }
  out.append(raw, at);
}

void escape_to(std::string_view text, std::string& out) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::size_t begin = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte >= 0x20 && byte != '"' && byte != '\\') continue;
    out.append(text, begin, i - begin);
    begin = i + 1;
    out.push_back('\\');
    switch (byte) {
      case '\b':
        out.push_back('b');
        break;
      case '\f':
        out.push_back('f');
        break;
      case '\n':
        out.push_back('n');
        break;
      case '\r':
        out.push_back('r');
        break;
      case '\t':
        out.push_back('t');
        break;
      case '"':
        out.push_back('"');
        break;
      case '\\':
        out.push_back('\\');
        break;
      default:
        out.append("u00");
        out.push_back(kHex[byte >> 4]);
        out.push_back(kHex[byte & 15]);
    }
  }
  out.append(text, begin);
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  escape_to(text, out);
  out.push_back('"');
  return out;
}

}  // namespace vz::payload
