#include "engine/security/state.h"

#include <algorithm>

namespace vz::security {
namespace {

struct Applier {
  State& state;
  std::int64_t time_us;

  void operator()(const PutKeys& put) const {
    for (const ApiKey& key : put.keys) {
      if (state.revoked.contains(key.id)) continue;
      state.keys[key.id] = std::make_shared<const ApiKey>(key);
    }
  }
  void operator()(const RevokeKey& revoke) const {
    const auto found = state.keys.find(revoke.id);
    Tombstone tombstone{.name = {}, .revoked_at_us = time_us};
    if (found != state.keys.end()) {
      tombstone.name = found->second->name;
      state.keys.erase(found);
    }
    state.revoked.try_emplace(revoke.id, std::move(tombstone));
  }
  void operator()(const PutIpRules& put) const {
    state.ip_rules.erase_expired(time_us);
    for (const IpRule& rule : put.rules) state.ip_rules.put(rule);
  }
  void operator()(const DeleteIpRules& remove) const {
    for (const Cidr& range : remove.ranges) state.ip_rules.erase(range);
  }
};

}  // namespace

std::shared_ptr<const ApiKey> State::find(std::string_view id) const {
  const auto found = keys.find(id);
  return found == keys.end() ? nullptr : found->second;
}

bool State::has_live_key(std::int64_t now_us, Scope scope) const {
  return std::any_of(keys.begin(), keys.end(), [&](const auto& entry) {
    return entry.second->scopes.allow(scope) && !entry.second->expired(now_us);
  });
}

bool operator==(const State& a, const State& b) {
  return a.revoked == b.revoked && a.ip_rules == b.ip_rules &&
         std::equal(
             a.keys.begin(), a.keys.end(), b.keys.begin(), b.keys.end(),
             [](const auto& one, const auto& other) { return *one.second == *other.second; });
}

std::shared_ptr<PublishedState> publish(State state) {
  return std::make_shared<PublishedState>(std::make_shared<const State>(std::move(state)));
}

State applied(State state, const Change& change, std::int64_t time_us) {
  std::visit(Applier{state, time_us}, change);
  return state;
}

}  // namespace vz::security
