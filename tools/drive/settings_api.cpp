#include "tools/drive/settings_api.h"

#include <nlohmann/json.hpp>

#include "tools/drive/answer.h"

namespace vz::drive {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr const char* kPath = "/admin/config";

/// The members of a group, and of the groups in it, in their order.
void append_settings(const ordered_json& group, const std::string& prefix,
                     const ordered_json& origins, std::vector<NodeSetting>& out) {
  for (const auto& [name, value] : group.items()) {
    const std::string key = prefix + name;
    if (key == "origins") continue;
    if (value.is_object()) {
      append_settings(value, key + ".", origins, out);
      continue;
    }
    const auto origin = origins.find(key);
    const bool told = origin != origins.end() && origin->is_string();
    out.push_back({.key = key, .value = value.dump(), .origin = told ? std::string(*origin) : ""});
  }
}

/// Puts a value at a dotted key, making the groups on the way. Errors: kInvalidArgument.
Status put(json& body, const std::string& key, const std::string& text) {
  json value = json::parse(text, nullptr, false);
  if (value.is_discarded())
    return fail(ErrorCode::kInvalidArgument, "'" + key + "': its value is no JSON");
  json* at = &body;
  std::string_view rest = key;
  for (std::size_t dot; (dot = rest.find('.')) != std::string_view::npos;) {
    json& group = at->emplace(std::string(rest.substr(0, dot)), json::object()).first.value();
    if (!group.is_object())
      return fail(ErrorCode::kInvalidArgument, "'" + key + "' is within another that is given");
    at = &group;
    rest.remove_prefix(dot + 1);
  }
  if (!at->emplace(std::string(rest), std::move(value)).second)
    return fail(ErrorCode::kInvalidArgument, "'" + key + "' is given twice");
  return {};
}

Result<std::vector<NodeSetting>> ask(HttpClient& http, std::string_view method,
                                     const std::string& body) {
  const std::string call = std::string(method) + " " + kPath;
  VZ_TRY_ASSIGN(const auto answer, http.request(method, kPath, body));
  if (answer.status != 200) return refused(call, answer.status, answer.body);
  const ordered_json said = ordered_json::parse(answer.body, nullptr, false);
  if (!said.is_object() || !said.contains("origins") || !said["origins"].is_object())
    return fail(ErrorCode::kIncompatible, call + " answered without origins: no node of ours");
  std::vector<NodeSetting> out;
  append_settings(said, "", said["origins"], out);
  return out;
}

}  // namespace

Result<std::vector<NodeSetting>> settings(HttpClient& http) {
  return ask(http, "GET", "");
}

Result<std::vector<NodeSetting>> change_settings(
    HttpClient& http, const std::vector<std::pair<std::string, std::string>>& values) {
  json body = json::object();
  for (const auto& [key, text] : values) VZ_TRY(put(body, key, text));
  return ask(http, "PATCH", body.dump());
}

}  // namespace vz::drive
