#include "cli/commands/job_shared.h"

#include <algorithm>
#include <cmath>
#include <ostream>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/commands/node_command.h"
#include "cli/context/interrupt.h"
#include "cli/context/printable.h"
#include "cli/context/talk.h"
#include "cli/output/progress.h"
#include "tools/drive/jobs_api.h"

namespace vz::cli {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr long kTimeoutMs = 30'000;  ///< of one request
constexpr double kTimeoutSecondsMax = 366.0 * 86'400;
constexpr int kInterrupted = 128 + SIGINT;

/// Puts the members of `from` into `to`; those of an object within it get its key before theirs.
void flatten(const json& from, const std::string& prefix, ordered_json& to) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : from.items()) keys.push_back(key);
  // As it happens: by name it would be the other way round.
  std::stable_partition(keys.begin(), keys.end(), [](const auto& key) { return key == "before"; });
  for (const std::string& key : keys) {
    const json& value = from[key];
    if (value.is_object()) {
      flatten(value, prefix + key + "_", to);
    } else if (value.is_array()) {
      ordered_json rows = ordered_json::array();
      for (const json& one : value) {
        ordered_json row = ordered_json::object();
        flatten(one.is_object() ? one : json{{"value", one}}, "", row);
        rows.push_back(std::move(row));
      }
      to[prefix + key] = std::move(rows);
    } else {
      to[prefix + key] = value;
    }
  }
}

void say_how_to_wait(const std::string& id, Context& context) {
  context.err << "vectorizerctl job wait " << printable(id) << '\n';
}

}  // namespace

void add_ask_options(CLI::App& command, JobOptions& options) {
  add_endpoint_option(command, options.endpoint);
  add_output_option(command, options.output);
}

void add_wait_options(CLI::App& command, JobOptions& options) {
  add_duration_option(command, "--timeout", options.timeout_seconds,
                      "Longest wait, such as 90s, 30m or 2h", 0.0, kTimeoutSecondsMax);
}

void add_start_options(CLI::App& command, JobOptions& options) {
  auto* wait = command.add_flag("--wait", options.wait, "Wait for the end of the work");
  command.add_flag("--detach", options.detach, "Print the job's id, and do not wait")
      ->excludes(wait);
  add_wait_options(command, options);
}

bool waits(const JobOptions& options, const Context& context) {
  return options.wait || (!options.detach && context.err_is_terminal);
}

ordered_json fields_of_job(const json& job) {
  ordered_json out = ordered_json::object();
  for (const char* key : {"job_id", "kind", "object", "status"}) out[key] = job.value(key, json());
  if (out["object"] == "") out["object"] = nullptr;  // The whole node.
  const auto progress = job.find("progress");
  const bool known = progress != job.end() && progress->is_number();
  const double share = known ? std::clamp(progress->get<double>(), 0.0, 1.0) : 0;
  out["percent"] = known ? ordered_json(std::lround(share * 100)) : nullptr;
  for (const char* key : {"started_at", "ended_at"}) out[key] = job.value(key, json());
  for (const char* key : {"error", "result"})
    if (const json inner = job.value(key, json()); inner.is_object())
      flatten(inner, key == std::string("error") ? "error_" : "", out);
  return out;
}

void print_job(const json& job, const JobOptions& options, Context& context) {
  ordered_json out = {{"schema", "vectorizerctl.job/1"}};
  out.update(fields_of_job(job));
  print_result(out, options.output, context.out);
  if (job.value("status", "") == "running") say_how_to_wait(job.value("job_id", ""), context);
}

std::optional<json> await_job(const std::string& id, std::string_view command,
                              const JobOptions& options, Context& context) {
  const auto endpoint = parse_endpoint(options.endpoint);
  if (!endpoint) {
    report_error(endpoint.error(), command, context);
    return std::nullopt;
  }
  drive::HttpClient http(*endpoint, kTimeoutMs);
  const InterruptWatch interrupt;
  drive::JobWait wait;
  if (options.timeout_seconds > 0)
    wait.timeout = std::chrono::milliseconds(std::llround(options.timeout_seconds * 1'000));
  auto job = [&] {
    ProgressBar bar(context, printable(id));  // Gone before anything else is said.
    wait.on_progress = [&](double share) {
      bar.update_share(share);
      return !interrupt.seen();
    };
    return drive::wait_for_job(http, id, wait);
  }();
  if (!job) {
    report_error(with_endpoint_hint(job.error()), command, context);
    const bool runs_on =
        job.error().code == ErrorCode::kDeadline || job.error().code == ErrorCode::kCancelled;
    if (runs_on) say_how_to_wait(id, context);
    if (interrupt.seen()) context.exit_code = static_cast<ExitCode>(kInterrupted);
    return std::nullopt;
  }
  print_job(*job, options, context);
  return *std::move(job);
}

void await_outcome(const std::string& id, std::string_view command, const JobOptions& options,
                   Context& context) {
  const auto job = await_job(id, command, options, context);
  if (!job) return;
  if (const Status outcome = drive::outcome_of_job(*job); !outcome)
    report_error(outcome.error(), command, context);
}

void run_job_command(const std::string& path, std::string_view command, const JobOptions& options,
                     Context& context) {
  const auto endpoint = parse_endpoint(options.endpoint);
  if (!endpoint) return report_error(endpoint.error(), command, context);
  drive::HttpClient http(*endpoint, kTimeoutMs);
  const auto started = drive::start_job(http, path);
  if (!started) return report_error(with_endpoint_hint(started.error()), command, context);
  if (!waits(options, context)) return print_job(*started, options, context);
  await_outcome((*started)["job_id"], command, options, context);
}

}  // namespace vz::cli
