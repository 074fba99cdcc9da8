// What an operator asks of the keys and rules, and what becomes of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "engine/security/state.h"

namespace vz::security {

/// created_at_us is filled in.
struct CreateKey {
  ApiKey key;
};
/// A new key like an old one, which goes on for a while.
struct RotateKey {
  std::string id;  ///< of the old one
  std::string fresh_id;
  Sha256Digest fresh_sha256{};
  std::int64_t overlap_us = 0;  ///< that the old one is left, if it does not end sooner
};
struct BlockIps {
  std::vector<Cidr> ranges;
  std::string reason;
  std::optional<std::int64_t> ttl_us;
};
struct UnblockIps {
  std::vector<Cidr> ranges;
};
using Request = std::variant<CreateKey, RotateKey, RevokeKey, BlockIps, UnblockIps>;

/// The change that it comes to now; nullopt: nothing to do, it is so already.
/// Errors: kNotFound (no key with that id), kFailedPrecondition (it has expired, or it was revoked:
/// to be rotated), kAlreadyExists (the id), kOutOfRange (a bound of limits.h, named; those of
/// check()), kInvalidArgument. Nothing was changed.
Result<std::optional<Change>> resolve(const Request& request, const State& state,
                                      std::int64_t now_us);

}  // namespace vz::security
