#include "tools/drive/security_api.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "tools/drive/answer.h"

namespace vz::drive {
namespace {

using nlohmann::json;

constexpr const char* kKeys = "/admin/keys";
constexpr const char* kIpBlock = "/admin/ip-block";

tl::unexpected<Error> no_node(const std::string& name) {
  return fail(ErrorCode::kIncompatible, name + " answered something else: no node of ours");
}

Result<json> call(HttpClient& http, std::string_view method, const std::string& path,
                  const std::string& body) {
  VZ_TRY_ASSIGN(HttpAnswer answer, http.request(method, path, body));
  if (answer.status == 201) answer.status = 200;
  return json_of(std::string(method) + " " + path, answer);
}

/// An answer that is about one key.
Result<json> key_call(HttpClient& http, const std::string& path, const json& request) {
  VZ_TRY_ASSIGN(json said, call(http, "POST", path, request.dump()));
  const bool ours = said.is_object() && said.contains("key_id") && said["key_id"].is_string() &&
                    (!said.contains("key") || said["key"].is_string());
  if (!ours) return no_node("POST " + path);
  return said;
}

/// The list in an answer.
Result<json> list_call(HttpClient& http, std::string_view method, const std::string& path,
                       const std::string& body, const char* name) {
  VZ_TRY_ASSIGN(json said, call(http, method, path, body));
  const bool ours = said.is_object() && said.contains(name) && said[name].is_array() &&
                    std::all_of(said[name].begin(), said[name].end(),
                                [](const json& one) { return one.is_object(); });
  if (!ours) return no_node(std::string(method) + " " + path);
  return std::move(said[name]);
}

}  // namespace

Result<json> list_keys(HttpClient& http) {
  return list_call(http, "GET", kKeys, "", "keys");
}

Result<json> find_key(HttpClient& http, const std::string& id) {
  VZ_TRY_ASSIGN(const json keys, list_keys(http));
  for (const json& key : keys)
    if (key.value("key_id", json()) == id) return key;
  return fail(ErrorCode::kNotFound, "there is no key '" + id + "'");
}

Result<json> create_key(HttpClient& http, const json& request) {
  return key_call(http, kKeys, request);
}

Result<json> revoke_key(HttpClient& http, const std::string& id) {
  return key_call(http, std::string(kKeys) + "/revoke", {{"key_id", id}});
}

Result<json> rotate_key(HttpClient& http, const std::string& id, std::int64_t overlap_seconds) {
  return key_call(http, std::string(kKeys) + "/rotate",
                  {{"key_id", id}, {"overlap_seconds", overlap_seconds}});
}

Result<json> list_ip_rules(HttpClient& http) {
  return list_call(http, "GET", kIpBlock, "", "rules");
}

Result<json> block_ips(HttpClient& http, const json& request) {
  return list_call(http, "POST", kIpBlock, request.dump(), "rules");
}

Result<json> unblock_ips(HttpClient& http, const std::vector<std::string>& ips) {
  return list_call(http, "DELETE", kIpBlock, json{{"ips", ips}}.dump(), "rules");
}

}  // namespace vz::drive
