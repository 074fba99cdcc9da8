// Where a node listens.
#pragma once

#include <cstdint>
#include <string>

namespace vz::drive {

struct Endpoint {
  std::string host = "127.0.0.1";  ///< a name or an address; IPv6 without its brackets
  std::uint16_t port = 0;
  std::string api_key{};  ///< sent with every request; "": none. Never shown

  /// As the Host header has it: "127.0.0.1:15002", "[::1]:15002".
  [[nodiscard]] std::string authority() const {
    const bool ipv6 = host.find(':') != std::string::npos;
    return (ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
  }
  [[nodiscard]] std::string base_url() const { return "http://" + authority(); }
};

}  // namespace vz::drive
