// A server on port 0 over a file system in memory, and a client that speaks real HTTP to it.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <catch2/catch.hpp>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "engine/server/server.h"
#include "storage/env/fault_env.h"

namespace vz::api::test {

struct HttpAnswer {
  int status = 0;
  std::string head;
  std::string body;
  [[nodiscard]] std::string header(const std::string& name) const {
    const std::size_t at = head.find("\r\n" + name + ": ");
    if (at == std::string::npos) return "";
    const std::size_t start = at + name.size() + 4;
    return head.substr(start, head.find("\r\n", start) - start);
  }
};

using Headers = std::vector<std::pair<std::string, std::string>>;

/// One request on a connection of its own, as `curl -d` would send it: a form content type. A Host
/// or Content-Type header in `headers` replaces the usual one. Status 0: no answer.
inline HttpAnswer call(std::uint16_t port, const std::string& method, const std::string& target,
                       const std::string& body = "", const Headers& headers = {}) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const timeval patience{.tv_sec = 30, .tv_usec = 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  HttpAnswer answer;
  if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    ::close(fd);
    return answer;
  }
  std::string text = method + " " + target + " HTTP/1.1\r\nConnection: close\r\n";
  bool has_host = false;
  bool has_type = false;
  for (const auto& [name, value] : headers) {
    has_host = has_host || name == "Host";
    has_type = has_type || name == "Content-Type";
    text += name + ": " + value + "\r\n";
  }
  if (!has_host) text += "Host: localhost:" + std::to_string(port) + "\r\n";
  if (!body.empty() || method != "GET")
    text += (has_type ? "" : "Content-Type: application/x-www-form-urlencoded\r\n") +
            ("Content-Length: " + std::to_string(body.size())) + "\r\n";
  text += "\r\n" + body;
  for (std::size_t at = 0; at < text.size();) {
    const ssize_t sent = ::send(fd, text.data() + at, text.size() - at, MSG_NOSIGNAL);
    if (sent <= 0) break;
    at += static_cast<std::size_t>(sent);
  }
  std::string all;
  char buffer[16384];
  for (ssize_t got; (got = ::recv(fd, buffer, sizeof buffer, 0)) > 0;)
    all.append(buffer, static_cast<std::size_t>(got));
  ::close(fd);
  const std::size_t end = all.find("\r\n\r\n");
  if (end == std::string::npos || all.size() < 12) return answer;
  answer.status = std::stoi(all.substr(9, 3));
  answer.head = all.substr(0, end + 2);
  answer.body = all.substr(end + 4);
  return answer;
}

inline server::ServerOptions test_options() {
  server::ServerOptions options;
  options.node.data_dir = "/data";
  options.node.index_threads = 1;
  options.node.seal_rows = 64;
  options.node.background = node::NodeOptions::Background::kOff;
  options.listen = {.address = "127.0.0.1", .port = 0};
  options.qdrant_listen = net::Listener{.address = "127.0.0.1", .port = 0};
  options.version = "9.9.9";
  return options;
}

/// A loaded server and short forms of what tests ask it.
class TestServer {
 public:
  explicit TestServer(server::ServerOptions options = test_options()) {
    REQUIRE(env.make_directory("/"));
    start(std::move(options));
  }

  /// Stops in order, runs `meanwhile`, and starts again.
  template <typename Work>
  void restart(const Work& meanwhile) {
    server.reset();
    meanwhile();
    start(test_options());
  }

  HttpAnswer get(const std::string& target) { return call(server->port(), "GET", target); }
  HttpAnswer post(const std::string& target, const std::string& body = "") {
    return call(server->port(), "POST", target, body);
  }
  HttpAnswer put(const std::string& target, const std::string& body = "") {
    return call(server->port(), "PUT", target, body);
  }
  HttpAnswer patch(const std::string& target, const std::string& body = "") {
    return call(server->port(), "PATCH", target, body);
  }
  HttpAnswer erase(const std::string& target) { return call(server->port(), "DELETE", target); }

  FaultEnv env;
  std::unique_ptr<server::Server> server;

 private:
  void start(server::ServerOptions options) {
    auto started = server::Server::start(env, std::move(options));
    INFO((started ? std::string() : started.error().message));
    REQUIRE(started);
    server = *std::move(started);
    REQUIRE(server->wait_until_loaded());
  }
};

/// Rot in the first byte of each segment of a collection.
inline void rot_segments(FaultEnv& env, const std::string& directory) {
  const auto files = env.list(directory);
  REQUIRE(files);
  for (const auto& entry : *files)
    if (entry.name.ends_with(".seg")) REQUIRE(env.flip_bit(directory + "/" + entry.name, 0, 3));
}

}  // namespace vz::api::test
