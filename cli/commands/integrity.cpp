// vectorizerctl integrity check | status: has a running node read its files again, and says what it
// found.
#include <algorithm>
#include <initializer_list>
#include <memory>
#include <optional>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/client/endpoint.h"
#include "cli/commands/commands.h"
#include "cli/commands/limit_rate.h"
#include "cli/context/talk.h"
#include "cli/output/result.h"
#include "tools/drive/answer.h"

namespace vz::cli {
namespace {

using nlohmann::ordered_json;

constexpr long kTimeoutMs = 30'000;
constexpr long kNoTimeout = 0;  ///< it lasts as long as the data is large
constexpr std::uint64_t kBytesPerMb = 1'000'000;
constexpr const char* kPath = "/admin/integrity-check";

struct Options {
  EndpointOptions endpoint;
  std::vector<std::string> collections;
  bool deep = false;
  bool detach = false;
  std::string limit_rate;
  OutputFormat output = OutputFormat::kTable;
};

constexpr std::string_view kExit =
    "0 nothing was found but notes (or it was begun, or runs still, or never ran); 3 the last "
    "check "
    "did not\ncomplete, without damage so far; 4 damage was found, mended or not; 13 there is no "
    "answer.\n\n";

Result<ordered_json> ask(const Options& options, long timeout_ms, std::string_view method,
                         const std::string& path, const std::string& body = "") {
  VZ_TRY_ASSIGN(const drive::Endpoint endpoint, parse_endpoint(options.endpoint));
  drive::HttpClient http(endpoint, timeout_ms);
  VZ_TRY_ASSIGN(const auto answer, http.request(method, path, body));
  const std::string call = std::string(method) + " " + path;
  if (answer.status != 200 && answer.status != 202)
    return drive::refused(call, answer.status, answer.body);
  ordered_json said = ordered_json::parse(answer.body, nullptr, false);
  if (said.is_object() && said.contains("status") && said["status"].is_string()) return said;
  return fail(ErrorCode::kIncompatible,
              call + " answered without a status: no node of ours: " + endpoint.base_url());
}

std::uint64_t number(const ordered_json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number() ? found->get<std::uint64_t>() : 0;
}

ExitCode exit_code_of_check(const ordered_json& said) {
  if (number(said, "errors") + number(said, "warnings") > 0) return ExitCode::kFindings;
  const auto status = said["status"].get<std::string>();
  const bool well = status == "completed" || status == "running" || status == "never_run";
  return well ? ExitCode::kOk : ExitCode::kPartial;
}

void finish(const Result<ordered_json>& said, const std::string& command, const Options& options,
            Context& context) {
  if (!said) return report_error(with_endpoint_hint(said.error()), "integrity " + command, context);
  ordered_json out = {{"schema", "vectorizerctl.integrity." + command + "/1"}};
  out.update(*said);
  print_result(out, options.output, context.out);
  context.exit_code = exit_code_of_check(*said);
}

/// Errors: kInvalidArgument.
Result<std::string> body_of(const Options& options) {
  ordered_json body = ordered_json::object();
  if (!options.collections.empty()) body["collections"] = options.collections;
  if (options.deep) body["deep"] = true;
  if (!options.limit_rate.empty()) {
    VZ_TRY_ASSIGN(const std::uint64_t bytes, parse_limit_rate(options.limit_rate));
    if (bytes < kBytesPerMb)
      return fail(ErrorCode::kInvalidArgument,
                  "--limit-rate: expected at least 1MB a second, found " + options.limit_rate);
    body["rate_limit_mb_per_s"] = bytes / kBytesPerMb;
  }
  return body.dump();
}

void check(const Options& options, Context& context) {
  const auto body = body_of(options);
  if (!body) return report_error(body.error(), "integrity check", context);
  const std::string path = options.detach ? kPath : std::string(kPath) + "?wait=true";
  finish(ask(options, options.detach ? kTimeoutMs : kNoTimeout, "POST", path, *body), "check",
         options, context);
}

void status(const Options& options, Context& context) {
  finish(ask(options, kTimeoutMs, "GET", std::string(kPath) + "/status"), "status", options,
         context);
}

using Run = void (*)(const Options&, Context&);

CLI::App& add_one(CLI::App& integrity, const std::string& name, const std::string& text,
                  const std::string& footer, Run run, const std::shared_ptr<Options>& options,
                  Context& context) {
  auto* command = integrity.add_subcommand(name, text);
  add_endpoint_option(*command, options->endpoint);
  add_output_option(*command, options->output);
  command->footer(footer + std::string(kExit) + exit_code_help());
  command->callback([options, run, &context] { run(*options, context); });
  return *command;
}

}  // namespace

void add_integrity_command(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();  // Shared with the callbacks, which outlive this.
  auto* integrity =
      app.add_subcommand("integrity", "Whether the files of a running node are whole");
  integrity->require_subcommand(1);
  auto& one = add_one(
      *integrity, "check", "Have the node read its files again, and wait for the verdict",
      "Examples:\n"
      "  vectorizerctl integrity check\n"
      "  vectorizerctl integrity check --collection docs --deep --limit-rate 20MB/s -o json\n"
      "  vectorizerctl integrity check --detach; vectorizerctl integrity status\n\n"
      "The node goes on serving, and reads 64 MB a second unless told otherwise. It makes again "
      "what can be\nmade from the rest, and takes a segment whose rows are damaged out of service: "
      "health says so.\nIt reads what the system gives it, which may be memory: rot that the disk "
      "alone knows of is found once\nthe system has let go of its copy. Interrupted by ^C the "
      "check "
      "goes on; DELETE /admin/jobs/ID ends it.\n\n",
      check, options, context);
  one.add_option("--collection", options->collections,
                 "Check the files of this collection and the log alone; may be repeated")
      ->check(CLI::Validator(
          [](const std::string& name) { return name.empty() ? "expected a name" : std::string(); },
          "NAME"));
  one.add_flag("--deep", options->deep,
               "Also SHA-256, each vector and payload, row hashes, digests, indexes");
  one.add_flag("--detach", options->detach, "Print the job, and do not wait for its end");
  one.add_option("--limit-rate", options->limit_rate,
                 "Read at most so much a second, such as 20MB/s");
  add_one(*integrity, "status", "What the check that was begun last has found",
          "Example:\n  vectorizerctl integrity status -o json\n\n", status, options, context);
  integrity->footer(
      "Examples:\n"
      "  vectorizerctl integrity check --deep\n"
      "  vectorizerctl integrity status -o json\n\n" +
      exit_code_help());
}

}  // namespace vz::cli
