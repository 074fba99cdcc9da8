// Keys and rules as bytes: what is written comes back, and no changed byte is taken for a key.
#include "engine/security/security_json.h"

#include <catch2/catch.hpp>

#include "engine/limits.h"
#include "engine/security/security_file.h"
#include "storage/env/fault_env.h"

using namespace vz;
using namespace vz::security;
using format::WalRecordKind;

namespace {

ApiKey some_key() {
  const FreshSecret fresh = make_secret();
  ApiKey key{.id = fresh.id,
             .name = "caf\xC3\xA9 \"quoted\"",
             .secret_sha256 = fresh.sha256,
             .scopes = {},
             .collections = {"docs*", "logs"},
             .cidrs = {*parse_cidr("10.0.0.0/8"), *parse_cidr("2001:db8::/32")},
             .created_at_us = -5,
             .expires_at_us = 1'705'314'600'123'456};
  key.scopes.add(Scope::kWrite);
  key.scopes.add(Scope::kMetrics);
  return key;
}

IpRule some_rule() {
  return {.range = *parse_cidr("1.2.3.0/24"),
          .reason = "scan",
          .created_at_us = 7,
          .expires_at_us = {}};
}

std::vector<Change> all_changes() {
  return {PutKeys{{some_key(), some_key()}}, RevokeKey{make_secret().id}, PutIpRules{{some_rule()}},
          DeleteIpRules{{*parse_cidr("::/0")}}};
}

State some_state() {
  State state = applied({}, PutKeys{{some_key(), some_key()}}, 1);
  state = applied(std::move(state), RevokeKey{state.keys.begin()->first}, 2);
  return applied(std::move(state), PutIpRules{{some_rule()}}, 3);
}

}  // namespace

TEST_CASE("security records: every change comes back", "[security]") {
  for (const Change& change : all_changes()) {
    const WalRecordKind kind = kind_of(change);
    CAPTURE(static_cast<int>(kind));
    CHECK(is_security(kind));
    const auto decoded = decode_change(kind, encode(change));
    REQUIRE(decoded);
    CHECK(*decoded == change);
  }
}

TEST_CASE("security records: what is not one is corruption", "[security]") {
  const std::string key = R"({"key_id":"gggggggggggggggg"})";
  for (const std::string& text : std::vector<std::string>{
           "", "{}", "[]", "null", key + " x", "{\"key_id\":1}", "{\"key_id\":\"short\"}",
           R"({"key_id":"gggggggggggggggg","more":1})", std::string(100'000, '['),
           "{\"key_id\":" + std::string(5'000, '[') + "}", key + std::string(1, '\0')}) {
    CAPTURE(text.substr(0, 60));
    const auto decoded = decode_change(WalRecordKind::kRevokeKey, as_bytes(text));
    REQUIRE_FALSE(decoded);
    CHECK(decoded.error().code == ErrorCode::kCorruption);
  }
  CHECK(decode_change(WalRecordKind::kRevokeKey, as_bytes(key)));
  CHECK_FALSE(decode_change(WalRecordKind::kPutKeys, as_bytes(key)));
  CHECK_FALSE(decode_change(WalRecordKind::kPoints, as_bytes(key)));
  CHECK_FALSE(decode_change(WalRecordKind::kRevokeKey,
                            Bytes(limits::kSecurityRecordBytesMax + 1, std::byte{' '})));
}

TEST_CASE("security.json: the state comes back", "[security]") {
  const State state = some_state();

  const auto decoded = decode_file(encode_file({.lsn = 77, .state = state}));

  REQUIRE(decoded);
  CHECK(decoded->lsn == 77);
  CHECK(decoded->state == state);
  CHECK(decoded->state.keys.size() == 1);
  CHECK(decoded->state.revoked.size() == 1);
}

TEST_CASE("security.json: any flipped bit, any cut and any addition is corruption", "[security]") {
  const std::string good = encode_file({.lsn = 77, .state = some_state()});
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    CAPTURE(bit);
    const auto decoded = decode_file(bad);
    REQUIRE_FALSE(decoded);
    REQUIRE(decoded.error().code == ErrorCode::kCorruption);
  }
  for (std::size_t size = 0; size < good.size(); ++size)
    REQUIRE_FALSE(decode_file(std::string_view(good).substr(0, size)));
  CHECK_FALSE(decode_file(good + "\n"));
}

TEST_CASE("security.json: a file that is damaged names itself; none is an empty state",
          "[security]") {
  FaultEnv env;
  REQUIRE(env.make_directory("/data"));
  const auto none = load(env, "/data");
  REQUIRE(none);
  CHECK(none->state == State{});

  const State state = some_state();
  REQUIRE(save(env, "/data", {.lsn = 5, .state = state}));
  const auto loaded = load(env, "/data");
  REQUIRE(loaded);
  CHECK(loaded->state == state);

  REQUIRE(env.flip_bit("/data/security.json", 90, 3));
  const auto damaged = load(env, "/data");
  REQUIRE_FALSE(damaged);
  CHECK(damaged.error().code == ErrorCode::kCorruption);
  CHECK(damaged.error().message.find("/data/security.json: ") == 0);
}

TEST_CASE("security.json: the largest state that the bounds allow fits the file's bound",
          "[security]") {
  State state;
  ApiKey key = some_key();
  key.name = std::string(limits::kKeyNameBytesMax, '"');  // Twice as long when it is escaped.
  key.collections.assign(8, std::string(limits::kNameBytesMax, '"'));
  key.cidrs.assign(limits::kKeyCidrsMax, *parse_cidr("2001:db8:ffff:ffff:ffff:ffff:ffff:0/112"));
  REQUIRE(check(key));
  for (std::size_t i = 0; i < limits::kApiKeysMax; ++i) {
    key.id = make_secret().id;
    state.keys[key.id] = std::make_shared<const ApiKey>(key);
  }
  for (std::size_t i = limits::kApiKeysMax; i < limits::kKeyIdsMax; ++i)
    state.revoked[make_secret().id] = {.name = key.name, .revoked_at_us = INT64_MIN};
  for (std::size_t i = 0; i < limits::kIpRulesMax; ++i) {
    Address base = *parse_address("2001:db8::");
    base.bytes[14] = static_cast<std::uint8_t>(i >> 8);
    base.bytes[15] = static_cast<std::uint8_t>(i);
    state.ip_rules.put({.range = range_of(base, 128),
                        .reason = std::string(limits::kIpReasonBytesMax, '\x01'),
                        .created_at_us = INT64_MIN,
                        .expires_at_us = INT64_MIN});
  }

  const std::string file = encode_file({.lsn = UINT64_MAX, .state = state});

  CHECK(file.size() < limits::kSecurityFileBytesMax);
  const auto decoded = decode_file(file);
  REQUIRE(decoded);
  CHECK(decoded->state == state);
}
