// A node as a child process that can be killed at any moment.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <sys/types.h>

#include "storage/base/status.h"

namespace vz::drive {

struct ServerOptions {
  std::string binary;
  std::string data_dir;
  std::string log_file;                ///< its stdout and stderr are appended here
  std::uint16_t port = 0;              ///< on 127.0.0.1
  std::vector<std::string> arguments;  ///< further ones for `serve`
};

/// Not thread-safe. The child dies with the process that started it.
class ServerProcess {
 public:
  explicit ServerProcess(ServerOptions options);
  ~ServerProcess();  ///< kills
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  /// Errors: kIoError. Does not wait until it is ready.
  Status start();
  /// Polls /readyz. Errors: kUnavailable (it ended, with its status), kDeadline.
  Status wait_ready(int timeout_ms);
  /// SIGKILL. Errors: kInternal if it had ended by itself before.
  Status kill_now();
  /// SIGTERM. Errors: kInternal if its exit status is not 0, kDeadline.
  Status stop(int timeout_ms);

  [[nodiscard]] std::string base_url() const;
  /// -1: not running.
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  ServerOptions options_;
  pid_t pid_ = -1;
};

/// A port that was free a moment ago; 0 if there is none.
std::uint16_t free_port();

}  // namespace vz::drive
