// Drives a server with prebuilt requests from several connections, one thread each.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "storage/base/status.h"
#include "tools/drive/endpoint.h"

namespace vz::bench {

/// What an answer other than 200 does to a loop.
enum class Refusals : std::uint8_t { kEndTheLoop, kAreCounted };

struct LoopOptions {
  drive::Endpoint endpoint;
  unsigned connections = 1;
  std::chrono::duration<double> duration{3};
  Refusals refusals = Refusals::kEndTheLoop;
};

/// What the requests of a loop that were answered with 200 took.
struct Load {
  double seconds = 0;
  double per_second = 0;
  std::vector<double> micros;  ///< of each, in no order
  std::uint64_t refused = 0;   ///< other answers
  std::string first_refusal;   ///< one of them, quoted
};

// All: errors are kUnavailable (no answer) and those of drive/answer.h (an answer other than 200,
// unless they are counted). Connections are made before the clock starts.

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
  std::vector<double> micros;     ///< of each request, in no order
};

/// Every request once, in order, over so many connections.
Result<Sent> send_each(const drive::Endpoint& endpoint, unsigned connections,
                       std::span<const std::string> requests);

}  // namespace vz::bench
