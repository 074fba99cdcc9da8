// Who may call, as the log's records make it: keys, ids that were revoked, blocked addresses.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "engine/security/api_key.h"
#include "engine/security/ip_rules.h"
#include "storage/base/mutex.h"

namespace vz::security {

/// What is left of a revoked key. Its id never works again: no record and no restore brings it
/// back.
struct Tombstone {
  std::string name;
  std::int64_t revoked_at_us = 0;
  friend bool operator==(const Tombstone&, const Tombstone&) = default;
};

/// Immutable once it is published.
struct State {
  std::map<std::string, std::shared_ptr<const ApiKey>, std::less<>> keys;  ///< by id
  std::map<std::string, Tombstone, std::less<>> revoked;                   ///< by id
  IpRules ip_rules;

  /// nullptr: there is none, or it was revoked. It may have expired.
  [[nodiscard]] std::shared_ptr<const ApiKey> find(std::string_view id) const;
  /// Whether somebody could call with a key now.
  [[nodiscard]] bool has_live_key(std::int64_t now_us, Scope scope) const;
};
bool operator==(const State& a, const State& b);

/// What readers see now. The one writer of a node replaces it whole; it outlives each node of a
/// directory.
using PublishedState = Published<State>;
std::shared_ptr<PublishedState> publish(State state);

// Changes as the log holds them: decided, with absolute times.

/// New keys, and old ones that end sooner. Of an id that was revoked nothing is put.
struct PutKeys {
  std::vector<ApiKey> keys;
  friend bool operator==(const PutKeys&, const PutKeys&) = default;
};
struct RevokeKey {
  std::string id;
  friend bool operator==(const RevokeKey&, const RevokeKey&) = default;
};
struct PutIpRules {
  std::vector<IpRule> rules;
  friend bool operator==(const PutIpRules&, const PutIpRules&) = default;
};
struct DeleteIpRules {
  std::vector<Cidr> ranges;
  friend bool operator==(const DeleteIpRules&, const DeleteIpRules&) = default;
};
using Change = std::variant<PutKeys, RevokeKey, PutIpRules, DeleteIpRules>;

/// Uses nothing else: no clock, no random. time_us: of the record. It always applies.
State applied(State state, const Change& change, std::int64_t time_us);

}  // namespace vz::security
