// An HTTP request as handlers see it: decoded once, plain.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/net/response.h"

namespace vz::net {

enum class Method : std::uint8_t { kGet, kHead, kPost, kPut, kPatch, kDelete, kOptions, kOther };
std::string_view method_name(Method method);

/// What stands before the body. Header names are lower-case; values are trimmed.
struct RequestHead {
  Method method = Method::kGet;
  std::string target;                 ///< as sent, at most limits::kUriBytesMax
  std::vector<std::string> segments;  ///< of the path, each percent-decoded once; no empty ones
  std::vector<std::pair<std::string, std::string>> query;  ///< decoded, in order
  std::vector<std::pair<std::string, std::string>> headers;
  std::string peer_address;       ///< "127.0.0.1" or "::1", without the port
  bool peer_is_loopback = false;  ///< by the socket, never by a header
  std::uint16_t local_port = 0;
  std::string request_id;  ///< the caller's if well-formed, else ours
  /// On whose behalf it is, as on_head says; "" until then, and for nobody in particular.
  /// Connections are closed by it.
  std::string principal;
  std::uint64_t connection_id = 0;  ///< never the same for two of one process

  [[nodiscard]] std::optional<std::string_view> header(std::string_view name) const;
  [[nodiscard]] std::optional<std::string_view> parameter(std::string_view name) const;
};

/// Takes a body while it arrives, so that it need not be held in memory. One call at a time, each
/// after the one before is done; from an io thread, so that none may wait for a disk. A body that
/// does not come whole ends with the sink's destruction, which may happen on any thread.
class BodySink {
 public:
  /// Called once, from any thread: nothing, or the answer that ends the request.
  using Done = std::function<void(std::optional<Response>)>;
  virtual ~BodySink() = default;
  /// Before anything is read of the body, and before the client is told to go on.
  virtual void begin(Done done) = 0;
  /// The next bytes, not empty, up to a few 100 KiB. No more is read from the socket until done.
  virtual void write(std::string bytes, Done done) = 0;
};

struct Request {
  RequestHead head;
  std::string body;  ///< inflated if it came with Content-Encoding: gzip; with spare capacity of at
                     ///< least 64 bytes (simdjson reads past the end)
  std::shared_ptr<BodySink> sink{};  ///< it took all of the body, and `body` is empty; or null
};

}  // namespace vz::net
