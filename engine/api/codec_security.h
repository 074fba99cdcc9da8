// Bodies and answers of the routes about keys and blocked addresses.
#pragma once

#include <string>

#include "engine/security/request.h"
#include "storage/base/status.h"

namespace vz::api {

/// {"name","scopes":[...],"collections"?,"cidrs"?,"expires_at"?}; id and secret are still to come.
/// Errors: kInvalidArgument, kOutOfRange, naming the field.
Result<security::ApiKey> decode_new_key(const std::string& body, std::int64_t now_us);
/// {"key_id"}. Errors: kInvalidArgument.
Result<std::string> decode_key_id(const std::string& body);

struct KeyRotation {
  std::string id;
  std::int64_t overlap_us = 0;
};
/// {"key_id","overlap_seconds"?}; an hour if it is not given. Errors: kInvalidArgument,
/// kOutOfRange.
Result<KeyRotation> decode_rotation(const std::string& body);

struct IpBlock {
  security::BlockIps request;
  bool force = false;  ///< though the caller is among them
};
/// {"ips":[...],"reason"?,"ttl_seconds"?,"force"?}. Errors: kInvalidArgument, kOutOfRange.
Result<IpBlock> decode_block(const std::string& body);
/// {"ips":[...]}. Errors: kInvalidArgument, kOutOfRange.
Result<security::UnblockIps> decode_unblock(const std::string& body);

/// Appends the members of a key, without braces and without anything of its secret.
void append_key_members(std::string& out, const security::ApiKey& key, std::int64_t now_us);
void append_tombstone(std::string& out, const std::string& id, const security::Tombstone& gone);
void append_rule(std::string& out, const security::IpRule& rule);

}  // namespace vz::api
