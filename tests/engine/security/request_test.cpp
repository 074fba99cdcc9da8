// What is asked of keys and rules, and what becomes of it.
#include "engine/security/request.h"

#include <catch2/catch.hpp>

#include "engine/limits.h"

using namespace vz;
using namespace vz::security;

namespace {

constexpr std::int64_t kNow = 1'000'000'000;

ApiKey new_key() {
  const FreshSecret fresh = make_secret();
  ApiKey key;
  key.id = fresh.id;
  key.name = "app";
  key.secret_sha256 = fresh.sha256;
  key.scopes.add(Scope::kRead);
  return key;
}

RotateKey rotation_of(const std::string& id) {
  RotateKey request;
  request.id = id;
  return request;
}

State after(const State& state, const Request& request, std::int64_t now_us = kNow) {
  const auto change = resolve(request, state, now_us);
  INFO((change ? "" : change.error().message));
  REQUIRE(change);
  REQUIRE(*change);
  return applied(state, **change, now_us);
}

ErrorCode error_of(const State& state, const Request& request) {
  const auto change = resolve(request, state, kNow);
  REQUIRE_FALSE(change);
  return change.error().code;
}

}  // namespace

TEST_CASE("revoke: the id is gone for good, whatever record comes after it", "[security]") {
  const ApiKey key = new_key();
  State state = after({}, CreateKey{key});
  REQUIRE(state.find(key.id) != nullptr);

  state = after(state, RevokeKey{key.id});

  CHECK(state.find(key.id) == nullptr);
  CHECK(state.revoked.at(key.id).name == "app");
  CHECK(state.revoked.at(key.id).revoked_at_us == kNow);
  CHECK(applied(state, PutKeys{{key}}, kNow + 1).find(key.id) == nullptr);
  CHECK(error_of(state, CreateKey{key}) == ErrorCode::kAlreadyExists);
  const auto again = resolve(RevokeKey{key.id}, state, kNow);
  REQUIRE(again);
  CHECK_FALSE(*again);
  CHECK(error_of(state, RevokeKey{"unknown"}) == ErrorCode::kNotFound);
}

TEST_CASE("rotate: the new key is like the old, which ends after the overlap, or sooner",
          "[security]") {
  ApiKey key = new_key();
  key.expires_at_us = kNow + 50;
  const State state = after({}, CreateKey{key});
  const FreshSecret fresh = make_secret();

  const State shorter = after(
      state,
      RotateKey{
          .id = key.id, .fresh_id = fresh.id, .fresh_sha256 = fresh.sha256, .overlap_us = 20});
  const State longer = after(
      state,
      RotateKey{
          .id = key.id, .fresh_id = fresh.id, .fresh_sha256 = fresh.sha256, .overlap_us = 90});

  CHECK(shorter.find(key.id)->expires_at_us == kNow + 20);
  CHECK(longer.find(key.id)->expires_at_us == kNow + 50);
  CHECK(longer.find(fresh.id)->scopes == key.scopes);
  CHECK(longer.find(fresh.id)->secret_sha256 == fresh.sha256);
  CHECK(longer.find(fresh.id)->expires_at_us == key.expires_at_us);
  CHECK(error_of(state, rotation_of("unknown")) == ErrorCode::kNotFound);
  CHECK(error_of(after(state, RevokeKey{key.id}), rotation_of(key.id)) ==
        ErrorCode::kFailedPrecondition);
  const auto expired = resolve(rotation_of(key.id), state, kNow + 50);
  REQUIRE_FALSE(expired);
  CHECK(expired.error().code == ErrorCode::kFailedPrecondition);
}

TEST_CASE("keys: the bound counts revoked ids too, and revoking always has room", "[security]") {
  State state;
  for (std::size_t i = 0; i < limits::kApiKeysMax; ++i)
    state = applied(std::move(state), PutKeys{{new_key()}}, 1);
  CHECK(error_of(state, CreateKey{new_key()}) == ErrorCode::kOutOfRange);
  while (state.keys.size() + state.revoked.size() < limits::kKeyIdsMax)
    state.revoked[make_secret().id] = {};
  state = after(state, RevokeKey{state.keys.begin()->first});
  CHECK(error_of(state, CreateKey{new_key()}) == ErrorCode::kOutOfRange);
}

TEST_CASE("rules: a time to live becomes a moment, and what has ended makes room", "[security]") {
  const Cidr range = *parse_cidr("1.2.3.4");
  const State state = after({}, BlockIps{.ranges = {range}, .reason = "r", .ttl_us = 10});

  CHECK(state.ip_rules.all().at(range).expires_at_us == kNow + 10);
  CHECK(after(state, BlockIps{.ranges = {*parse_cidr("5.5.5.5")}, .reason = "", .ttl_us = {}},
              kNow + 10)
            .ip_rules.all()
            .size() == 1);
  const auto unknown = resolve(UnblockIps{{*parse_cidr("9.9.9.9")}}, state, kNow);
  REQUIRE(unknown);
  CHECK_FALSE(*unknown);
  CHECK(after(state, UnblockIps{{range}}).ip_rules.all().empty());
  CHECK(error_of(state, BlockIps{.ranges = {range},
                                 .reason = std::string(limits::kIpReasonBytesMax + 1, 'r'),
                                 .ttl_us = {}}) == ErrorCode::kOutOfRange);
}
