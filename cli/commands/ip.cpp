// vectorizerctl ip block | unblock | list: addresses that may not call a node.
#include <memory>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/client/endpoint.h"
#include "cli/commands/commands.h"
#include "cli/commands/node_command.h"
#include "cli/context/talk.h"
#include "cli/output/result.h"
#include "engine/limits.h"
#include "tools/drive/security_api.h"

namespace vz::cli {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr long kTimeoutMs = 30'000;

struct Options {
  EndpointOptions endpoint;
  OutputFormat output = OutputFormat::kTable;
  std::vector<std::string> ips;
  std::string reason;
  double ttl_seconds = 0;  ///< 0: for good
  bool force = false;
};

ordered_json row_of(const json& rule, OutputFormat format) {
  ordered_json row = ordered_json::object();
  for (const char* name : {"ip", "created_at", "expires_at", "reason"}) {
    const json value = rule.value(name, json());
    const bool is_time = value.is_string() && std::string_view(name).ends_with("_at");
    row[name] = is_time && format == OutputFormat::kTable
                    ? ordered_json(short_time(value.get<std::string>()))
                    : ordered_json(value);
  }
  return row;
}

/// Calls ask(http), and prints the rules that hold then.
template <typename Ask>
void run(const std::string& verb, const Options& options, Context& context, const Ask& ask) {
  const std::string command = "ip " + verb;
  const auto endpoint = parse_endpoint(options.endpoint);
  if (!endpoint) return report_error(endpoint.error(), command, context);
  drive::HttpClient http(*endpoint, kTimeoutMs);
  const auto rules = ask(http);
  if (!rules) return report_error(with_endpoint_hint(rules.error()), command, context);
  ordered_json out = {{"schema", "vectorizerctl.ip." + verb + "/1"}, {"count", rules->size()}};
  out["rules"] = ordered_json::array();
  for (const json& rule : *rules) out["rules"].push_back(row_of(rule, options.output));
  print_result(out, options.output, context.out);
}

void block(const Options& options, Context& context) {
  json request = {{"ips", options.ips}, {"reason", options.reason}, {"force", options.force}};
  if (options.ttl_seconds > 0)
    request["ttl_seconds"] = static_cast<std::int64_t>(options.ttl_seconds);
  run("block", options, context,
      [&](drive::HttpClient& http) { return drive::block_ips(http, request); });
}

std::shared_ptr<Options> add_one(CLI::App& ip, const std::string& name, const std::string& text,
                                 const std::string& footer, CLI::App*& command) {
  auto options = std::make_shared<Options>();  // Shared with the callback, which outlives this.
  command = &add_node_command(ip, name, text, footer, options->endpoint, options->output);
  return options;
}

void add_ips(CLI::App& command, Options& options) {
  command.add_option("IP", options.ips, "Addresses and ranges: 1.2.3.4, 10.0.0.0/8, 2001:db8::/32")
      ->required();
}

void add_block(CLI::App& ip, Context& context) {
  CLI::App* command = nullptr;
  auto options = add_one(ip, "block", "Let in nobody from these addresses",
                         "Example:\n"
                         "  vectorizerctl ip block 1.2.3.4 10.0.0.0/8 --ttl 1d --reason scan\n\n"
                         "Their open connections are closed. It survives restarts and restores.\n",
                         command);
  add_ips(*command, *options);
  add_duration_option(*command, "--ttl", options->ttl_seconds,
                      "For how long, such as 90s, 30m, 2h or 7d; without it until it is unblocked",
                      1.0, static_cast<double>(limits::kIpTtlSecondsMax));
  command->add_option("--reason", options->reason, "For who reads the list");
  command->add_flag("--force", options->force, "Though this command comes from one of them");
  command->callback([options, &context] { block(*options, context); });
}

}  // namespace

void add_ip_command(CLI::App& app, Context& context) {
  auto* ip = app.add_subcommand("ip", "Addresses that may not call a node");
  ip->require_subcommand(1);
  add_block(*ip, context);
  CLI::App* command = nullptr;
  auto unblocking = add_one(*ip, "unblock", "Let them in again",
                            "Example:\n  vectorizerctl ip unblock 1.2.3.4\n\n"
                            "Names exactly what was blocked; what was not is passed over.\n",
                            command);
  add_ips(*command, *unblocking);
  command->callback([unblocking, &context] {
    run("unblock", *unblocking, context,
        [&](drive::HttpClient& http) { return drive::unblock_ips(http, unblocking->ips); });
  });
  auto listing =
      add_one(*ip, "list", "List what is blocked", "Example:\n  vectorizerctl ip list\n", command);
  command->callback([listing, &context] { run("list", *listing, context, drive::list_ip_rules); });
  ip->footer(
      "Examples:\n"
      "  vectorizerctl ip block 1.2.3.4\n"
      "  vectorizerctl ip list\n\n" +
      exit_code_help());
}

}  // namespace vz::cli
