#include "engine/security/security_json.h"

#include <nlohmann/json.hpp>

#include "engine/limits.h"
#include "storage/base/hex.h"

namespace vz::security {
namespace {

using format::WalRecordKind;
using json = nlohmann::ordered_json;

constexpr std::uint64_t kFormat = 1;
constexpr int kDepthMax = 8;  ///< deeper than any of ours
constexpr std::string_view kFileHead = "{\"sha256\":\"";
constexpr std::string_view kFileMiddle = "\",\"content\":";
constexpr std::string_view kFileTail = "}\n";
constexpr std::size_t kDigestDigits = 2 * std::tuple_size_v<Sha256Digest>;

// ---- Writing -------------------------------------------------------------------------------

json moment_json(const std::optional<std::int64_t>& time_us) {
  return time_us ? json(*time_us) : json();
}

json key_json(const ApiKey& key) {
  json scopes = json::array();
  for (const Scope scope : key_scopes())
    if (key.scopes.contains(scope)) scopes.push_back(scope_name(scope));
  json cidrs = json::array();
  for (const Cidr& cidr : key.cidrs) cidrs.push_back(to_text(cidr));
  return {{"key_id", key.id},
          {"name", key.name},
          {"secret_sha256", to_hex(key.secret_sha256)},
          {"scopes", std::move(scopes)},
          {"collections", key.collections},
          {"cidrs", std::move(cidrs)},
          {"created_at_us", key.created_at_us},
          {"expires_at_us", moment_json(key.expires_at_us)}};
}

json rule_json(const IpRule& rule) {
  return {{"range", to_text(rule.range)},
          {"reason", rule.reason},
          {"created_at_us", rule.created_at_us},
          {"expires_at_us", moment_json(rule.expires_at_us)}};
}

struct ChangeJson {
  json operator()(const PutKeys& put) const {
    json keys = json::array();
    for (const ApiKey& key : put.keys) keys.push_back(key_json(key));
    return {{"keys", std::move(keys)}};
  }
  json operator()(const RevokeKey& revoke) const { return {{"key_id", revoke.id}}; }
  json operator()(const PutIpRules& put) const {
    json rules = json::array();
    for (const IpRule& rule : put.rules) rules.push_back(rule_json(rule));
    return {{"rules", std::move(rules)}};
  }
  json operator()(const DeleteIpRules& remove) const {
    json ranges = json::array();
    for (const Cidr& range : remove.ranges) ranges.push_back(to_text(range));
    return {{"ranges", std::move(ranges)}};
  }
};

// ---- Reading -------------------------------------------------------------------------------

tl::unexpected<Error> damaged(std::string_view what) {
  return fail(ErrorCode::kCorruption, "security: " + std::string(what));
}

/// A check of ours that bytes from a file do not pass.
tl::unexpected<Error> damaged(const Error& error) {
  return damaged(error.message);
}

Result<json> parse(std::string_view text) {
  bool too_deep = false;
  const auto bounded = [&](int depth, json::parse_event_t, json&) {
    too_deep = too_deep || depth > kDepthMax;
    return !too_deep;
  };
  if (text.find('\0') != text.npos)
    return damaged("expected JSON");  // nlohmann takes it for the end.
  json parsed = json::parse(text, bounded, false);
  if (too_deep || parsed.is_discarded() || !parsed.is_object())
    return damaged("expected a JSON object");
  return parsed;
}

/// Reads the members of one object; after the last, done() says whether they were all there, each
/// of its type, and no others.
class Members {
 public:
  explicit Members(const json& object) : object_(object), ok_(object.is_object()) {}

  std::string text(const char* name) {
    const json* value = next(name);
    return keep(value != nullptr && value->is_string()) ? value->get<std::string>() : "";
  }
  std::uint64_t count(const char* name) {
    const json* value = next(name);
    return keep(value != nullptr && value->is_number_unsigned()) ? value->get<std::uint64_t>() : 0;
  }
  std::int64_t time(const char* name) { return time_of(next(name)); }
  std::optional<std::int64_t> moment(const char* name) {
    const json* value = next(name);
    if (value != nullptr && value->is_null()) return std::nullopt;
    return time_of(value);
  }
  const json::array_t& list(const char* name, std::size_t most) {
    static const json::array_t kNone;
    const json* value = next(name);
    const bool good = keep(value != nullptr && value->is_array() && value->size() <= most);
    return good ? value->get_ref<const json::array_t&>() : kNone;
  }
  std::vector<std::string> texts(const char* name, std::size_t most) {
    std::vector<std::string> out;
    for (const json& one : list(name, most))
      if (keep(one.is_string())) out.push_back(one.get<std::string>());
    return out;
  }
  [[nodiscard]] bool done() const { return ok_ && seen_ == object_.size(); }

 private:
  const json* next(const char* name) {
    if (!object_.is_object()) return nullptr;
    const auto found = object_.find(name);
    if (!keep(found != object_.end())) return nullptr;
    ++seen_;
    return &*found;
  }
  std::int64_t time_of(const json* value) {
    const bool good = value != nullptr && value->is_number_integer() &&
                      (!value->is_number_unsigned() || value->get<std::uint64_t>() <= INT64_MAX);
    return keep(good) ? value->get<std::int64_t>() : 0;
  }
  bool keep(bool good) {
    ok_ = ok_ && good;
    return good;
  }

  const json& object_;
  bool ok_;
  std::size_t seen_ = 0;
};

Result<std::vector<Cidr>> read_ranges(const std::vector<std::string>& texts) {
  std::vector<Cidr> out;
  for (const std::string& text : texts) {
    const auto cidr = parse_cidr(text);
    if (!cidr) return damaged(cidr.error());
    out.push_back(*cidr);
  }
  return out;
}

Result<ApiKey> read_key(const json& value) {
  Members members(value);
  ApiKey key;
  key.id = members.text("key_id");
  key.name = members.text("name");
  const auto digest = parse_sha256(members.text("secret_sha256"));
  for (const std::string& name : members.texts("scopes", key_scopes().size())) {
    const auto scope = parse_key_scope(name);
    if (!scope) return damaged("an unknown scope");
    key.scopes.add(*scope);
  }
  key.collections = members.texts("collections", limits::kKeyGlobsMax);
  VZ_TRY_ASSIGN(key.cidrs, read_ranges(members.texts("cidrs", limits::kKeyCidrsMax)));
  key.created_at_us = members.time("created_at_us");
  key.expires_at_us = members.moment("expires_at_us");
  if (!members.done() || !digest) return damaged("a key with wrong members");
  key.secret_sha256 = *digest;
  if (const Status good = check(key); !good) return damaged(good.error());
  return key;
}

Result<IpRule> read_rule(const json& value) {
  Members members(value);
  const auto range = parse_cidr(members.text("range"));
  if (!range) return damaged(range.error());
  IpRule rule{.range = *range,
              .reason = members.text("reason"),
              .created_at_us = members.time("created_at_us"),
              .expires_at_us = members.moment("expires_at_us")};
  if (!members.done()) return damaged("a rule with wrong members");
  if (const Status good = check(rule); !good) return damaged(good.error());
  return rule;
}

Result<Change> read_keys(Members& members) {
  PutKeys put;
  for (const json& one : members.list("keys", limits::kApiKeysMax)) {
    VZ_TRY_ASSIGN(ApiKey key, read_key(one));
    put.keys.push_back(std::move(key));
  }
  return put;
}

Result<Change> read_rules(Members& members) {
  PutIpRules put;
  for (const json& one : members.list("rules", limits::kIpRulesMax)) {
    VZ_TRY_ASSIGN(IpRule rule, read_rule(one));
    put.rules.push_back(std::move(rule));
  }
  return put;
}

Result<Change> read_change(WalRecordKind kind, Members& members) {
  switch (kind) {
    case WalRecordKind::kPutKeys:
      return read_keys(members);
    case WalRecordKind::kRevokeKey:
      return RevokeKey{members.text("key_id")};
    case WalRecordKind::kPutIpRules:
      return read_rules(members);
    case WalRecordKind::kDeleteIpRules: {
      VZ_TRY_ASSIGN(auto ranges, read_ranges(members.texts("ranges", limits::kIpRulesMax)));
      return DeleteIpRules{std::move(ranges)};
    }
    default:
      return damaged("a record of another kind");
  }
}

Result<State> read_state(Members& members) {
  State state;
  for (const json& one : members.list("keys", limits::kApiKeysMax)) {
    VZ_TRY_ASSIGN(ApiKey key, read_key(one));
    std::string id = key.id;
    state.keys[std::move(id)] = std::make_shared<const ApiKey>(std::move(key));
  }
  for (const json& one : members.list("revoked", limits::kKeyIdsMax)) {
    Members revoked(one);
    std::string id = revoked.text("key_id");
    Tombstone tombstone{.name = revoked.text("name"),
                        .revoked_at_us = revoked.time("revoked_at_us")};
    if (!revoked.done() || !is_key_id(id) || state.keys.contains(id) ||
        tombstone.name.size() > limits::kKeyNameBytesMax)
      return damaged("a revoked key with wrong members");
    state.revoked[std::move(id)] = std::move(tombstone);
  }
  for (const json& one : members.list("rules", limits::kIpRulesMax)) {
    VZ_TRY_ASSIGN(IpRule rule, read_rule(one));
    state.ip_rules.put(std::move(rule));
  }
  return state;
}

}  // namespace

bool is_security(WalRecordKind kind) {
  return kind == WalRecordKind::kPutKeys || kind == WalRecordKind::kRevokeKey ||
         kind == WalRecordKind::kPutIpRules || kind == WalRecordKind::kDeleteIpRules;
}

WalRecordKind kind_of(const Change& change) {
  struct Kind {
    WalRecordKind operator()(const PutKeys&) const { return WalRecordKind::kPutKeys; }
    WalRecordKind operator()(const RevokeKey&) const { return WalRecordKind::kRevokeKey; }
    WalRecordKind operator()(const PutIpRules&) const { return WalRecordKind::kPutIpRules; }
    WalRecordKind operator()(const DeleteIpRules&) const { return WalRecordKind::kDeleteIpRules; }
  };
  return std::visit(Kind{}, change);
}

Bytes encode(const Change& change) {
  const std::string text = std::visit(ChangeJson{}, change).dump();
  const ByteSpan bytes = as_bytes(text);
  return {bytes.begin(), bytes.end()};
}

Result<Change> decode_change(WalRecordKind kind, ByteSpan payload) {
  if (payload.size() > limits::kSecurityRecordBytesMax)
    return damaged("a record that is too large");
  VZ_TRY_ASSIGN(const json object, parse(as_text(payload)));
  Members members(object);
  VZ_TRY_ASSIGN(Change change, read_change(kind, members));
  if (!members.done()) return damaged("a record with wrong members");
  const auto* revoke = std::get_if<RevokeKey>(&change);
  if (revoke != nullptr && !is_key_id(revoke->id)) return damaged("an id that no key has");
  return change;
}

std::string encode_file(const Checkpoint& checkpoint) {
  json keys = json::array();
  for (const auto& [id, key] : checkpoint.state.keys) keys.push_back(key_json(*key));
  json revoked = json::array();
  for (const auto& [id, tombstone] : checkpoint.state.revoked)
    revoked.push_back(
        {{"key_id", id}, {"name", tombstone.name}, {"revoked_at_us", tombstone.revoked_at_us}});
  json rules = json::array();
  for (const auto& [range, rule] : checkpoint.state.ip_rules.all())
    rules.push_back(rule_json(rule));
  const json content = {{"format", kFormat},
                        {"security_lsn", checkpoint.lsn},
                        {"keys", std::move(keys)},
                        {"revoked", std::move(revoked)},
                        {"rules", std::move(rules)}};
  const std::string text = content.dump();
  std::string file(kFileHead);
  file += to_hex(sha256_of(as_bytes(text)));
  file += kFileMiddle;
  file += text;
  file += kFileTail;
  return file;
}

Result<Checkpoint> decode_file(std::string_view bytes) {
  constexpr std::size_t kBefore = kFileHead.size() + kDigestDigits + kFileMiddle.size();
  if (bytes.size() < kBefore + kFileTail.size() || !bytes.starts_with(kFileHead) ||
      bytes.substr(kFileHead.size() + kDigestDigits, kFileMiddle.size()) != kFileMiddle ||
      !bytes.ends_with(kFileTail))
    return damaged("expected a checksum before the content");
  const std::string_view content = bytes.substr(kBefore, bytes.size() - kBefore - kFileTail.size());
  const std::string_view expected = bytes.substr(kFileHead.size(), kDigestDigits);
  if (const std::string found = to_hex(sha256_of(as_bytes(content))); found != expected)
    return damaged("expected a content with the sha256 " + std::string(expected) + ", found " +
                   found);
  VZ_TRY_ASSIGN(const json object, parse(content));
  Members members(object);
  const std::uint64_t format = members.count("format");
  if (format > kFormat)
    return fail(ErrorCode::kIncompatible, "security: format " + std::to_string(format) +
                                              "; this program knows formats up to 1");
  Checkpoint checkpoint{.lsn = members.count("security_lsn"), .state = {}};
  VZ_TRY_ASSIGN(checkpoint.state, read_state(members));
  if (!members.done() || format != kFormat) return damaged("a content with wrong members");
  return checkpoint;
}

}  // namespace vz::security
