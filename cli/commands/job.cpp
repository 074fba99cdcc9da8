// vectorizerctl job list | show | wait | cancel: the long work of a node.
#include <cmath>
#include <memory>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/commands/commands.h"
#include "cli/commands/job_shared.h"
#include "cli/context/talk.h"
#include "engine/payload/datetime.h"
#include "tools/drive/jobs_api.h"

namespace vz::cli {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr long kTimeoutMs = 30'000;

struct Options : JobOptions {
  std::string id;
};

std::optional<std::int64_t> time_us_of(const json& job, const char* key) {
  const auto found = job.find(key);
  if (found == job.end() || !found->is_string()) return std::nullopt;
  return payload::parse_datetime(found->get<std::string>());
}

/// Of all that a job has, what fits a line.
ordered_json short_row(const json& job) {
  ordered_json row = ordered_json::object();
  const ordered_json fields = fields_of_job(job);
  for (const char* key : {"job_id", "status", "percent", "object", "started_at"})
    row[key] = fields[key];
  const auto started = time_us_of(job, "started_at");
  const auto ended = time_us_of(job, "ended_at");
  if (fields["started_at"].is_string())
    row["started_at"] = short_time(fields["started_at"].get<std::string>());
  row["seconds"] = started && ended
                       ? ordered_json(std::round(static_cast<double>(*ended - *started) / 1e5) / 10)
                       : ordered_json();
  return row;
}

void list(const Options& options, Context& context) {
  const auto endpoint = parse_endpoint(options.endpoint);
  if (!endpoint) return report_error(endpoint.error(), "job list", context);
  drive::HttpClient http(*endpoint, kTimeoutMs);
  const auto jobs = drive::list_jobs(http);
  if (!jobs) return report_error(with_endpoint_hint(jobs.error()), "job list", context);
  ordered_json out = {{"schema", "vectorizerctl.job.list/1"}, {"count", jobs->size()}};
  out["jobs"] = ordered_json::array();
  const bool table = options.output == OutputFormat::kTable;
  for (const json& job : *jobs) out["jobs"].push_back(table ? short_row(job) : fields_of_job(job));
  print_result(out, options.output, context.out);
}

void show(const Options& options, Context& context) {
  const auto endpoint = parse_endpoint(options.endpoint);
  if (!endpoint) return report_error(endpoint.error(), "job show", context);
  drive::HttpClient http(*endpoint, kTimeoutMs);
  const auto job = drive::find_job(http, options.id);
  if (!job) return report_error(with_endpoint_hint(job.error()), "job show", context);
  print_job(*job, options, context);
}

void cancel(const Options& options, Context& context) {
  const auto endpoint = parse_endpoint(options.endpoint);
  if (!endpoint) return report_error(endpoint.error(), "job cancel", context);
  drive::HttpClient http(*endpoint, kTimeoutMs);
  const auto job = drive::cancel_job(http, options.id);
  if (!job) return report_error(with_endpoint_hint(job.error()), "job cancel", context);
  if ((*job)["status"] != "running" || !waits(options, context))
    return print_job(*job, options, context);
  const auto ended = await_job(options.id, "job cancel", options, context);
  if (!ended || (*ended)["status"] == "cancelled") return;
  if (const Status outcome = drive::outcome_of_job(*ended); !outcome)
    report_error(outcome.error(), "job cancel", context);
}

std::shared_ptr<Options> add_one(CLI::App& job, const std::string& name, const std::string& text,
                                 const std::string& footer, CLI::App*& command) {
  auto options = std::make_shared<Options>();  // Shared with the callback, which outlives this.
  command = job.add_subcommand(name, text);
  add_ask_options(*command, *options);
  command->footer(footer + "\n" + exit_code_help());
  return options;
}

void add_id(CLI::App& command, Options& options) {
  command.add_option("ID", options.id, "As job list prints it")
      ->required()
      ->check([](const std::string& id) { return std::string(id.empty() ? "it is empty" : ""); });
}

}  // namespace

void add_job_command(CLI::App& app, Context& context) {
  auto* job = app.add_subcommand("job", "The long work of a node");
  job->require_subcommand(1);
  CLI::App* command = nullptr;

  auto listing = add_one(*job, "list", "List what runs and what has ended, newest first",
                         "Example:\n"
                         "  vectorizerctl job list -o json | jq '.jobs[] | select(.status == "
                         "\"running\")'\n",
                         command);
  command->callback([listing, &context] { list(*listing, context); });

  auto showing = add_one(*job, "show", "Show a job and its result",
                         "Example:\n  vectorizerctl job show optimize-1\n", command);
  add_id(*command, *showing);
  command->callback([showing, &context] { show(*showing, context); });

  auto waiting = add_one(*job, "wait", "Wait until a job has ended",
                         "Example:\n"
                         "  vectorizerctl job wait optimize-1 --timeout 10m\n\n"
                         "The exit status is 0 when it completed, 1 when it was cancelled, 14 when "
                         "the time was\nup, else what its error stands for.\n",
                         command);
  add_id(*command, *waiting);
  add_wait_options(*command, *waiting);
  command->callback(
      [waiting, &context] { await_outcome(waiting->id, "job wait", *waiting, context); });

  auto cancelling = add_one(*job, "cancel", "Ask a job to end",
                            "Example:\n"
                            "  vectorizerctl job cancel compact-3\n\n"
                            "It ends at its next safe point and leaves the old state or the new "
                            "one.\n",
                            command);
  add_id(*command, *cancelling);
  add_start_options(*command, *cancelling);
  command->callback([cancelling, &context] { cancel(*cancelling, context); });

  job->footer(
      "Examples:\n"
      "  vectorizerctl job list\n"
      "  vectorizerctl job wait optimize-1\n\n" +
      exit_code_help());
}

}  // namespace vz::cli
