// HTTP/1.1 server on Boost.Asio and Beast. Beast (the parser) is included by message_parser.cpp
// only, Asio (the sockets) by http_server.cpp and http_connection* only.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/limits.h"
#include "engine/net/request.h"
#include "engine/net/response.h"
#include "storage/base/status.h"

namespace vz::net {

/// Sends the answer of one request; call it once, from any thread. Dropping it unused closes the
/// connection after a 500.
using Respond = std::function<void(Response)>;

/// What the server asks of its owner. Called on io threads; none may block for long.
struct HttpHandlers {
  /// Whether a peer may connect at all; one that may not gets no byte. Null: all may.
  std::function<bool(const std::string& peer_address)> on_connect;
  /// Decides on the head alone, before any body byte is read: nullopt lets it pass. May set the
  /// head's principal.
  std::function<std::optional<Response>(RequestHead&)> on_head;
  std::function<void(Request, Respond)> on_request;
  /// Whether the body goes to a sink while it arrives, so that it may have up to
  /// limits::kUploadBytesMax, and not limits::kBodyBytesMax. Null: no body does.
  std::function<bool(const RequestHead&)> streams_body;
  /// The sink of such a request, which on_head let pass, or the answer that refuses it.
  /// length_bytes: nothing if the body is chunked. The request comes to on_request with it.
  std::function<tl::expected<std::shared_ptr<BodySink>, Response>(
      const RequestHead&, std::optional<std::uint64_t> length_bytes)>
      open_body;
  /// The body of an error that the server itself answers (400, 408, 413, 414, 431, 503).
  std::function<Response(const RequestHead&, int status, const std::string& message)> on_error;
};

struct Listener {
  std::string address;     ///< "127.0.0.1", "::1", "0.0.0.0"
  std::uint16_t port = 0;  ///< 0: any; see ports()
};

struct HttpServerOptions {
  std::vector<Listener> listeners;
  unsigned threads = 2;
  std::size_t connections_max = 1024;
  std::chrono::milliseconds header_timeout{10'000};
  std::chrono::milliseconds idle_timeout{60'000};
  std::chrono::milliseconds write_timeout{60'000};  ///< plus 1 s for each 64 KiB of the answer
  std::uint64_t body_bytes_per_second_min = 1024;   ///< on average since the body began
  std::chrono::milliseconds body_grace{5'000};      ///< before the average counts
  /// The average of a body that goes to a sink counts for each such time by itself, so that one
  /// that has stopped is noticed however much came before.
  std::chrono::milliseconds stream_window{30'000};
  std::size_t connections_reserve = 64;  ///< beyond connections_max; health, numbers, admin only
  /// Requests that are read and wait for their turn, of all threads; one more gets 503 at once.
  /// Those that may use the reserve do not wait.
  std::size_t requests_waiting_max = limits::kRequestsWaitingMax;
  std::size_t body_bytes_in_flight_max = 1u << 30;  ///< of all requests at once; beyond it 503
};

/// An open connection, for who decides whether it stays.
struct ConnectionFacts {
  std::uint64_t id = 0;
  std::string_view peer_address;
  std::string_view principal;  ///< of its newest request
};

class HttpServer {
 public:
  /// Binds every listener and starts the io threads.
  /// Errors: kInvalidArgument (address), kUnavailable (address in use; names it), kIoError.
  static Result<std::unique_ptr<HttpServer>> start(HttpServerOptions options,
                                                   HttpHandlers handlers);
  virtual ~HttpServer() = default;  ///< stops
  /// Bound ports, in the order of the listeners.
  [[nodiscard]] virtual std::vector<std::uint16_t> ports() const = 0;
  /// Accepts no more, answers what was read with `Connection: close`, waits up to `grace`, closes.
  /// Idempotent. Not from a handler: it joins the io threads. A Respond may outlive the server.
  virtual void stop(std::chrono::milliseconds grace) = 0;
  [[nodiscard]] virtual std::size_t connections() const = 0;
  /// Closes those that `must_go` names, whatever they are doing, soon after it returns: a request
  /// that is read meanwhile is decided by on_head, one that was let pass before is found here. Any
  /// thread; `must_go` is called on the io threads.
  virtual void close_connections(std::function<bool(const ConnectionFacts&)> must_go) = 0;
  /// Requests that wait for their turn now.
  [[nodiscard]] virtual std::size_t waiting() const = 0;
};

}  // namespace vz::net
