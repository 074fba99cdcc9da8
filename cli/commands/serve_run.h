// Running a node in the foreground until a signal ends it.
#pragma once

#include <chrono>
#include <string>

#include "cli/context/context.h"
#include "engine/server/server.h"
#include "storage/base/log.h"

namespace vz::cli {

struct ServeOptions {
  server::ServerOptions server;
  LogLevel log_level = LogLevel::kInfo;
  LogFormat log_format = LogFormat::kText;
  std::chrono::seconds poisoned_exit_after{60};  ///< 0: never
};

/// HOST:PORT, [IPv6]:PORT or localhost:PORT. Errors: kInvalidArgument naming the flag.
Result<net::Listener> parse_listener(const std::string& text, const std::string& flag);

/// Serves until SIGTERM or SIGINT, then stops gracefully; a second signal ends the process at once
/// with 128+N. What stopped it is one line on context.err.
/// Call it from the main thread before any other thread exists: it blocks the signals for all.
ExitCode serve(const ServeOptions& options, Context& context);

}  // namespace vz::cli
