// One keep-alive HTTP connection to a node: what the quick start, the benchmark and the crash tests
// speak through.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "storage/base/status.h"
#include "tools/drive/endpoint.h"

namespace vz::drive {

struct HttpAnswer {
  int status = 0;    ///< of the status line
  std::string body;  ///< whole: a body cut short is an error, never an answer
};

/// The header line of an endpoint's key, which is not empty.
std::string key_header(const Endpoint& endpoint);

/// Not thread-safe: one per thread.
class HttpClient {
 public:
  /// base_url: "http://127.0.0.1:15002", without a trailing slash.
  /// timeout_ms: for a whole request, connecting included.
  HttpClient(std::string base_url, long timeout_ms);
  /// With the key of `endpoint`.
  HttpClient(const Endpoint& endpoint, long timeout_ms);
  ~HttpClient();
  HttpClient(HttpClient&&) noexcept;
  HttpClient& operator=(HttpClient&&) noexcept;

  /// Sends `body` (JSON; none if empty) and waits for the whole answer, whatever its status.
  ///
  /// Errors: kUnavailable when there is no whole answer (refused, reset, timed out, cut short).
  /// Whether the node carried the request out is then unknown.
  Result<HttpAnswer> request(std::string_view method, std::string_view path, std::string_view body);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace vz::drive
