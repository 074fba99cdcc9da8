// What of a request stands in the audit log.
#pragma once

#include "engine/api/call.h"

namespace vz::api {

/// Whether each call of the route is an event: whatever changes more than points, and whatever
/// hands out the whole content.
bool is_audited(const Route& route);

/// route: null where none fits.
audit::Event audit_event(const Service& service, const net::RequestHead& head, const Route* route,
                         int status);

}  // namespace vz::api
