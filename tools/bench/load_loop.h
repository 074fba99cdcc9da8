// Drives a server with prebuilt requests from several connections, one thread each.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "storage/base/status.h"

namespace vz::bench {

struct LoopOptions {
  std::uint16_t port = 0;  ///< on 127.0.0.1
  unsigned connections = 1;
  std::chrono::duration<double> duration{3};
};

/// What the answered requests of a loop took.
struct Load {
  double per_second = 0;
  std::vector<double> micros;  ///< of each, in no order
};

// All: errors are kUnavailable (no answer) and kInternal (an answer other than 200, quoted).
// Connections are made before the clock starts.

/// Each connection sends its next request when its last one was answered.
Result<Load> closed_loop(const LoopOptions& options, std::span<const std::string> requests);

/// `rate` requests a second in all, each at its time, whatever became of those before it. A latency
/// counts from the time at which its request was due: what waits because the server is slow counts
/// as slow ("coordinated omission"). A server that cannot keep up is given as long as it needs.
Result<Load> open_loop(const LoopOptions& options, double rate,
                       std::span<const std::string> requests);

struct Sent {
  double seconds = 0;             ///< from the first request to the last answer
  std::vector<std::size_t> last;  ///< each connection's last request, by index
};

/// Every request once, in order, over so many connections.
Result<Sent> send_each(std::uint16_t port, unsigned connections,
                       std::span<const std::string> requests);

}  // namespace vz::bench
