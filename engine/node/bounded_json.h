// JSON of files and requests that may come from anybody. Internal to engine/node.
#pragma once

#include <exception>
#include <optional>
#include <stdexcept>
#include <string_view>

#include <nlohmann/json.hpp>

#include "engine/limits.h"

namespace vz::node {

/// Nothing if `text` is no JSON to its last byte, or nested deeper than limits::kJsonDepthMax: how
/// deep a parser goes is not for a stranger to choose.
inline std::optional<nlohmann::ordered_json> parse_bounded(std::string_view text) {
  using nlohmann::ordered_json;
  const auto shallow = [](int depth, ordered_json::parse_event_t, ordered_json&) {
    if (depth > static_cast<int>(limits::kJsonDepthMax)) throw std::length_error("too deep");
    return true;
  };
  if (text.find('\0') != text.npos) return std::nullopt;  // nlohmann takes it for the end.
  try {
    return ordered_json::parse(text, shallow);
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

}  // namespace vz::node
