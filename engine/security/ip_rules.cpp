#include "engine/security/ip_rules.h"

#include <algorithm>

#include "engine/limits.h"

namespace vz::security {

void IpRules::put(IpRule rule) {
  const Cidr range = rule.range;
  if (rules_.insert_or_assign(range, std::move(rule)).second) ++prefixes_[range.prefix];
}

bool IpRules::erase(const Cidr& range) {
  if (rules_.erase(range) == 0) return false;
  const auto prefix = prefixes_.find(range.prefix);
  if (--prefix->second == 0) prefixes_.erase(prefix);
  return true;
}

void IpRules::erase_expired(std::int64_t now_us) {
  for (auto at = rules_.begin(); at != rules_.end();) {
    const auto next = std::next(at);
    if (at->second.expired(now_us)) erase(Cidr(at->first));
    at = next;
  }
}

bool IpRules::blocks(const Address& address, std::int64_t now_us) const {
  return std::any_of(prefixes_.begin(), prefixes_.end(), [&](const auto& prefix) {
    const auto found = rules_.find(range_of(address, prefix.first));
    return found != rules_.end() && !found->second.expired(now_us);
  });
}

Status check(const IpRule& rule) {
  if (rule.reason.size() > limits::kIpReasonBytesMax)
    return fail(ErrorCode::kOutOfRange,
                "reason: " + std::to_string(rule.reason.size()) + " bytes, at most " +
                    std::to_string(limits::kIpReasonBytesMax) + " are allowed");
  return {};
}

}  // namespace vz::security
