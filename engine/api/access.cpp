#include "engine/api/access.h"

#include <array>

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

bool sends_key(const net::RequestHead& head) {
  return head.header("authorization").has_value() || head.header("api-key").has_value();
}

}  // namespace

std::optional<Refusal> refuse(const net::RequestHead& head, Scope scope, Access access) {
  if (scope == Scope::kPublic || scope == Scope::kMetrics) return std::nullopt;
  if (sends_key(head)) return Refusal{"this node has no such API key"};
  if (access == Access::kInsecure) return std::nullopt;
  if (!head.peer_is_loopback)
    return Refusal{"an API key is needed: only callers on this machine are trusted without one"};
  std::size_t hosts = 0;
  for (const auto& [name, value] : head.headers) {
    if (is_forwarding(name))
      return Refusal{"an API key is needed: the request carries the header " + name +
                     ", so it did not come straight from a local program"};
    if (name != "host") continue;
    ++hosts;
    if (!is_loopback_host(value, head.local_port))
      return Refusal{"an API key is needed: the Host header is not localhost:" +
                     std::to_string(head.local_port)};
  }
  if (hosts != 1) return Refusal{"an API key is needed: exactly one Host header is expected"};
  return std::nullopt;
}

net::Response refusal_response(const Refusal& refusal, const net::RequestHead& head,
                               Envelope envelope) {
  if (envelope == Envelope::kNative)
    return status_response(401, refusal.reason, envelope, head.request_id);
  net::Response response;
  response.status = 401;
  response.content_type = "text/plain; charset=utf-8";
  response.body = sends_key(head) ? "Invalid API key or JWT"
                                  : "Must provide an API key or an Authorization bearer token";
  response.headers.emplace_back("X-Vectorizer-Reason", refusal.reason);
  return response;
}

}  // namespace vz::api
