// Keys of a server under test.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tests/engine/api/api_support.h"

namespace vz::api::test {

using nlohmann::json;

struct TestKey {
  std::string id;
  std::string text;
  [[nodiscard]] Headers bearer() const { return {{"Authorization", "Bearer " + text}}; }
};

/// `request`: members beside the name. As the trusted local caller.
inline TestKey make_key(std::uint16_t port, json request) {
  if (!request.contains("name")) request["name"] = "test";
  const auto made = call(port, "POST", "/admin/keys", request.dump());
  INFO(made.body);
  REQUIRE(made.status == 201);
  const json key = json::parse(made.body);
  return {.id = key["key_id"], .text = key["key"]};
}

inline HttpAnswer revoke(std::uint16_t port, const std::string& id) {
  return call(port, "POST", "/admin/keys/revoke", json{{"key_id", id}}.dump());
}

inline const std::string kSmallCollection = R"({"vectors":{"size":2,"distance":"Dot"}})";

/// A connection that stays open, from an address of this machine's own.
class KeepAlive {
 public:
  KeepAlive(std::uint16_t port, const std::string& from)
      : port_(port), fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const timeval patience{.tv_sec = 10, .tv_usec = 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    inet_pton(AF_INET, from.c_str(), &address.sin_addr);
    ::bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address);
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address);
  }
  ~KeepAlive() { ::close(fd_); }
  KeepAlive(const KeepAlive&) = delete;
  KeepAlive& operator=(const KeepAlive&) = delete;

  /// Status of a request; 0: the connection is closed.
  int get(const std::string& target, const Headers& headers = {}) {
    std::string text =
        "GET " + target + " HTTP/1.1\r\nHost: localhost:" + std::to_string(port_) + "\r\n";
    for (const auto& [name, value] : headers) text += name + ": " + value + "\r\n";
    text += "\r\n";
    if (::send(fd_, text.data(), text.size(), MSG_NOSIGNAL) < 0) return 0;
    std::string all;
    char buffer[4096];
    for (ssize_t got; (got = ::recv(fd_, buffer, sizeof buffer, 0)) > 0;) {
      all.append(buffer, static_cast<std::size_t>(got));
      const std::size_t end = all.find("\r\n\r\n");
      const std::size_t length = all.find("\r\nContent-Length: ");
      if (end != all.npos && length != all.npos &&
          all.size() >= end + 4 + std::stoul(all.substr(length + 18)))
        return std::stoi(all.substr(9, 3));
    }
    return 0;
  }
  /// Waits until the other side closes.
  bool closed() {
    char byte = 0;
    const ssize_t got = ::recv(fd_, &byte, 1, 0);
    return got == 0 || (got < 0 && errno == ECONNRESET);
  }

 private:
  std::uint16_t port_;
  int fd_;
};

inline double metric(TestServer& server, const std::string& name) {
  const std::string page = server.get("/metrics").body;
  const std::size_t at = page.find("\n" + name + " ");
  REQUIRE(at != std::string::npos);
  return std::stod(page.substr(at + name.size() + 2));
}

}  // namespace vz::api::test
