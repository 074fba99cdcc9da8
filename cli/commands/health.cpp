// vectorizerctl health: whether a node is well, with its reasons; the exit status says it too.
#include <memory>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/client/endpoint.h"
#include "cli/commands/commands.h"
#include "cli/context/talk.h"
#include "cli/output/result.h"
#include "tools/drive/answer.h"

namespace vz::cli {
namespace {

using nlohmann::ordered_json;

constexpr long kTimeoutMs = 10'000;

constexpr std::string_view kFooter =
    "Example:\n"
    "  vectorizerctl health --endpoint http://127.0.0.1:15002\n\n"
    "0 healthy; 3 unhealthy, but it serves (full disk, damaged segment, little memory); 4 it does\n"
    "not serve (loading, failed log); 13 there is no answer.\n\n";

struct Options {
  EndpointOptions endpoint;
  OutputFormat output = OutputFormat::kTable;
};

/// The answer of a node, well or not. Errors: those of drive::call_json.
Result<ordered_json> ask(const drive::Endpoint& endpoint) {
  drive::HttpClient http(endpoint, kTimeoutMs);
  VZ_TRY_ASSIGN(const auto answer, http.request("GET", "/health", ""));
  ordered_json said = ordered_json::parse(answer.body, nullptr, false);
  const bool ours = said.is_object() && said.contains("status") && said.contains("checks");
  if (ours && (answer.status == 200 || answer.status == 503)) return said;
  if (answer.status != 200) return drive::refused("GET /health", answer.status, answer.body);
  return fail(ErrorCode::kIncompatible,
              "GET /health answered without checks: no node of ours: " + endpoint.base_url());
}

ExitCode exit_code_of_health(const ordered_json& health) {
  if (health["status"] == "healthy") return ExitCode::kOk;
  return health.value("ready", false) ? ExitCode::kPartial : ExitCode::kFindings;
}

void run(const Options& options, Context& context) {
  const auto endpoint = parse_endpoint(options.endpoint);
  if (!endpoint) return report_error(endpoint.error(), "health", context);
  const auto health = ask(*endpoint);
  if (!health) return report_error(with_endpoint_hint(health.error()), "health", context);
  ordered_json out = {{"schema", "vectorizerctl.health/1"}, {"endpoint", endpoint->base_url()}};
  out.update(*health);
  print_result(out, options.output, context.out);
  context.exit_code = exit_code_of_health(*health);
}

}  // namespace

void add_health_command(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();  // Shared with the callback, which outlives this.
  auto* command = app.add_subcommand("health", "Whether a node is well, and why not");
  add_endpoint_option(*command, options->endpoint);
  add_output_option(*command, options->output);
  command->footer(std::string(kFooter) + exit_code_help());
  command->callback([options, &context] { run(*options, context); });
}

}  // namespace vz::cli
