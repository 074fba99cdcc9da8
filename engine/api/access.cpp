#include "engine/api/access.h"

#include <algorithm>
#include <array>
#include <vector>

#include "engine/limits.h"
#include "engine/net/header_text.h"

namespace vz::api {
namespace {

constexpr std::array kForwardingHeaders{
    std::string_view("origin"), std::string_view("referer"),   std::string_view("cookie"),
    std::string_view("via"),    std::string_view("forwarded"), std::string_view("x-real-ip")};
constexpr std::array kForwardingPrefixes{std::string_view("sec-fetch-"),
                                         std::string_view("x-forwarded-")};

bool is_forwarding(std::string_view name) {
  for (const std::string_view header : kForwardingHeaders)
    if (name == header) return true;
  for (const std::string_view prefix : kForwardingPrefixes)
    if (name.starts_with(prefix)) return true;
  return false;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

/// A Host header that names this machine by a loopback name and the port that was called. Port 80
/// may be left out, as HTTP allows.
bool is_loopback_host(std::string_view host, std::uint16_t port) {
  constexpr std::array kNames{std::string_view("localhost"), std::string_view("127.0.0.1"),
                              std::string_view("[::1]")};
  const std::string wanted_port = ":" + std::to_string(port);
  const std::string given = lower(host);
  for (const std::string_view name : kNames) {
    if (given == std::string(name) + wanted_port) return true;
    if (port == 80 && given == name) return true;
  }
  return false;
}

/// Every key that was sent, whatever the header; a scheme that is not Bearer counts as a wrong one.
std::vector<std::string_view> sent_keys(const net::RequestHead& head) {
  constexpr std::string_view kBearer = "bearer ";
  std::vector<std::string_view> keys;
  for (const auto& [name, value] : head.headers) {
    if (name == "api-key") keys.push_back(value);
    if (name != "authorization") continue;
    const bool bearer =
        value.size() >= kBearer.size() &&
        net::equals_ignoring_case(std::string_view(value).substr(0, kBearer.size()), kBearer);
    keys.push_back(bearer ? net::trimmed(std::string_view(value).substr(kBearer.size())) : "");
  }
  return keys;
}

bool is_trusted_proxy(const security::Address& address,
                      std::span<const security::Cidr> trusted_proxies) {
  return std::any_of(trusted_proxies.begin(), trusted_proxies.end(),
                     [&](const security::Cidr& range) { return range.contains(address); });
}

tl::unexpected<Refusal> unauthenticated(std::string reason) {
  return tl::unexpected<Refusal>(Refusal{401, std::move(reason)});
}

Caller let_in_without_key(const net::RequestHead& head, Access access) {
  if (access == Access::kInsecure) return nullptr;
  if (access == Access::kKeysOnly) return unauthenticated("an API key is needed");
  if (!head.peer_is_loopback)
    return unauthenticated(
        "an API key is needed: only callers on this machine are trusted without one");
  std::size_t hosts = 0;
  for (const auto& [name, value] : head.headers) {
    if (is_forwarding(name))
      return unauthenticated("an API key is needed: the request carries the header " + name +
                             ", so it did not come straight from a local program");
    if (name != "host") continue;
    ++hosts;
    if (!is_loopback_host(value, head.local_port))
      return unauthenticated("an API key is needed: the Host header is not localhost:" +
                             std::to_string(head.local_port));
  }
  if (hosts != 1)
    return unauthenticated("an API key is needed: exactly one Host header is expected");
  return nullptr;
}

}  // namespace

std::optional<security::Address> client_address(const net::RequestHead& head,
                                                std::span<const security::Cidr> trusted_proxies) {
  auto address = security::parse_peer_address(head.peer_address);
  if (!address || !is_trusted_proxy(*address, trusted_proxies)) return address;
  std::string hops;
  for (const auto& [name, value] : head.headers) {
    if (name != "x-forwarded-for") continue;
    if (!hops.empty()) hops += ',';
    hops += value;
  }
  std::string_view left = hops;
  for (std::size_t hop = 0; !left.empty(); ++hop) {
    if (hop == limits::kForwardedAddressesMax) return std::nullopt;
    const std::size_t comma = left.rfind(',');
    const std::size_t begin = comma == std::string_view::npos ? 0 : comma + 1;
    address = security::parse_address(net::trimmed(left.substr(begin)));
    if (!address || !is_trusted_proxy(*address, trusted_proxies)) return address;
    left = left.substr(0, comma == std::string_view::npos ? 0 : comma);
  }
  return address;  // All the way from proxies of ours.
}

std::optional<Refusal> refuse_address(const net::RequestHead& head, const AccessRules& rules) {
  if (rules.state.ip_rules.all().empty()) return std::nullopt;
  const auto address = client_address(head, rules.trusted_proxies);
  if (!address) return Refusal{403, "a trusted proxy sent no address in X-Forwarded-For"};
  if (!rules.state.ip_rules.blocks(*address, rules.now_us)) return std::nullopt;
  return Refusal{403, "the address " + security::to_text(*address) + " is blocked"};
}

Caller authenticate(const net::RequestHead& head, const AccessRules& rules) {
  const auto sent = sent_keys(head);
  if (sent.empty()) return let_in_without_key(head, rules.access);
  if (sent.size() > 1) return unauthenticated("more than one API key was sent");
  // A text that no key looks like, an id that none has, a revoked one and a wrong secret are told
  // apart by nothing that a stranger sees, time included.
  static const security::ApiKey kNobody;
  const auto id = security::id_of_key_text(sent.front());
  const auto key = id ? rules.state.find(*id) : nullptr;
  const bool right = security::is_text_of(key == nullptr ? kNobody : *key, sent.front());
  if (key == nullptr || !right) return unauthenticated("this node has no such API key");
  if (key->expired(rules.now_us)) return unauthenticated("the API key has expired");
  if (!key->cidrs.empty()) {
    const auto address = client_address(head, rules.trusted_proxies);
    if (!address || !key->usable_from(*address))
      return unauthenticated("the API key may not be used from this address");
  }
  return key;
}

bool is_open(const Route& route) {
  return route.scope == Scope::kPublic || route.scope == Scope::kMetrics;
}

std::optional<Refusal> authorise(const security::ApiKey* key, const RouteMatch& match,
                                 const collection::Reader* collection) {
  if (key == nullptr || is_open(*match.route)) return std::nullopt;
  const Scope needed = match.route->scope;
  if (!key->scopes.allow(needed))
    return Refusal{403, "the API key lacks the scope " + std::string(scope_name(needed))};
  if (key->unlimited() || match.route->reach == Reach::kListing) return std::nullopt;
  if (match.route->reach == Reach::kNode)
    return Refusal{403, "the API key is for some collections only, and this concerns all"};
  // An alias must not lead out of what the key is for.
  const bool named = key->may_use(match.arguments.front());
  if (named && (collection == nullptr || key->may_use(collection->name()))) return std::nullopt;
  return Refusal{403, "the API key is not for this collection"};
}

net::Response refusal_response(const Refusal& refusal, const net::RequestHead& head,
                               Envelope envelope) {
  net::Response response;
  if (envelope == Envelope::kNative) {
    response = status_response(refusal.status, refusal.reason, envelope, head.request_id);
  } else {
    response.status = refusal.status;
    response.content_type = "text/plain; charset=utf-8";
    response.body = refusal.status == 403 ? "Forbidden: " + refusal.reason
                    : sent_keys(head).empty()
                        ? "Must provide an API key or an Authorization bearer "
                          "token"
                        : "Invalid API key or JWT";
    response.headers.emplace_back("X-Vectorizer-Reason", refusal.reason);
  }
  if (refusal.status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer");
  return response;
}

}  // namespace vz::api
