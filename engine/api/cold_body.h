// Request bodies as nlohmann trees. Internal to the cold codecs: brings nlohmann in.
#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "engine/api/body_error.h"
#include "storage/base/status.h"

namespace vz::api {

using nlohmann::json;

/// The object in `body`; an empty body is {}; fields that are null are gone.
/// Errors: kInvalidArgument: not well-formed (with byte offset), too deep, not an object.
Result<json> parse_object(const std::string& body);

inline tl::unexpected<Error> wrong_type(std::string_view path, std::string_view wanted) {
  return tl::unexpected<Error>(within(format_error("expected " + std::string(wanted)), path));
}

/// nullptr if absent or null.
const json* find(const json& object, std::string_view key);

/// An unsigned 32-bit number. Errors: kInvalidArgument; kOutOfRange if it is larger.
Result<std::uint32_t> read_u32(const json& value, std::string_view path);
Result<std::string> read_text(const json& value, std::string_view path);

/// JSON text with sorted keys.
std::string dump(const json& value);

}  // namespace vz::api
