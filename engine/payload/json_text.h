// JSON strings as text: escaping, unescaping, UTF-8. No state.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace vz::payload {

/// Bytes of the well-formed UTF-8 sequence at `at`, which is not ASCII; 0 if it is malformed,
/// overlong, a surrogate, beyond U+10FFFF or cut short.
std::size_t utf8_sequence_size(const char* at, const char* end);

/// The value of the four hexadecimal digits at `at` (at least four bytes); -1 if one is none.
int parse_hex4(const char* at);

/// The text of a string whose inner bytes `raw` were validated by JsonScanner.
void unescape_to(std::string_view raw, std::string& out);

/// Appends `text` escaped minimally: only '"', '\\' and control characters. Without quotes.
void escape_to(std::string_view text, std::string& out);

/// escape_to between quotes.
std::string quoted(std::string_view text);

}  // namespace vz::payload
