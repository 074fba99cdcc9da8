// One request, as a program on this machine would send it.
#pragma once

#include <string>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace vz::cli::test {

/// The whole answer, head and body; "" if there is none.
inline std::string request(int port, const std::string& method, const std::string& path,
                           const std::string& body = "") {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::string all;
  if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) {
    const std::string text =
        method + " " + path + " HTTP/1.1\r\nHost: localhost:" + std::to_string(port) +
        "\r\nConnection: close\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
        body;
    (void)!::write(fd, text.data(), text.size());
    char buffer[4096];
    for (ssize_t got; (got = ::read(fd, buffer, sizeof buffer)) > 0;)
      all.append(buffer, static_cast<std::size_t>(got));
  }
  ::close(fd);
  return all;
}

inline std::string get(int port, const std::string& path) {
  return request(port, "GET", path);
}

/// Its body.
inline std::string get_body(int port, const std::string& path) {
  const std::string answer = get(port, path);
  const std::size_t end = answer.find("\r\n\r\n");
  return end == std::string::npos ? "" : answer.substr(end + 4);
}

}  // namespace vz::cli::test
