// Addresses that may not call.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "engine/security/address.h"

namespace vz::security {

struct IpRule {
  Cidr range;
  std::string reason;  ///< for people; may be empty
  std::int64_t created_at_us = 0;
  std::optional<std::int64_t> expires_at_us;

  [[nodiscard]] bool expired(std::int64_t now_us) const {
    return expires_at_us && *expires_at_us <= now_us;
  }
  friend bool operator==(const IpRule&, const IpRule&) = default;
};

/// A value. Looking an address up takes a step for each length of prefix that occurs, however many
/// rules there are.
class IpRules {
 public:
  /// Replaces the rule of the same range.
  void put(IpRule rule);
  /// False: there was none of exactly this range.
  bool erase(const Cidr& range);
  void erase_expired(std::int64_t now_us);

  [[nodiscard]] bool blocks(const Address& address, std::int64_t now_us) const;
  [[nodiscard]] bool contains(const Cidr& range) const { return rules_.contains(range); }
  /// Ascending by range.
  [[nodiscard]] const std::map<Cidr, IpRule>& all() const { return rules_; }

  friend bool operator==(const IpRules& a, const IpRules& b) { return a.rules_ == b.rules_; }

 private:
  std::map<Cidr, IpRule> rules_;
  std::map<std::uint8_t, std::size_t> prefixes_;  ///< how many rules have each
};

/// Errors: kInvalidArgument, kOutOfRange, naming the field.
Status check(const IpRule& rule);

}  // namespace vz::security
