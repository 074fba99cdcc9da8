#include "engine/api/codec_security.h"

#include "engine/api/cold_body.h"
#include "engine/api/json_text.h"
#include "engine/api/route.h"
#include "engine/limits.h"
#include "engine/payload/datetime.h"
#include "storage/base/utc.h"

namespace vz::api {
namespace {

using security::ApiKey;
using security::Cidr;

constexpr std::int64_t kSecond = 1'000'000;
constexpr std::int64_t kOverlapSecondsDefault = 3'600;

tl::unexpected<Error> unknown_field(const std::string& key) {
  return fail(ErrorCode::kInvalidArgument, "unknown field '" + key.substr(0, 64) + "'");
}

tl::unexpected<Error> missing(std::string_view field) {
  return fail(ErrorCode::kInvalidArgument, "missing field '" + std::string(field) + "'");
}

tl::unexpected<Error> in_field(std::string_view field, const Error& error) {
  return while_doing(error, field);
}

Result<std::vector<std::string>> read_texts(const json& value, std::string_view field,
                                            std::size_t most) {
  if (!value.is_array()) return wrong_type(field, "an array of strings");
  if (value.size() > most)
    return fail(ErrorCode::kOutOfRange, std::string(field) + ": " + std::to_string(value.size()) +
                                            " of them, at most " + std::to_string(most) +
                                            " are allowed");
  std::vector<std::string> out;
  for (const json& one : value) {
    VZ_TRY_ASSIGN(out.emplace_back(), read_text(one, field));
  }
  return out;
}

Result<security::ScopeSet> read_scopes(const json& value) {
  VZ_TRY_ASSIGN(const auto names, read_texts(value, "scopes", security::key_scopes().size()));
  security::ScopeSet scopes;
  for (const std::string& name : names) {
    const auto scope = security::parse_key_scope(name);
    if (!scope)
      return fail(ErrorCode::kInvalidArgument,
                  "scopes: '" + name.substr(0, 64) +
                      "' is none of metrics, read, write, snapshot, replicate and admin");
    scopes.add(*scope);
  }
  return scopes;
}

Result<std::vector<Cidr>> read_ranges(const json& value, std::string_view field, std::size_t most) {
  VZ_TRY_ASSIGN(const auto texts, read_texts(value, field, most));
  std::vector<Cidr> out;
  for (const std::string& text : texts) {
    const auto cidr = security::parse_cidr(text);
    if (!cidr) return in_field(field, cidr.error());
    out.push_back(*cidr);
  }
  return out;
}

Result<std::vector<Cidr>> read_ips(const json& value) {
  VZ_TRY_ASSIGN(auto ranges, read_ranges(value, "ips", limits::kIpsPerRequestMax));
  if (ranges.empty())
    return fail(ErrorCode::kInvalidArgument, "ips: expected at least one address or range");
  return ranges;
}

Result<std::int64_t> read_seconds(const json& value, std::string_view field, std::int64_t least,
                                  std::int64_t most) {
  const bool fits =
      value.is_number_unsigned() && value.get<std::uint64_t>() <= static_cast<std::uint64_t>(most);
  if (fits && value.get<std::int64_t>() >= least) return value.get<std::int64_t>();
  return fail(ErrorCode::kInvalidArgument, std::string(field) + ": expected an integer from " +
                                               std::to_string(least) + " to " +
                                               std::to_string(most));
}

Result<std::int64_t> read_end(const json& value, std::int64_t now_us) {
  VZ_TRY_ASSIGN(const std::string text, read_text(value, "expires_at"));
  const auto time_us = payload::parse_datetime(text);
  if (!time_us)
    return fail(ErrorCode::kInvalidArgument,
                "expires_at: expected a time such as 2026-01-15T10:30:00Z");
  if (*time_us <= now_us) return fail(ErrorCode::kInvalidArgument, "expires_at: is in the past");
  return *time_us;
}

/// An object's members, but those that are null.
template <typename Read>
Status read_members(const json& object, const Read& read) {
  for (const auto& [key, value] : object.items())
    if (!value.is_null()) VZ_TRY(read(key, value));
  return {};
}

void append_texts(std::string& out, const std::vector<std::string>& texts) {
  out += '[';
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (i > 0) out += ',';
    append_string(out, texts[i]);
  }
  out += ']';
}

void append_moment(std::string& out, const std::optional<std::int64_t>& time_us) {
  if (time_us) {
    append_string(out, rfc3339(*time_us));
  } else {
    out += "null";
  }
}

}  // namespace

Result<ApiKey> decode_new_key(const std::string& body, std::int64_t now_us) {
  VZ_TRY_ASSIGN(const json object, parse_object(body));
  ApiKey key;
  VZ_TRY(read_members(object, [&](const std::string& name, const json& value) -> Status {
    if (name == "name") {
      VZ_TRY_ASSIGN(key.name, read_text(value, name));
    } else if (name == "scopes") {
      VZ_TRY_ASSIGN(key.scopes, read_scopes(value));
    } else if (name == "collections") {
      VZ_TRY_ASSIGN(key.collections, read_texts(value, name, limits::kKeyGlobsMax));
    } else if (name == "cidrs") {
      VZ_TRY_ASSIGN(key.cidrs, read_ranges(value, name, limits::kKeyCidrsMax));
    } else if (name == "expires_at") {
      VZ_TRY_ASSIGN(key.expires_at_us, read_end(value, now_us));
    } else {
      return unknown_field(name);
    }
    return {};
  }));
  if (!object.contains("name")) return missing("name");
  if (!object.contains("scopes")) return missing("scopes");
  return key;
}

Result<std::string> decode_key_id(const std::string& body) {
  VZ_TRY_ASSIGN(const json object, parse_object(body));
  std::string id;
  VZ_TRY(read_members(object, [&](const std::string& name, const json& value) -> Status {
    if (name != "key_id") return unknown_field(name);
    VZ_TRY_ASSIGN(id, read_text(value, name));
    return {};
  }));
  if (id.empty()) return missing("key_id");
  return id;
}

Result<KeyRotation> decode_rotation(const std::string& body) {
  VZ_TRY_ASSIGN(const json object, parse_object(body));
  KeyRotation rotation{.id = {}, .overlap_us = kOverlapSecondsDefault * kSecond};
  VZ_TRY(read_members(object, [&](const std::string& name, const json& value) -> Status {
    if (name == "key_id") {
      VZ_TRY_ASSIGN(rotation.id, read_text(value, name));
    } else if (name == "overlap_seconds") {
      VZ_TRY_ASSIGN(const std::int64_t seconds,
                    read_seconds(value, name, 0, limits::kKeyOverlapSecondsMax));
      rotation.overlap_us = seconds * kSecond;
    } else {
      return unknown_field(name);
    }
    return {};
  }));
  if (rotation.id.empty()) return missing("key_id");
  return rotation;
}

Result<IpBlock> decode_block(const std::string& body) {
  VZ_TRY_ASSIGN(const json object, parse_object(body));
  IpBlock block;
  VZ_TRY(read_members(object, [&](const std::string& name, const json& value) -> Status {
    if (name == "ips") {
      VZ_TRY_ASSIGN(block.request.ranges, read_ips(value));
    } else if (name == "reason") {
      VZ_TRY_ASSIGN(block.request.reason, read_text(value, name));
    } else if (name == "ttl_seconds") {
      VZ_TRY_ASSIGN(const std::int64_t seconds,
                    read_seconds(value, name, 1, limits::kIpTtlSecondsMax));
      block.request.ttl_us = seconds * kSecond;
    } else if (name == "force") {
      if (!value.is_boolean()) return wrong_type(name, "true or false");
      block.force = value.get<bool>();
    } else {
      return unknown_field(name);
    }
    return {};
  }));
  if (block.request.ranges.empty()) return missing("ips");
  return block;
}

Result<security::UnblockIps> decode_unblock(const std::string& body) {
  VZ_TRY_ASSIGN(const json object, parse_object(body));
  security::UnblockIps unblock;
  VZ_TRY(read_members(object, [&](const std::string& name, const json& value) -> Status {
    if (name != "ips") return unknown_field(name);
    VZ_TRY_ASSIGN(unblock.ranges, read_ips(value));
    return {};
  }));
  if (unblock.ranges.empty()) return missing("ips");
  return unblock;
}

void append_key_members(std::string& out, const ApiKey& key, std::int64_t now_us) {
  out += "\"key_id\":";
  append_string(out, key.id);
  out += ",\"name\":";
  append_string(out, key.name);
  out += ",\"status\":";
  append_string(out, key.expired(now_us) ? "expired" : "active");
  std::vector<std::string> scopes;
  for (const Scope scope : security::key_scopes())
    if (key.scopes.contains(scope)) scopes.emplace_back(scope_name(scope));
  out += ",\"scopes\":";
  append_texts(out, scopes);
  out += ",\"collections\":";
  append_texts(out, key.collections);
  std::vector<std::string> cidrs;
  for (const Cidr& cidr : key.cidrs) cidrs.push_back(to_text(cidr));
  out += ",\"cidrs\":";
  append_texts(out, cidrs);
  out += ",\"created_at\":";
  append_string(out, rfc3339(key.created_at_us));
  out += ",\"expires_at\":";
  append_moment(out, key.expires_at_us);
  out += ",\"revoked_at\":null";
}

void append_tombstone(std::string& out, const std::string& id, const security::Tombstone& gone) {
  out += "{\"key_id\":";
  append_string(out, id);
  out += ",\"name\":";
  append_string(out, gone.name);
  out += ",\"status\":\"revoked\",\"revoked_at\":";
  append_string(out, rfc3339(gone.revoked_at_us));
  out += '}';
}

void append_rule(std::string& out, const security::IpRule& rule) {
  out += "{\"ip\":";
  append_string(out, to_text(rule.range));
  out += ",\"reason\":";
  append_string(out, rule.reason);
  out += ",\"created_at\":";
  append_string(out, rfc3339(rule.created_at_us));
  out += ",\"expires_at\":";
  append_moment(out, rule.expires_at_us);
  out += '}';
}

}  // namespace vz::api
