// Routes of blocked addresses.
#include <algorithm>
#include <utility>

#include "engine/api/access.h"
#include "engine/api/call.h"
#include "engine/api/codec_security.h"
#include "engine/api/handlers.h"
#include "engine/api/json_text.h"
#include "engine/api/security_change.h"
#include "engine/runtime/wall_clock.h"

namespace vz::api {
namespace {

/// Those that hold now.
std::string rules_json(const security::State& state) {
  const std::int64_t now_us = runtime::unix_time_us();
  std::string out = "{\"rules\":[";
  std::size_t count = 0;
  for (const auto& [range, rule] : state.ip_rules.all()) {
    if (rule.expired(now_us)) continue;
    if (count++ > 0) out += ',';
    append_rule(out, rule);
  }
  out += "],\"count\":";
  append_number(out, count);
  out += "}\n";
  return out;
}

Status refuse_lock_out(const Call& call, const security::BlockIps& request) {
  // The proxy that it comes through, too: its connections would be closed.
  for (const auto& address : {client_address(call.head(), call.service().trusted_proxies),
                              security::parse_peer_address(call.head().peer_address)}) {
    if (!address) continue;
    const auto own =
        std::find_if(request.ranges.begin(), request.ranges.end(),
                     [&](const security::Cidr& range) { return range.contains(*address); });
    if (own == request.ranges.end()) continue;
    return fail(ErrorCode::kFailedPrecondition,
                to_text(*own) + " holds an address that this request comes from, " +
                    to_text(*address) +
                    ": nothing was changed; \"force\":true blocks it all the same");
  }
  return {};
}

}  // namespace

void list_ip_rules(std::shared_ptr<Call> call) {
  call->answer(rules_json(*call->service().security->load()));
}

void block_ips(std::shared_ptr<Call> call) {
  auto block = decode_block(call->body());
  if (!block) return call->answer_error(block.error());
  if (!block->force) {
    if (const Status safe = refuse_lock_out(*call, block->request); !safe)
      return call->answer_error(safe.error());
  }
  change_security(std::move(call), std::move(block->request),
                  [](const security::State& state, bool) {
                    return ChangeAnswer{200, rules_json(state)};
                  });
}

void unblock_ips(std::shared_ptr<Call> call) {
  auto unblock = decode_unblock(call->body());
  if (!unblock) return call->answer_error(unblock.error());
  change_security(std::move(call), *std::move(unblock), [](const security::State& state, bool) {
    return ChangeAnswer{200, rules_json(state)};
  });
}

}  // namespace vz::api
