#include "engine/api/audit_events.h"

#include "engine/api/access.h"
#include "engine/api/handlers.h"
#include "engine/runtime/wall_clock.h"

namespace vz::api {
namespace {

audit::Outcome outcome_of(int status) {
  if (status < 400) return audit::Outcome::kOk;
  return is_refusal(status) ? audit::Outcome::kRefused : audit::Outcome::kFailed;
}

/// Who called without a key was let in by where it came from.
std::string actor_of(const Service& service, const net::RequestHead& head, int status) {
  if (!head.principal.empty()) return head.principal;
  if (outcome_of(status) == audit::Outcome::kRefused) return "unknown";
  return service.access == Access::kInsecure ? "anyone" : "loopback";
}

/// The client's, as far as the proxies that are trusted tell; else the peer's.
std::string ip_of(const Service& service, const net::RequestHead& head) {
  const auto client = client_address(head, service.trusted_proxies);
  return client ? security::to_text(*client) : head.peer_address;
}

}  // namespace

bool is_audited(const Route& route) {
  const bool reads = route.method == net::Method::kGet || route.method == net::Method::kHead;
  if (route.scope == Scope::kSnapshot) return !reads || route.handler == get_snapshot;
  if (reads) return false;
  if (route.scope == Scope::kAdmin) return true;
  return route.handler == create_collection || route.handler == delete_collection ||
         route.handler == change_aliases;
}

audit::Event audit_event(const Service& service, const net::RequestHead& head, const Route* route,
                         int status) {
  return {.time_us = runtime::unix_time_us(),
          .actor = actor_of(service, head, status),
          .ip = ip_of(service, head),
          .action = std::string(net::method_name(head.method)) + " " +
                    (route == nullptr ? "?" : std::string(route->pattern)),
          .target = head.target,
          .outcome = outcome_of(status),
          .status = status,
          .request_id = head.request_id};
}

}  // namespace vz::api
