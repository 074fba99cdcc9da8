#include "engine/api/cold_body.h"

#include <limits>

namespace vz::api {

Result<json> parse_object(const std::string& body) {
  if (body.find_first_not_of(" \t\r\n") == std::string::npos) return json::object();
  VZ_TRY(check_depth(body));
  // nlohmann takes a NUL for the end, and skips a byte order mark; simdjson and RFC 8259 do not.
  if (body.find('\0') != std::string::npos || body.starts_with("\xEF\xBB\xBF"))
    return tl::unexpected<Error>(finished(format_error("expected JSON")));
  json parsed = json::parse(body, nullptr, false);
  if (parsed.is_discarded())
    return tl::unexpected<Error>(explained(format_error("expected JSON"), body));
  if (!parsed.is_object())
    return tl::unexpected<Error>(finished(format_error("expected an object")));
  return parsed;
}

const json* find(const json& object, std::string_view key) {
  const auto found = object.find(std::string(key));
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

Result<std::uint32_t> read_u32(const json& value, std::string_view path) {
  if (!value.is_number_unsigned()) return wrong_type(path, "an unsigned integer");
  const auto read = value.get<std::uint64_t>();
  constexpr std::uint64_t kMax = std::numeric_limits<std::uint32_t>::max();
  if (read > kMax)
    return tl::unexpected<Error>(within(
        range_error(std::to_string(read), "must be from 0 to " + std::to_string(kMax)), path));
  return static_cast<std::uint32_t>(read);
}

Result<std::string> read_text(const json& value, std::string_view path) {
  if (!value.is_string()) return wrong_type(path, "a string");
  return value.get<std::string>();
}

std::string dump(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace vz::api
