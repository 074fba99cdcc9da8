// vectorizerctl serve --data-dir DIR [--listen HOST:PORT] ...: the options and their checks.
#include <algorithm>
#include <charconv>
#include <iostream>
#include <memory>
#include <optional>
#include <thread>

#include <CLI/CLI.hpp>

#include "cli/commands/commands.h"
#include "cli/commands/serve_run.h"
#include "cli/context/context.h"
#include "cli/context/talk.h"
#include "engine/limits.h"

namespace vz::cli {
namespace {

struct Options {
  std::string data_dir = "./data";
  std::string listen = "127.0.0.1:15002";
  std::string qdrant_listen;
  bool insecure = false;
  bool no_trust_loopback = false;
  std::vector<std::string> trusted_proxies;
  std::string bootstrap_key_file;
  std::string log_format = "text";
  std::string log_level = "info";
  std::uint32_t seal_rows = node::NodeOptions{}.seal_rows;
  std::uint64_t seal_bytes = node::NodeOptions{}.seal_bytes;
  unsigned index_threads = std::clamp(std::thread::hardware_concurrency(), 1u, 64u);
  std::optional<std::uint64_t> disk_reserve_bytes;
  std::uint64_t memory_limit_bytes = 0;
  std::uint32_t poisoned_exit_after = 60;
  std::vector<std::string> restore_dirs = server::ServerOptions{}.restore_dirs;
};

constexpr std::string_view kFooter =
    "Example:\n"
    "  vectorizerctl serve --data-dir /var/lib/vectorizer --listen 127.0.0.1:15002\n\n"
    "Every option may come from the environment: --data-dir as VECTORIZERCTL_DATA_DIR.\n"
    "SIGTERM and SIGINT stop gracefully; a second one ends the process at once.\n"
    "A data directory that another process holds is 11, one that is not ours 10, one of a newer\n"
    "version 9, a damaged one 4, an address in use 6.\n\n";

LogLevel parse_level(const std::string& name) {
  if (name == "debug") return LogLevel::kDebug;
  if (name == "warn") return LogLevel::kWarn;
  if (name == "error") return LogLevel::kError;
  return LogLevel::kInfo;
}

/// Who may call. Errors: kInvalidArgument.
Status check_callers(const Options& options, server::ServerOptions& out) {
  if (options.insecure && options.no_trust_loopback)
    return fail(ErrorCode::kInvalidArgument,
                "--insecure lets everybody in, and --no-trust-loopback nobody without a key");
  out.access = options.insecure            ? api::Access::kInsecure
               : options.no_trust_loopback ? api::Access::kKeysOnly
                                           : api::Access::kLoopbackOnly;
  if (options.trusted_proxies.size() > limits::kTrustedProxiesMax)
    return fail(
        ErrorCode::kInvalidArgument,
        "--trusted-proxy: at most " + std::to_string(limits::kTrustedProxiesMax) + " are allowed");
  for (const std::string& text : options.trusted_proxies) {
    auto range = security::parse_cidr(text);
    if (!range) return while_doing(range.error(), "--trusted-proxy");
    out.trusted_proxies.push_back(*range);
  }
  out.bootstrap_key_file = options.bootstrap_key_file;
  return {};
}

Result<ServeOptions> checked(const Options& options) {
  ServeOptions out;
  VZ_TRY_ASSIGN(out.server.listen, parse_listener(options.listen, "--listen"));
  if (!options.qdrant_listen.empty()) {
    VZ_TRY_ASSIGN(out.server.qdrant_listen,
                  parse_listener(options.qdrant_listen, "--qdrant-listen"));
  }
  VZ_TRY(check_callers(options, out.server));
  out.server.version = VZ_VERSION;
  out.server.commit = VZ_COMMIT;
  out.server.io_threads = std::clamp(std::thread::hardware_concurrency(), 1u, 256u);
  out.server.pool_threads = out.server.io_threads;
  out.server.node.data_dir = options.data_dir;
  out.server.node.seal_rows = options.seal_rows;
  out.server.node.seal_bytes = options.seal_bytes;
  out.server.node.index_threads = options.index_threads;
  out.server.node.disk_reserve_bytes = options.disk_reserve_bytes;
  out.server.node.memory.limit_bytes = options.memory_limit_bytes;
  for (const std::string& directory : options.restore_dirs) {
    if (!directory.starts_with('/'))
      return fail(ErrorCode::kInvalidArgument,
                  "--restore-dir '" + directory + "' is not an absolute path");
  }
  out.server.restore_dirs = options.restore_dirs;
  out.log_level = parse_level(options.log_level);
  out.server.settings.log_level = out.log_level;
  out.log_format = options.log_format == "json" ? LogFormat::kJson : LogFormat::kText;
  out.poisoned_exit_after = std::chrono::seconds(options.poisoned_exit_after);
  return out;
}

}  // namespace

void add_serve_command(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();  // Shared with the callback, which outlives this.
  auto* command = app.add_subcommand("serve", "Run a node");
  const auto option = [&](const std::string& flag, auto& target, const std::string& text) {
    std::string variable = "VECTORIZERCTL_";
    for (const char c : flag.substr(2))
      variable += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    return command->add_option(flag, target, text)->envname(variable)->capture_default_str();
  };
  option("--data-dir", options->data_dir, "Directory of the node's data; made if it is absent");
  option("--listen", options->listen, "HOST:PORT of the HTTP interface; port 0 takes any");
  option("--qdrant-listen", options->qdrant_listen,
         "HOST:PORT of a second listener with the Qdrant routes at /");
  command
      ->add_flag("--insecure", options->insecure,
                 "Listen beyond this machine and let in whoever reaches the port")
      ->envname("VECTORIZERCTL_INSECURE");
  command
      ->add_flag("--no-trust-loopback", options->no_trust_loopback,
                 "Ask callers on this machine for a key too: for a node behind a local proxy")
      ->envname("VECTORIZERCTL_NO_TRUST_LOOPBACK");
  command
      ->add_option(
          "--trusted-proxy", options->trusted_proxies,
          "Addresses or ranges of proxies whose X-Forwarded-For says where a request comes "
          "from; commas between them")
      ->envname("VECTORIZERCTL_TRUSTED_PROXY")
      ->delimiter(',');
  option("--bootstrap-key-file", options->bootstrap_key_file,
         "Where to put an admin key, mode 0600, if the node has none that works");
  option("--log-format", options->log_format, "Log lines as text or json")
      ->check(CLI::IsMember({"text", "json"}));
  option("--log-level", options->log_level, "Lowest level logged: debug, info, warn or error")
      ->check(CLI::IsMember({"debug", "info", "warn", "error"}));
  option("--seal-rows", options->seal_rows, "Rows in memory before they become a segment")
      ->check(CLI::Range(1u, 1u << 20));
  option("--seal-bytes", options->seal_bytes, "Bytes of vectors in memory before that")
      ->check(CLI::Range(std::uint64_t{1} << 16, std::uint64_t{1} << 32));
  option("--index-threads", options->index_threads, "Threads that build indexes")
      ->check(CLI::Range(1u, 64u));
  command
      ->add_option("--disk-reserve-bytes", options->disk_reserve_bytes,
                   "Free space below which writes that grow the data are refused; 0 never. Without "
                   "it 5 % of the disk, at least 64 MiB and at most 1 GiB")
      ->envname("VECTORIZERCTL_DISK_RESERVE_BYTES");
  option("--memory-limit-bytes", options->memory_limit_bytes,
         "Memory of which 85 % refuse writes and 95 % searches; 0 asks the control group")
      ->check(CLI::Range(std::uint64_t{0}, std::uint64_t{1} << 50));
  option("--poisoned-exit-after", options->poisoned_exit_after,
         "Seconds from a failed log to exit 1; 0 never exits")
      ->check(CLI::Range(0u, 86'400u));
  command
      ->add_option("--restore-dir", options->restore_dirs,
                   "Directories that snapshots may be restored from over HTTP, besides snapshots/ "
                   "of the data; commas between them")
      ->envname("VECTORIZERCTL_RESTORE_DIR")
      ->delimiter(',')
      ->capture_default_str();
  command->footer(std::string(kFooter) + exit_code_help());
  command->callback([options, &context] {
    const auto valid = checked(*options);
    if (!valid) {
      report_error(valid.error(), "serve", context);
      return;
    }
    context.exit_code = serve(*valid, context);
  });
}

}  // namespace vz::cli
