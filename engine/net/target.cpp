#include "engine/net/target.h"

#include <optional>

#include "storage/base/hex.h"

namespace vz::net {
namespace {

enum class Plus : std::uint8_t { kLiteral, kSpace };

/// nullopt: a bad escape or an encoded NUL, which ends a C string and so can hide what follows.
std::optional<std::string> decode(std::string_view text, Plus plus) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus == Plus::kSpace) {
      out.push_back(' ');
    } else if (text[i] != '%') {
      out.push_back(text[i]);
    } else {
      if (text.size() - i < 3) return std::nullopt;
      const int high = hex_digit(text[i + 1]);
      const int low = hex_digit(text[i + 2]);
      if (high < 0 || low < 0 || (high == 0 && low == 0)) return std::nullopt;
      out.push_back(static_cast<char>(high * 16 + low));
      i += 2;
    }
  }
  return out;
}

/// Cuts the piece before `separator` off `rest`.
std::string_view take_until(std::string_view& rest, char separator) {
  const std::size_t end = rest.find(separator);
  const std::string_view piece = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return piece;
}

Status parse_path(std::string_view path, Target& target) {
  while (!path.empty()) {
    const std::string_view piece = take_until(path, '/');
    if (piece.empty()) continue;
    auto segment = decode(piece, Plus::kLiteral);
    if (!segment) return fail(ErrorCode::kInvalidArgument, "bad percent escape in the path");
    if (*segment == "." || *segment == "..")
      return fail(ErrorCode::kInvalidArgument, "'.' and '..' may not stand in a path");
    target.segments.push_back(std::move(*segment));
  }
  return {};
}

Status parse_query(std::string_view query, Target& target) {
  while (!query.empty()) {
    std::string_view piece = take_until(query, '&');
    if (piece.empty()) continue;
    const std::string_view key = take_until(piece, '=');
    auto name = decode(key, Plus::kSpace);
    auto value = decode(piece, Plus::kSpace);
    if (!name || !value)
      return fail(ErrorCode::kInvalidArgument, "bad percent escape in the query");
    target.query.emplace_back(std::move(*name), std::move(*value));
  }
  return {};
}

}  // namespace

Result<Target> parse_target(std::string_view target) {
  if (target.empty() || target.front() != '/')
    return fail(ErrorCode::kInvalidArgument, "the request target must start with '/'");
  if (target.find('#') != std::string_view::npos)
    return fail(ErrorCode::kInvalidArgument, "a fragment may not stand in a request target");
  Target out;
  const std::string_view path = take_until(target, '?');
  VZ_TRY(parse_path(path, out));
  VZ_TRY(parse_query(target, out));
  return out;
}

}  // namespace vz::net
