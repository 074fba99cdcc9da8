// Who may call: decided on the head of a request and its matched route, before its body is read.
#pragma once

#include <optional>
#include <string>

#include "engine/api/call.h"

namespace vz::api {

/// Why the caller is refused, or nullopt.
struct Refusal {
  std::string reason;
};

/// Public routes and metrics are open to all. No keys exist yet, so: a key that was sent is wrong;
/// with Access::kInsecure everybody else is let in; otherwise only a direct loopback peer. Its
/// trust is void when anything shows that the request was forwarded or came from a web page
/// (Origin, Referer, Sec-Fetch-*, Cookie, Via, Forwarded, X-Forwarded-*, X-Real-IP), or when Host
/// is not a loopback name with the port that was called: that is how a web page reaches a local
/// service (DNS rebinding).
std::optional<Refusal> refuse(const net::RequestHead& head, Scope scope, Access access);

/// The 401 for it; plain text in Qdrant's grammar, as its clients expect.
net::Response refusal_response(const Refusal& refusal, const net::RequestHead& head,
                               Envelope envelope);

}  // namespace vz::api
