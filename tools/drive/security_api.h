// Calls about API keys and blocked addresses.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "storage/base/status.h"
#include "tools/drive/http_client.h"

namespace vz::drive {

// Every call: errors are kUnavailable (no answer) and those of answer.h, kIncompatible among them.
// A key and a rule are objects of the node's lists.

/// The keys, revoked ones included.
Result<nlohmann::json> list_keys(HttpClient& http);
/// The one with that id. Errors: also kNotFound.
Result<nlohmann::json> find_key(HttpClient& http, const std::string& id);
/// request: name, scopes, collections, cidrs, expires_at. The key, with the secret as "key".
Result<nlohmann::json> create_key(HttpClient& http, const nlohmann::json& request);
Result<nlohmann::json> revoke_key(HttpClient& http, const std::string& id);
/// The new key, with the secret as "key", and which it replaces as "replaces".
Result<nlohmann::json> rotate_key(HttpClient& http, const std::string& id,
                                  std::int64_t overlap_seconds);

/// The rules that hold then.
Result<nlohmann::json> list_ip_rules(HttpClient& http);
/// request: ips, ttl_seconds, reason, force.
Result<nlohmann::json> block_ips(HttpClient& http, const nlohmann::json& request);
Result<nlohmann::json> unblock_ips(HttpClient& http, const std::vector<std::string>& ips);

}  // namespace vz::drive
