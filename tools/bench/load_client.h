// One keep-alive HTTP/1.1 connection that costs next to nothing: the load generator shares its
// cores with the server that it measures. For everything but load: tools/drive/http_client.h.
#pragma once

#include <string>
#include <string_view>

#include "storage/base/status.h"
#include "tools/drive/endpoint.h"

struct addrinfo;

namespace vz::bench {

/// Head and body in one string, made before the clock starts. target: "/collections/c/points".
std::string http_request(std::string_view method, std::string_view target,
                         const drive::Endpoint& endpoint, std::string_view body);

struct LoadAnswer {
  int status = 0;
  std::string_view body;  ///< valid until the next exchange
};

/// A blocking socket with TCP_NODELAY. Not thread-safe: one per thread.
class LoadClient {
 public:
  /// Errors: kUnavailable.
  static Result<LoadClient> connect(const drive::Endpoint& endpoint);
  ~LoadClient();
  LoadClient(LoadClient&& other) noexcept;
  LoadClient& operator=(LoadClient&&) = delete;

  /// Sends a whole request and waits for the whole answer, whatever its status.
  /// Errors: kUnavailable: cut off, a minute of silence, or an answer without Content-Length. The
  /// connection is of no use any more.
  Result<LoadAnswer> exchange(std::string_view request);

 private:
  explicit LoadClient(int socket) : socket_(socket) {}

  int socket_;
  std::string received_;  ///< a buffer that only grows
  std::size_t size_ = 0;  ///< bytes of it that were received

  static Result<LoadClient> connect_to(const addrinfo& address);
  Status send_all(std::string_view request);
  Status receive_some();
};

}  // namespace vz::bench
