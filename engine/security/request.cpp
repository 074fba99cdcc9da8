#include "engine/security/request.h"

#include <algorithm>

#include "engine/limits.h"

namespace vz::security {
namespace {

using Resolved = Result<std::optional<Change>>;

constexpr std::size_t kQuotedBytesMax = 64;

tl::unexpected<Error> no_key(const std::string& id) {
  return fail(ErrorCode::kNotFound, "there is no key '" + id.substr(0, kQuotedBytesMax) + "'");
}

struct Resolver {
  const State& state;
  std::int64_t now_us;

  Resolved operator()(const CreateKey& request) const {
    ApiKey key = request.key;
    key.created_at_us = now_us;
    VZ_TRY(check_new(key));
    return PutKeys{{std::move(key)}};
  }
  Resolved operator()(const RotateKey& request) const {
    const auto old = state.find(request.id);
    if (old == nullptr && state.revoked.contains(request.id))
      return fail(ErrorCode::kFailedPrecondition, "the key '" + request.id + "' was revoked");
    if (old == nullptr) return no_key(request.id);
    if (old->expired(now_us))
      return fail(ErrorCode::kFailedPrecondition,
                  "the key '" + request.id + "' has expired: create another");
    ApiKey fresh = *old;
    fresh.id = request.fresh_id;
    fresh.secret_sha256 = request.fresh_sha256;
    fresh.created_at_us = now_us;
    VZ_TRY(check_new(fresh));
    ApiKey ending = *old;
    const std::int64_t end_us = now_us + request.overlap_us;
    ending.expires_at_us = std::min(ending.expires_at_us.value_or(end_us), end_us);
    return PutKeys{{std::move(fresh), std::move(ending)}};
  }
  Resolved operator()(const RevokeKey& request) const {
    if (state.revoked.contains(request.id)) return std::nullopt;
    if (state.find(request.id) == nullptr) return no_key(request.id);
    return request;
  }
  Resolved operator()(const BlockIps& request) const {
    PutIpRules put;
    for (const Cidr& range : request.ranges) {
      IpRule rule{
          .range = range, .reason = request.reason, .created_at_us = now_us, .expires_at_us = {}};
      if (request.ttl_us) rule.expires_at_us = now_us + *request.ttl_us;
      VZ_TRY(check(rule));
      put.rules.push_back(std::move(rule));
    }
    if (put.rules.empty()) return std::nullopt;
    const State after = applied(state, put, now_us);
    if (after.ip_rules.all().size() > limits::kIpRulesMax)
      return fail(ErrorCode::kOutOfRange, "a node may hold " + std::to_string(limits::kIpRulesMax) +
                                              " rules about addresses (kIpRulesMax)");
    return put;
  }
  Resolved operator()(const UnblockIps& request) const {
    DeleteIpRules remove;
    for (const Cidr& range : request.ranges)
      if (state.ip_rules.contains(range)) remove.ranges.push_back(range);
    if (remove.ranges.empty()) return std::nullopt;
    return remove;
  }

 private:
  Status check_new(const ApiKey& key) const {
    VZ_TRY(check(key));
    if (state.keys.contains(key.id) || state.revoked.contains(key.id))
      return fail(ErrorCode::kAlreadyExists, "there is, or was, a key '" + key.id + "'");
    if (state.keys.size() >= limits::kApiKeysMax)
      return fail(ErrorCode::kOutOfRange, "a node may hold " + std::to_string(limits::kApiKeysMax) +
                                              " keys (kApiKeysMax): revoke some");
    if (state.keys.size() + state.revoked.size() >= limits::kKeyIdsMax)
      return fail(ErrorCode::kOutOfRange,
                  "a node remembers " + std::to_string(limits::kKeyIdsMax) +
                      " ids of keys, the revoked ones included (kKeyIdsMax)");
    return {};
  }
};

}  // namespace

Result<std::optional<Change>> resolve(const Request& request, const State& state,
                                      std::int64_t now_us) {
  return std::visit(Resolver{state, now_us}, request);
}

}  // namespace vz::security
