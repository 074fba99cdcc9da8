#include "cli/commands/serve_run.h"

#include <charconv>
#include <csignal>
#include <ostream>
#include <thread>

#include <malloc.h>
#include <pthread.h>
#include <unistd.h>

#include "cli/context/talk.h"
#include "engine/node/idle_trim.h"
#include "storage/env/env.h"

namespace vz::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kGrace{10'000};
constexpr int kMmapThresholdBytes = 2 << 20;    ///< above most request bodies
constexpr long kPollNanoseconds = 100'000'000;  ///< how soon a failed log is noticed

sigset_t ending_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  return signals;
}

/// Ends the process at the next signal, for as long as it lives.
class SecondSignal {
 public:
  SecondSignal() {
    std::thread([] {
      pthread_setname_np(pthread_self(), "vz-signal");
      const sigset_t signals = ending_signals();
      int number = 0;
      if (sigwait(&signals, &number) == 0) _exit(static_cast<int>(ExitCode::kSignalBase) + number);
    }).detach();
  }
};

/// Arrays of memtables and indexes go back to the kernel when they are freed. Without a fixed
/// threshold malloc raises its own with each of them, and keeps the next in its heaps.
void return_memory_early() {
  mallopt(M_MMAP_THRESHOLD, kMmapThresholdBytes);
  mallopt(M_TRIM_THRESHOLD, node::IdleTrim::kBusyThresholdBytes);
}

ExitCode failed(Context& context, const Error& error) {
  report_error(error, "serve", context);
  return context.exit_code;
}

/// What ended the wait.
struct Ending {
  int signal = 0;  ///< 0: not a signal
  bool poisoned = false;
  Status loaded = {};  ///< the error if the node did not open
};

Ending wait_for_end(server::Server& server, const ServeOptions& options) {
  const sigset_t signals = ending_signals();
  std::optional<Clock::time_point> poisoned_since;
  bool told = false;
  while (true) {
    const timespec timeout{.tv_sec = 0, .tv_nsec = kPollNanoseconds};
    const int signal = sigtimedwait(&signals, nullptr, &timeout);
    if (signal > 0) return {.signal = signal, .loaded = {}};
    const server::Phase phase = server.phase();
    if (phase == server::Phase::kFailed) return {.loaded = server.wait_until_loaded()};
    if (phase != server::Phase::kServing) continue;
    if (!told) LogEvent(LogLevel::kInfo, "ready").with("lsn", server.node()->visible_lsn());
    told = true;
    if (!server.node()->poisoned()) continue;
    if (!poisoned_since) {
      poisoned_since = Clock::now();
      LogEvent(LogLevel::kError, "log_failed")
          .with("exit_after_seconds", options.poisoned_exit_after.count());
    }
    if (options.poisoned_exit_after.count() > 0 &&
        Clock::now() - *poisoned_since >= options.poisoned_exit_after)
      return {.poisoned = true, .loaded = {}};
  }
}

}  // namespace

Result<net::Listener> parse_listener(const std::string& text, const std::string& flag) {
  const auto wrong = [&] {
    return fail(ErrorCode::kInvalidArgument,
                flag + " '" + text.substr(0, 128) +
                    "' is not HOST:PORT, such as 127.0.0.1:15002 or [::1]:15002");
  };
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0) return wrong();
  std::string host = text.substr(0, colon);
  if (host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string::npos) {
    return wrong();
  }
  if (host == "localhost") host = "127.0.0.1";
  const std::string digits = text.substr(colon + 1);
  std::uint16_t port = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (digits.empty() || read.ec != std::errc{} || read.ptr != digits.data() + digits.size())
    return wrong();
  return net::Listener{.address = host, .port = port};
}

ExitCode serve(const ServeOptions& options, Context& context) {
  const sigset_t signals = ending_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);  // Inherited by every thread that follows.
  std::signal(SIGPIPE, SIG_IGN);
  configure_log(options.log_level, options.log_format);
  return_memory_early();

  const std::unique_ptr<Env> env = make_posix_env();
  auto started = server::Server::start(*env, options.server);
  if (!started) return failed(context, started.error());
  server::Server& server = **started;
  if (options.server.access == api::Access::kInsecure)
    LogEvent(LogLevel::kWarn, "insecure")
        .with("detail", "without API keys: whoever reaches the port is let in");
  LogEvent(LogLevel::kInfo, "listening")
      .with("address", options.server.listen.address)
      .with("port", server.port())
      .with("qdrant_port", server.qdrant_port())
      .with("data_dir", options.server.node.data_dir)
      .with("version", options.server.version);

  const Ending ending = wait_for_end(server, options);
  if (ending.poisoned) {
    // Nothing more may be written; closing would only try to.
    context.err
        << "vectorizerctl serve: the log failed: see event=log_failed; restart to recover\n";
    context.err.flush();
    _exit(static_cast<int>(ExitCode::kFailed));
  }
  const SecondSignal second;
  LogEvent(LogLevel::kInfo, "stopping").with("signal", ending.signal);
  const Status stopped = server.stop(kGrace);
  if (!ending.loaded) return failed(context, ending.loaded.error());
  if (!stopped) return failed(context, stopped.error());
  LogEvent(LogLevel::kInfo, "stopped").with("signal", ending.signal);
  return ExitCode::kOk;
}

}  // namespace vz::cli
