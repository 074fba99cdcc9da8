#include "tools/bench/load_client.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <memory>
#include <utility>

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

namespace vz::bench {
namespace {

constexpr std::size_t kReceiveBytes = 64u << 10;
constexpr timeval kSilenceMax{.tv_sec = 60, .tv_usec = 0};
constexpr std::string_view kHeadEnd = "\r\n\r\n";
constexpr std::string_view kLengthField = "\r\nContent-Length:";
constexpr std::size_t kStatusOffset = std::string_view("HTTP/1.1 ").size();

tl::unexpected<Error> system_error(const char* doing) {
  return fail(ErrorCode::kUnavailable, std::string(doing) + ": " + std::strerror(errno));
}

std::size_t find_ignoring_case(std::string_view text, std::string_view what) {
  for (std::size_t at = 0; at + what.size() <= text.size(); ++at) {
    if (::strncasecmp(text.data() + at, what.data(), what.size()) == 0) return at;
  }
  return std::string_view::npos;
}

struct Free {
  void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};
using Addresses = std::unique_ptr<addrinfo, Free>;

/// At least one address.
Result<Addresses> resolve(const drive::Endpoint& endpoint) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int code =
      ::getaddrinfo(endpoint.host.c_str(), std::to_string(endpoint.port).c_str(), &hints, &found);
  if (code != 0) return fail(ErrorCode::kUnavailable, endpoint.host + ": " + ::gai_strerror(code));
  return Addresses(found);
}

struct Head {
  int status = 0;
  std::size_t body_bytes = 0;
};

/// head: from "HTTP/1.1" on, without the empty line.
Result<Head> parse_head(std::string_view head) {
  Head out;
  const std::size_t field = find_ignoring_case(head, kLengthField);
  if (head.size() < kStatusOffset || field == std::string_view::npos) {
    return fail(ErrorCode::kUnavailable,
                "expected an answer with Content-Length, found: " + std::string(head));
  }
  const char* end = head.data() + head.size();
  std::from_chars(head.data() + kStatusOffset, end, out.status);
  const std::size_t digits = head.find_first_of("0123456789", field + kLengthField.size());
  if (digits != std::string_view::npos) std::from_chars(head.data() + digits, end, out.body_bytes);
  return out;
}

}  // namespace

std::string http_request(std::string_view method, std::string_view target,
                         const drive::Endpoint& endpoint, std::string_view body) {
  std::string out;
  out.reserve(body.size() + 256);
  out.append(method).append(" ").append(target).append(" HTTP/1.1\r\nHost: ");
  out.append(endpoint.authority()).append("\r\nContent-Type: application/json\r\n");
  out.append("Content-Length: ").append(std::to_string(body.size())).append(kHeadEnd).append(body);
  return out;
}

Result<LoadClient> LoadClient::connect(const drive::Endpoint& endpoint) {
  VZ_TRY_ASSIGN(const Addresses addresses, resolve(endpoint));
  Status outcome;
  for (const addrinfo* address = addresses.get(); address != nullptr; address = address->ai_next) {
    auto client = connect_to(*address);
    if (client) return client;
    outcome = while_doing(client.error(), endpoint.authority());
  }
  return tl::unexpected<Error>(outcome.error());
}

Result<LoadClient> LoadClient::connect_to(const addrinfo& address) {
  const int socket = ::socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return system_error("socket");
  LoadClient client(socket);
  const int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &kSilenceMax, sizeof kSilenceMax);
  ::setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &kSilenceMax, sizeof kSilenceMax);
  if (::connect(socket, address.ai_addr, address.ai_addrlen) != 0) return system_error("connect");
  client.received_.resize(kReceiveBytes);
  return client;
}

LoadClient::~LoadClient() {
  if (socket_ >= 0) ::close(socket_);
}

LoadClient::LoadClient(LoadClient&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)),
      received_(std::move(other.received_)),
      size_(other.size_) {}

Status LoadClient::send_all(std::string_view request) {
  while (!request.empty()) {
    const ssize_t sent = ::send(socket_, request.data(), request.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return system_error("send");
    request.remove_prefix(static_cast<std::size_t>(sent));
  }
  return {};
}

Status LoadClient::receive_some() {
  if (size_ == received_.size()) received_.resize(2 * received_.size());
  for (;;) {
    const ssize_t got = ::recv(socket_, received_.data() + size_, received_.size() - size_, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error("receive");
    if (got == 0) return fail(ErrorCode::kUnavailable, "receive: the server closed the connection");
    size_ += static_cast<std::size_t>(got);
    return {};
  }
}

Result<LoadAnswer> LoadClient::exchange(std::string_view request) {
  VZ_TRY(send_all(request));
  size_ = 0;
  std::size_t head_bytes = std::string_view::npos;
  while (head_bytes == std::string_view::npos) {
    VZ_TRY(receive_some());
    head_bytes = std::string_view(received_).substr(0, size_).find(kHeadEnd);
  }
  VZ_TRY_ASSIGN(const Head head, parse_head(std::string_view(received_).substr(0, head_bytes)));
  const std::size_t body_begin = head_bytes + kHeadEnd.size();
  while (size_ < body_begin + head.body_bytes) VZ_TRY(receive_some());
  return LoadAnswer{.status = head.status,
                    .body = std::string_view(received_).substr(body_begin, head.body_bytes)};
}

}  // namespace vz::bench
