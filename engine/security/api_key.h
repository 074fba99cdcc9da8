// API keys: what they are made of, and how one is recognised.
//
// A key is the text vz_<id>_<secret>. Only its SHA-256 is kept: 256 random bits need no slow hash,
// which is for secrets that people choose. An id has the letters g to z only, so that no id looks
// like a status, a method or an address in an access log.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/security/address.h"
#include "engine/security/scope.h"
#include "storage/base/sha256.h"

namespace vz::security {

/// Valid as check() says. Immutable once it is in force.
struct ApiKey {
  std::string id;
  std::string name;              ///< for people
  Sha256Digest secret_sha256{};  ///< of the whole text
  ScopeSet scopes;
  std::vector<std::string> collections;  ///< patterns as glob_matches() reads them; none: all
  std::vector<Cidr> cidrs;               ///< where it may be used from; none: anywhere
  std::int64_t created_at_us = 0;
  std::optional<std::int64_t> expires_at_us;

  [[nodiscard]] bool expired(std::int64_t now_us) const {
    return expires_at_us && *expires_at_us <= now_us;
  }
  [[nodiscard]] bool usable_from(const Address& address) const;
  /// Whether it is for all collections, whatever their names.
  [[nodiscard]] bool unlimited() const { return collections.empty(); }
  [[nodiscard]] bool may_use(std::string_view collection) const;
  friend bool operator==(const ApiKey&, const ApiKey&) = default;
};

/// Whether all of it is within its bounds: of numbers and lengths, names without control
/// characters, at least one scope, and collections only with the scopes that are about collections.
/// Errors: kInvalidArgument, kOutOfRange, naming the field.
Status check(const ApiKey& key);

/// Whether `name` matches `pattern`, in which * stands for any characters and ? for one byte. Takes
/// time in proportion to the product of their lengths at most.
bool glob_matches(std::string_view pattern, std::string_view name);

/// 16 letters g to z.
bool is_key_id(std::string_view text);

/// What is shown once, and what is kept of it.
struct FreshSecret {
  std::string id;
  std::string text;
  Sha256Digest sha256{};
};
/// From the operating system's random bytes. Any thread.
FreshSecret make_secret();

/// The id in the text of a key, which need not exist; nothing if no key looks so.
std::optional<std::string_view> id_of_key_text(std::string_view text);
/// Takes as long for a nearly right text as for a wrong one.
bool is_text_of(const ApiKey& key, std::string_view text);

}  // namespace vz::security
