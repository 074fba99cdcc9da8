// Who may call: decided on the head of a request and its matched route, before its body is read.
//
// A request without a key is trusted if it comes straight from this machine
// (Access::kLoopbackOnly). That trust is void when anything shows that the request was forwarded or
// came from a web page (Origin, Referer, Sec-Fetch-*, Cookie, Via, Forwarded, X-Forwarded-*,
// X-Real-IP), when Host is not a loopback name with the port that was called: that is how a web
// page reaches a local service (DNS rebinding); and when a key was sent: a wrong one is an error,
// never a reason to try less.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "engine/api/call.h"

namespace vz::api {

/// Why the caller is refused: 401, 403; and when the address is blocked, 403.
struct Refusal {
  int status = 401;
  std::string reason;
};

/// What it is decided by. Borrows.
struct AccessRules {
  Access access = Access::kLoopbackOnly;
  std::span<const security::Cidr> trusted_proxies{};
  const security::State& state;
  std::int64_t now_us = 0;
};

/// Where a request comes from: the peer; if that is a trusted proxy, the last address in
/// X-Forwarded-For that is none. What stands before it there the client may have written itself.
/// Without that header it is the proxy itself, who may call, too. Nothing: what stands in it is no
/// address.
std::optional<security::Address> client_address(const net::RequestHead& head,
                                                std::span<const security::Cidr> trusted_proxies);

/// The refusal of a blocked address.
std::optional<Refusal> refuse_address(const net::RequestHead& head, const AccessRules& rules);

/// The key that a request came with: valid, not expired, from where it may be used. Null: it came
/// without one and is let in. The refusal is 401.
using Caller = tl::expected<std::shared_ptr<const security::ApiKey>, Refusal>;
Caller authenticate(const net::RequestHead& head, const AccessRules& rules);

/// Whether the key lets its holder use the route; null: all of them. `collection`: what the first
/// argument leads to, if it is an alias. The refusal is 403.
std::optional<Refusal> authorise(const security::ApiKey* key, const RouteMatch& match,
                                 const collection::Reader* collection);

/// Whether anybody at all may use the route.
bool is_open(const Route& route);

/// The answer; plain text in Qdrant's grammar, as its clients expect.
net::Response refusal_response(const Refusal& refusal, const net::RequestHead& head,
                               Envelope envelope);

}  // namespace vz::api
