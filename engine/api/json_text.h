// JSON written by hand: appends values to one growing string, with no tree in between.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

#include "storage/base/ids.h"

namespace vz::api {

/// Quoted, escaped minimally; bytes that are not UTF-8 become U+FFFD, so that the answer is always
/// valid JSON whatever a client sent.
void append_string(std::string& out, std::string_view text);
/// Shortest digits that read back as the same value. JSON has no infinity and no NaN: they become
/// the largest finite value of their sign, and 0.
void append_number(std::string& out, float value);
void append_number(std::string& out, double value);
template <std::integral T>
void append_number(std::string& out, T value) {
  out += std::to_string(value);
}
/// A number, or a UUID in quotes.
void append_id(std::string& out, PointId id);

/// An empty body means {}.
inline void fill_empty(std::string& body) {
  if (body.find_first_not_of(" \t\r\n") == std::string::npos) body = "{}";
}

}  // namespace vz::api
