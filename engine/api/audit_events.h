// What of a request stands in the audit log.
#pragma once

#include "engine/api/call.h"

namespace vz::api {

/// Whether each call of the route is an event: whatever changes more than points, and whatever
/// hands out the whole content.
bool is_audited(const Route& route);

/// Whether an answer turned its caller away, whatever was asked: no key, a wrong one, not allowed.
constexpr bool is_refusal(int status) {
  return status == 401 || status == 403 || status == 429;
}

/// route: null where none fits.
audit::Event audit_event(const Service& service, const net::RequestHead& head, const Route* route,
                         int status);

}  // namespace vz::api
