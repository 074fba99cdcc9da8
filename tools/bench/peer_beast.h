// A Boost.Beast server that reads requests and does nothing: what HTTP alone costs.
#pragma once

#include <cstdint>
#include <memory>

#include "storage/base/status.h"

namespace vz::bench {

/// Answers every request with the same 500 bytes of JSON. One io_context, TCP_NODELAY, keep-alive;
/// reads each body whole. Runs in its own threads until destruction.
class DoNothingServer {
 public:
  /// On any free port of 127.0.0.1. Errors: kUnavailable.
  static Result<std::unique_ptr<DoNothingServer>> start(unsigned threads);
  ~DoNothingServer();
  DoNothingServer(const DoNothingServer&) = delete;
  DoNothingServer& operator=(const DoNothingServer&) = delete;

  [[nodiscard]] std::uint16_t port() const;

 private:
  struct State;
  explicit DoNothingServer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace vz::bench
