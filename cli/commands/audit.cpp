// vectorizerctl audit tail | query | verify: who did what on a node, and whether its log is whole.
#include <filesystem>
#include <memory>
#include <optional>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/client/endpoint.h"
#include "cli/commands/commands.h"
#include "cli/commands/node_command.h"
#include "cli/context/talk.h"
#include "cli/output/result.h"
#include "engine/audit/audit_log.h"
#include "engine/limits.h"
#include "tools/drive/answer.h"
#include "tools/drive/url.h"

namespace vz::cli {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr long kTimeoutMs = 120'000;

struct Options {
  EndpointOptions endpoint;
  OutputFormat output = OutputFormat::kTable;
  std::string since;
  std::string until;
  std::string actor;
  std::string action;
  std::string result;
  std::string directory;  ///< "": ask the node
  std::size_t limit = 20;
};

/// Errors: those of drive::call_json; kIncompatible: the answer has no `key`.
Result<json> ask(const Options& options, std::string_view method, const std::string& path,
                 const char* key) {
  VZ_TRY_ASSIGN(const drive::Endpoint endpoint, parse_endpoint(options.endpoint));
  drive::HttpClient http(endpoint, kTimeoutMs);
  VZ_TRY_ASSIGN(json said, drive::call_json(http, method, path, ""));
  if (said.is_object() && said.contains(key)) return said;
  return fail(ErrorCode::kIncompatible, path + " answered without " + key);
}

std::string query_path(const Options& options) {
  std::string path = "/admin/audit?limit=" + std::to_string(options.limit);
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) path += std::string("&") + name + "=" + drive::path_part(value);
  };
  add("since", options.since);
  add("until", options.until);
  add("actor", options.actor);
  add("action", options.action);
  add("result", options.result);
  return path;
}

/// As a table what fits a line; as JSON all of it.
ordered_json row_of(const json& event, OutputFormat format) {
  ordered_json row = ordered_json::object();
  if (format == OutputFormat::kJson) {
    for (const char* key : {"seq", "time", "actor", "ip", "action", "target", "detail", "result",
                            "status", "request_id", "count", "prev", "hash"})
      row[key] = event.value(key, json());
    return row;
  }
  row["time"] = short_time(event.value("time", ""));
  for (const char* key : {"actor", "ip", "action", "target", "detail", "status", "count"})
    row[key] = event.value(key, json());
  return row;
}

void show_events(const std::string& verb, const Options& options, Context& context) {
  const std::string command = "audit " + verb;
  const auto said = ask(options, "GET", query_path(options), "events");
  if (!said) return report_error(with_endpoint_hint(said.error()), command, context);
  ordered_json out = {{"schema", "vectorizerctl.audit." + verb + "/1"},
                      {"count", (*said)["events"].size()}};
  out["events"] = ordered_json::array();
  for (const json& event : (*said)["events"])
    out["events"].push_back(row_of(event, options.output));
  print_result(out, options.output, context.out);
}

ordered_json json_of(const audit::Verdict& verdict) {
  ordered_json out = {{"sound", verdict.sound()}, {"files", verdict.files},
                      {"lines", verdict.lines},   {"first_seq", verdict.head.first_seq},
                      {"seq", verdict.head.seq},  {"hash", to_hex(verdict.head.hash)}};
  ordered_json& problems = out["problems"] = ordered_json::array();
  for (const audit::Problem& problem : verdict.problems)
    problems.push_back({{"file", problem.file}, {"line", problem.line}, {"what", problem.what}});
  return out;
}

/// The node's word on its own log.
Result<ordered_json> ask_verdict(const Options& options) {
  VZ_TRY_ASSIGN(const json said, ask(options, "POST", "/admin/audit/verify", "sound"));
  const json head = said.value("head", json::object());
  ordered_json out = {{"sound", said["sound"]}};
  for (const char* key : {"files", "lines"}) out[key] = said.value(key, json());
  for (const char* key : {"first_seq", "seq", "hash"}) out[key] = head.value(key, json());
  ordered_json& problems = out["problems"] = ordered_json::array();
  for (const json& problem : said.value("problems", json::array()))
    problems.push_back({{"file", problem.value("file", json())},
                        {"line", problem.value("line", json())},
                        {"what", problem.value("what", json())}});
  return out;
}

Result<ordered_json> read_verdict(const std::string& directory) {
  const auto env = make_posix_env();
  std::error_code ignored;
  const std::string given = std::filesystem::absolute(directory, ignored).lexically_normal();
  std::string where = given.ends_with('/') ? given.substr(0, given.size() - 1) : given;
  if (is_directory(*env, where + "/log")) where += "/log";  // It is a data directory.
  if (!is_directory(*env, where)) return fail(ErrorCode::kNotFound, where + " is not a directory");
  VZ_TRY_ASSIGN(const audit::Verdict verdict, audit::verify(*env, where));
  if (verdict.files == 0 && verdict.sound())
    return fail(ErrorCode::kNoData, "there is no audit log in " + where);
  return json_of(verdict);
}

void verify(const Options& options, Context& context) {
  constexpr std::string_view kCommand = "audit verify";
  const auto verdict =
      options.directory.empty() ? ask_verdict(options) : read_verdict(options.directory);
  if (!verdict) {
    const bool online = options.directory.empty();
    return report_error(online ? with_endpoint_hint(verdict.error()) : verdict.error(), kCommand,
                        context);
  }
  ordered_json out = {{"schema", "vectorizerctl.audit.verify/1"}};
  out.update(*verdict);
  print_result(out, options.output, context.out);
  if (out["sound"] != true) context.exit_code = ExitCode::kFindings;
}

CLI::App& add_one(CLI::App& audit, const std::string& name, const std::string& text,
                  const std::shared_ptr<Options>& options, const std::string& footer) {
  return add_node_command(audit, name, text, footer + "\n", options->endpoint, options->output);
}

void add_limit(CLI::App& command, const std::shared_ptr<Options>& options) {
  command.add_option("--limit", options->limit, "The newest so many")
      ->check(CLI::Range(std::size_t{1}, limits::kAuditPageMax))
      ->capture_default_str();
}

}  // namespace

void add_audit_command(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();  // Shared with the callbacks, which outlive this.
  auto* audit = app.add_subcommand("audit", "Who did what on a node");
  audit->require_subcommand(1);
  auto& tail = add_one(*audit, "tail", "The newest events", options,
                       "Example:\n  vectorizerctl audit tail --limit 50");
  add_limit(tail, options);
  tail.callback([options, &context] { show_events("tail", *options, context); });

  auto& query =
      add_one(*audit, "query", "The events that fit", options,
              "Example:\n"
              "  vectorizerctl audit query --result refused --since 2026-12-01T00:00:00Z");
  query.add_option("--since", options->since, "From this time on, as 2026-12-01T00:00:00Z");
  query.add_option("--until", options->until, "Before this time");
  query.add_option("--actor", options->actor, "Id of a key, loopback, anyone, unknown or node");
  query.add_option("--action", options->action, "What the action contains, as \"DELETE\"");
  query.add_option("--result", options->result, "ok, refused or failed")
      ->check(CLI::IsMember({"ok", "refused", "failed"}));
  add_limit(query, options);
  query.callback([options, &context] { show_events("query", *options, context); });

  auto& checking = add_one(
      *audit, "verify", "Whether lines were changed, taken out or cut off", options,
      "Examples:\n"
      "  vectorizerctl audit verify\n"
      "  vectorizerctl audit verify /var/lib/vectorizer\n\n"
      "Without DIR the node looks; with it the files are read here, whether a node runs or not.\n"
      "Exit status 4: it is not whole. Each line carries the hash of the one before it, so "
      "whoever\n"
      "can rewrite all of it can hide what he did: keep the hash of `verify` somewhere else.");
  audit->footer(
      "Examples:\n"
      "  vectorizerctl audit tail\n"
      "  vectorizerctl audit query --actor loopback --action DELETE\n"
      "  vectorizerctl audit verify /var/lib/vectorizer\n\n" +
      exit_code_help());
  checking.add_option("DIR", options->directory, "Data directory, or the folder of the log");
  checking.callback([options, &context] { verify(*options, context); });
}

}  // namespace vz::cli
