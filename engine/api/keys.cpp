// Routes of API keys.
#include <utility>

#include "engine/api/call.h"
#include "engine/api/codec_security.h"
#include "engine/api/handlers.h"
#include "engine/api/json_text.h"
#include "engine/api/security_change.h"
#include "engine/runtime/wall_clock.h"
#include "storage/base/utc.h"

namespace vz::api {
namespace {

/// The one time that a secret is shown; open for more members.
std::string fresh_key_json(const security::State& state, const security::FreshSecret& fresh) {
  std::string out = "{\"key\":";
  append_string(out, fresh.text);
  out += ',';
  // Somebody may have revoked it already.
  if (const auto key = state.find(fresh.id)) {
    append_key_members(out, *key, runtime::unix_time_us());
  } else {
    out += "\"key_id\":";
    append_string(out, fresh.id);
  }
  return out;
}

}  // namespace

void list_keys(std::shared_ptr<Call> call) {
  const auto state = call->service().security->load();
  const std::int64_t now_us = runtime::unix_time_us();
  std::string out = "{\"keys\":[";
  for (const auto& [id, key] : state->keys) {
    if (out.back() != '[') out += ',';
    out += '{';
    append_key_members(out, *key, now_us);
    out += '}';
  }
  for (const auto& [id, gone] : state->revoked) {
    if (out.back() != '[') out += ',';
    append_tombstone(out, id, gone);
  }
  out += "]}\n";
  call->answer(std::move(out));
}

void create_key(std::shared_ptr<Call> call) {
  auto key = decode_new_key(call->body(), runtime::unix_time_us());
  if (!key) return call->answer_error(key.error());
  security::FreshSecret fresh = security::make_secret();
  key->id = fresh.id;
  key->secret_sha256 = fresh.sha256;
  change_security(std::move(call), security::CreateKey{*std::move(key)},
                  [fresh = std::move(fresh)](const security::State& state, bool) {
                    return ChangeAnswer{201, fresh_key_json(state, fresh) + "}\n"};
                  });
}

void revoke_key(std::shared_ptr<Call> call) {
  const auto id = decode_key_id(call->body());
  if (!id) return call->answer_error(id.error());
  change_security(std::move(call), security::RevokeKey{*id},
                  [id = *id](const security::State& state, bool) {
                    std::string out;
                    const auto gone = state.revoked.find(id);
                    VZ_ASSERT(gone != state.revoked.end());  // It is for good.
                    append_tombstone(out, id, gone->second);
                    return ChangeAnswer{200, out + "\n"};
                  });
}

void rotate_key(std::shared_ptr<Call> call) {
  auto rotation = decode_rotation(call->body());
  if (!rotation) return call->answer_error(rotation.error());
  security::FreshSecret fresh = security::make_secret();
  security::RotateKey request{.id = rotation->id,
                              .fresh_id = fresh.id,
                              .fresh_sha256 = fresh.sha256,
                              .overlap_us = rotation->overlap_us};
  change_security(
      std::move(call), std::move(request),
      [fresh = std::move(fresh), old_id = rotation->id](const security::State& state, bool) {
        std::string out = fresh_key_json(state, fresh);
        out += ",\"replaces\":{\"key_id\":";
        append_string(out, old_id);
        const auto old = state.find(old_id);
        out += ",\"expires_at\":";
        if (old != nullptr && old->expires_at_us) {
          append_string(out, rfc3339(*old->expires_at_us));
        } else {
          out += "null";
        }
        return ChangeAnswer{201, out + "}}\n"};
      });
}

}  // namespace vz::api
