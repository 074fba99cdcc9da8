#include "engine/api/api.h"

#include "engine/api/access.h"
#include "engine/api/audit_events.h"
#include "engine/api/route.h"
#include "engine/runtime/wall_clock.h"

namespace vz::api {
namespace {

/// Decoding a larger body would hold up the other connections of its io thread.
constexpr std::size_t kInlineBodyBytesMax = 512u << 10;

ListenerKind listener_of(const Service& service, const net::RequestHead& head) {
  const std::uint16_t qdrant_port = service.qdrant_port.load();
  return qdrant_port != 0 && head.local_port == qdrant_port ? ListenerKind::kQdrant
                                                            : ListenerKind::kMain;
}

Envelope envelope_of(const Match& match) {
  if (const auto* found = std::get_if<RouteMatch>(&match)) return found->route->envelope;
  if (const auto* method = std::get_if<NoSuchMethod>(&match)) return method->envelope;
  return std::get<NoSuchPath>(match).envelope;
}

net::Response no_route(const Match& match, const net::RequestHead& head) {
  const Envelope envelope = envelope_of(match);
  const std::string path = head.target.substr(0, std::min(head.target.find('?'), std::size_t{256}));
  if (const auto* method = std::get_if<NoSuchMethod>(&match)) {
    net::Response response = status_response(
        405, std::string(net::method_name(head.method)) + " is not a method of " + path, envelope,
        head.request_id);
    response.headers.emplace_back("Allow", method->allow);
    return response;
  }
  return status_response(404, "no route " + path, envelope, head.request_id);
}

void count_refused(Service& service, const Match& match, const net::RequestHead& head, int status) {
  if (is_refusal(status) && service.trail != nullptr) {
    const auto* route = std::get_if<RouteMatch>(&match);
    service.trail->count_refusal(
        audit_event(service, head, route == nullptr ? nullptr : route->route, status));
  }
  if (const auto* found = std::get_if<RouteMatch>(&match)) {
    service.numbers.count_refused(*found->route, status);
  } else {
    service.numbers.count_unmatched(head.method, status);
  }
}

/// What the first argument leads to, where it names a collection; null before there is a node.
std::shared_ptr<const collection::Reader> collection_of(const Service& service,
                                                        const RouteMatch& match) {
  if (match.route->reach != Reach::kCollection) return nullptr;
  const auto node = service.nodes->current();
  return node == nullptr ? nullptr : node->find(match.arguments.front());
}

/// Of a path that does not exist a stranger learns nothing. Sets the principal of `head`.
std::optional<Refusal> refuse(Service& service, const Match& match, net::RequestHead& head) {
  const auto state = service.security->load();
  const AccessRules rules{.access = service.access,
                          .trusted_proxies = service.trusted_proxies,
                          .state = *state,
                          .now_us = runtime::unix_time_us()};
  if (auto refusal = refuse_address(head, rules)) {
    service.numbers.count_blocked();
    return refusal;
  }
  const auto* found = std::get_if<RouteMatch>(&match);
  if (found != nullptr && is_open(*found->route)) return std::nullopt;
  auto caller = authenticate(head, rules);
  if (!caller) return std::move(caller).error();
  if (*caller == nullptr) return std::nullopt;
  head.principal = (*caller)->id;
  if (found == nullptr) return std::nullopt;
  return authorise(caller->get(), *found,
                   (*caller)->unlimited() ? nullptr : collection_of(service, *found).get());
}

std::optional<net::Response> refusal_of(Service& service, const Match& match,
                                        net::RequestHead& head) {
  if (const auto refusal = refuse(service, match, head))
    return refusal_response(*refusal, head, envelope_of(match));
  const auto* found = std::get_if<RouteMatch>(&match);
  if (found == nullptr) return no_route(match, head);
  if (found->route->needs == Needs::kNode && service.nodes->current() == nullptr)
    return error_response({ErrorCode::kUnavailable, "the node is loading"}, found->route->envelope,
                          head.request_id, 0);
  return std::nullopt;
}

std::optional<net::Response> decide_on_head(Service& service, net::RequestHead& head) {
  const Match match = match_route(listener_of(service, head), head.method, head.segments);
  auto refusal = refusal_of(service, match, head);
  if (refusal) count_refused(service, match, head, refusal->status);
  return refusal;
}

bool admits(Service& service, const std::string& peer_address) {
  const auto state = service.security->load();
  if (state->ip_rules.all().empty()) return true;
  const auto address = security::parse_peer_address(peer_address);
  const bool blocked = address && state->ip_rules.blocks(*address, runtime::unix_time_us());
  if (blocked) service.numbers.count_blocked();
  return !blocked;
}

bool streams_body(const Service& service, const net::RequestHead& head) {
  const Match match = match_route(listener_of(service, head), head.method, head.segments);
  const auto* found = std::get_if<RouteMatch>(&match);
  return found != nullptr && found->route->receiver != nullptr;
}

tl::expected<std::shared_ptr<net::BodySink>, net::Response> open_body(
    Service& service, const net::RequestHead& head, std::optional<std::uint64_t> length_bytes) {
  const Match match = match_route(listener_of(service, head), head.method, head.segments);
  const Route& route = *std::get<RouteMatch>(match).route;  // As streams_body() found it.
  auto sink = route.receiver(service, route, head, length_bytes);
  if (sink) return *std::move(sink);
  auto refusal = error_response(sink.error(), route.envelope, head.request_id, 0);
  service.numbers.count_refused(route, refusal.status);
  return tl::unexpected<net::Response>(std::move(refusal));
}

/// What may have changed since the head was let pass, while the body came: the key was revoked, or
/// an alias leads elsewhere. Nothing to do for who came without a key.
std::optional<Refusal> refuse_again(const Service& service, const RouteMatch& match,
                                    const security::ApiKey* key) {
  if (key == nullptr) return Refusal{401, "this node has no such API key"};
  if (key->unlimited()) return std::nullopt;
  return authorise(key, match, collection_of(service, match).get());
}

void run(Service& service, net::Request request, net::Respond respond) {
  Match match =
      match_route(listener_of(service, request.head), request.head.method, request.head.segments);
  auto* found = std::get_if<RouteMatch>(&match);
  if (found == nullptr) return respond(no_route(match, request.head));
  const Handler handler = found->route->handler;
  const bool large = request.body.size() > kInlineBodyBytesMax;
  std::shared_ptr<const security::ApiKey> key;
  if (!request.head.principal.empty()) {
    key = service.security->load()->find(request.head.principal);
    if (const auto refusal = refuse_again(service, *found, key.get())) {
      count_refused(service, match, request.head, refusal->status);
      return respond(refusal_response(*refusal, request.head, found->route->envelope));
    }
  }
  auto call = std::make_shared<Call>(service, std::move(*found), std::move(request),
                                     std::move(respond), std::move(key));
  if (!large) return handler(std::move(call));
  Call::offload(call, [handler, call] { handler(call); });
}

net::Response server_error(Service& service, const net::RequestHead& head, int status,
                           const std::string& message) {
  const Match match = match_route(listener_of(service, head), head.method, head.segments);
  count_refused(service, match, head, status);
  return status_response(status, message, envelope_of(match), head.request_id);
}

}  // namespace

net::HttpHandlers make_handlers(Service& service) {
  return {.on_connect = [&service](const std::string& peer) { return admits(service, peer); },
          .on_head = [&service](net::RequestHead& head) { return decide_on_head(service, head); },
          .on_request =
              [&service](net::Request request, net::Respond respond) {
                run(service, std::move(request), std::move(respond));
              },
          .streams_body =
              [&service](const net::RequestHead& head) { return streams_body(service, head); },
          .open_body =
              [&service](const net::RequestHead& head, std::optional<std::uint64_t> length_bytes) {
                return open_body(service, head, length_bytes);
              },
          .on_error =
              [&service](const net::RequestHead& head, int status, const std::string& message) {
                return server_error(service, head, status, message);
              }};
}

}  // namespace vz::api
