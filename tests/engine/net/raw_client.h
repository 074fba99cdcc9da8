// A blocking TCP client that sends exactly the bytes it is told, and a server to send them to.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <arpa/inet.h>
#include <catch2/catch.hpp>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "engine/net/http_server.h"

namespace vz::net::test {

using namespace std::chrono_literals;

struct Answer {
  int status = 0;
  std::string head;  ///< status line and headers
  std::string body;
  [[nodiscard]] std::string header(std::string_view name) const {
    const std::string key = "\r\n" + std::string(name) + ": ";
    const std::size_t at = head.find(key);
    if (at == std::string::npos) return "";
    const std::size_t start = at + key.size();
    return head.substr(start, head.find("\r\n", start) - start);
  }
};

class RawClient {
 public:
  explicit RawClient(std::uint16_t port, std::chrono::milliseconds patience = 5s)
      : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const timeval timeout{.tv_sec = patience.count() / 1000,
                          .tv_usec = (patience.count() % 1000) * 1000};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
    address_.sin_family = AF_INET;
    address_.sin_port = htons(port);
    address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    // No Catch assertion in here: they are not thread-safe, and clients live on threads too. A
    // client that could not connect gets no answers.
    if (port != 0) connect();
  }
  ~RawClient() { close(); }
  RawClient(RawClient&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)), address_(other.address_), in_(std::move(other.in_)) {}
  RawClient& operator=(RawClient&&) = delete;

  /// For a client made with port 0: a socket whose descriptor exists before it connects.
  bool connect_to(std::uint16_t port) {
    address_.sin_port = htons(port);
    return connect();
  }
  void shrink_receive_buffer(int bytes) {
    setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
  }
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  void finish_sending() { ::shutdown(fd_, SHUT_WR); }

  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  /// The next answer; nullopt if the connection ends or patience does. 100s are answers too.
  std::optional<Answer> receive(bool has_body = true) {
    std::size_t end;
    while ((end = in_.find("\r\n\r\n")) == std::string::npos) {
      if (!fill()) return std::nullopt;
    }
    Answer answer;
    answer.head = in_.substr(0, end + 2);
    in_.erase(0, end + 4);
    answer.status = std::stoi(answer.head.substr(9, 3));
    const std::string length = answer.header("Content-Length");
    const std::size_t bytes = length.empty() || !has_body ? 0 : std::stoul(length);
    while (in_.size() < bytes) {
      if (!fill()) return std::nullopt;
    }
    answer.body = in_.substr(0, bytes);
    in_.erase(0, bytes);
    return answer;
  }

  std::optional<Answer> ask(std::string_view bytes) {
    if (!send(bytes)) return std::nullopt;
    return receive();
  }

  /// True once the server has closed; false if it sends something or patience ends.
  bool is_closed() {
    char byte;
    const ssize_t got = in_.empty() ? ::recv(fd_, &byte, 1, 0) : 1;
    return got == 0 || (got < 0 && errno == ECONNRESET);
  }

 private:
  bool connect() {
    return ::connect(fd_, reinterpret_cast<sockaddr*>(&address_), sizeof address_) == 0;
  }
  bool fill() {
    char buffer[16384];
    const ssize_t got = ::recv(fd_, buffer, sizeof buffer, 0);
    if (got <= 0) return false;
    in_.append(buffer, static_cast<std::size_t>(got));
    return true;
  }

  int fd_;
  sockaddr_in address_{};
  std::string in_;
};

inline HttpServerOptions test_options() {
  HttpServerOptions options;
  options.listeners = {{"127.0.0.1", 0}};
  options.threads = 2;
  return options;
}

/// Answers "METHOD /seg|ment?k=v;  body-size" so that a test sees what the server made of it.
inline Response describe(const Request& request) {
  Response response;
  response.content_type = "text/plain";
  response.body = std::string(method_name(request.head.method)) + " ";
  for (const auto& segment : request.head.segments) response.body += "/" + segment;
  for (const auto& [key, value] : request.head.query) response.body += " " + key + "=" + value;
  response.body += " body=" + std::to_string(request.body.size());
  return response;
}

inline HttpHandlers describing_handlers() {
  HttpHandlers handlers;
  handlers.on_request = [](Request request, Respond respond) { respond(describe(request)); };
  return handlers;
}

inline std::unique_ptr<HttpServer> started(HttpServerOptions options, HttpHandlers handlers) {
  auto server = HttpServer::start(std::move(options), std::move(handlers));
  if (!server) FAIL(server.error().message);
  return std::move(*server);
}

/// Waits until `condition()`; false after five seconds.
template <typename Condition>
bool eventually(Condition condition) {
  const auto end = std::chrono::steady_clock::now() + 5s;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    usleep(1000);
  }
  return true;
}

}  // namespace vz::net::test
