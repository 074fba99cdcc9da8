#include "engine/security/api_key.h"

#include <algorithm>
#include <array>

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "engine/limits.h"
#include "storage/base/hex.h"

namespace vz::security {
namespace {

constexpr std::string_view kMark = "vz_";
constexpr std::size_t kIdLetters = 16;
constexpr std::string_view kAlphabet = "ghijklmnopqrstuvwxyz";
constexpr std::size_t kSecretDigits = 2 * std::tuple_size_v<Sha256Digest>;
constexpr std::size_t kTextBytes = kMark.size() + kIdLetters + 1 + kSecretDigits;

template <std::size_t N>
std::array<std::uint8_t, N> random_bytes() {
  std::array<std::uint8_t, N> bytes{};
  VZ_ASSERT(RAND_bytes(bytes.data(), static_cast<int>(N)) == 1);
  return bytes;
}

/// Bytes of which each letter is as likely as another: those beyond a multiple of 20 are drawn
/// anew.
std::string random_id() {
  constexpr std::size_t kFair = 256 / kAlphabet.size() * kAlphabet.size();
  std::string id;
  while (id.size() < kIdLetters) {
    for (const std::uint8_t byte : random_bytes<kIdLetters>())
      if (byte < kFair && id.size() < kIdLetters) id += kAlphabet[byte % kAlphabet.size()];
  }
  return id;
}

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

tl::unexpected<Error> wrong(std::string_view field, const std::string& why) {
  return fail(ErrorCode::kInvalidArgument, std::string(field) + ": " + why);
}

Status check_count(std::string_view field, std::size_t count, std::size_t most) {
  if (count <= most) return {};
  return fail(ErrorCode::kOutOfRange, std::string(field) + ": " + std::to_string(count) +
                                          " of them, at most " + std::to_string(most) +
                                          " are allowed");
}

Status check_collections(const ApiKey& key) {
  VZ_TRY(check_count("collections", key.collections.size(), limits::kKeyGlobsMax));
  std::size_t bytes = 0;
  for (const std::string& pattern : key.collections) {
    if (pattern.empty() || pattern.size() > limits::kNameBytesMax || has_control(pattern))
      return wrong("collections", "a pattern must have 1 to " +
                                      std::to_string(limits::kNameBytesMax) +
                                      " bytes and no control character");
    bytes += pattern.size();
  }
  if (bytes > limits::kKeyGlobBytesMax)
    return fail(ErrorCode::kOutOfRange,
                "collections: patterns of " + std::to_string(bytes) + " bytes, at most " +
                    std::to_string(limits::kKeyGlobBytesMax) + " in all are allowed");
  // The others are about the node as a whole: the limit would say what nothing keeps to.
  for (const Scope scope : {Scope::kSnapshot, Scope::kReplicate, Scope::kAdmin})
    if (!key.collections.empty() && key.scopes.contains(scope))
      return wrong("collections", "the scope " + std::string(scope_name(scope)) +
                                      " reaches every collection and cannot be limited to some");
  return {};
}

}  // namespace

bool ApiKey::usable_from(const Address& address) const {
  return cidrs.empty() || std::any_of(cidrs.begin(), cidrs.end(),
                                      [&](const Cidr& cidr) { return cidr.contains(address); });
}

bool ApiKey::may_use(std::string_view collection) const {
  return collections.empty() ||
         std::any_of(collections.begin(), collections.end(),
                     [&](const std::string& pattern) { return glob_matches(pattern, collection); });
}

Status check(const ApiKey& key) {
  if (!is_key_id(key.id)) return wrong("key_id", "expected 16 letters g to z");
  if (key.name.empty() || key.name.size() > limits::kKeyNameBytesMax || has_control(key.name))
    return wrong("name", "expected 1 to " + std::to_string(limits::kKeyNameBytesMax) +
                             " bytes and no control character");
  if (key.scopes.empty()) return wrong("scopes", "expected at least one");
  VZ_TRY(check_count("cidrs", key.cidrs.size(), limits::kKeyCidrsMax));
  return check_collections(key);
}

bool glob_matches(std::string_view pattern, std::string_view name) {
  // One star at a time is enough to go back to: what an earlier one took, a later one can take.
  std::size_t p = 0;
  std::size_t n = 0;
  std::size_t star = std::string_view::npos;
  std::size_t taken = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      taken = n;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == name[n])) {
      ++p;
      ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++taken;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

bool is_key_id(std::string_view text) {
  return text.size() == kIdLetters && text.find_first_not_of(kAlphabet) == std::string_view::npos;
}

FreshSecret make_secret() {
  FreshSecret fresh{.id = random_id(), .text = {}};
  fresh.text = std::string(kMark) + fresh.id + "_" + to_hex(random_bytes<32>());
  fresh.sha256 = sha256_of(as_bytes(fresh.text));
  return fresh;
}

std::optional<std::string_view> id_of_key_text(std::string_view text) {
  if (text.size() != kTextBytes || !text.starts_with(kMark)) return std::nullopt;
  const std::string_view id = text.substr(kMark.size(), kIdLetters);
  const std::string_view secret = text.substr(kMark.size() + kIdLetters);
  if (!is_key_id(id) || secret.front() != '_' || !parse_sha256(secret.substr(1)))
    return std::nullopt;
  return id;
}

bool is_text_of(const ApiKey& key, std::string_view text) {
  const Sha256Digest digest = sha256_of(as_bytes(text));
  return CRYPTO_memcmp(digest.data(), key.secret_sha256.data(), digest.size()) == 0;
}

}  // namespace vz::security
