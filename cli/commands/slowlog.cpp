// vectorizerctl slowlog status | enable | disable | tail | report: the slow queries of a node.
#include <algorithm>
#include <cmath>
#include <map>
#include <memory>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/client/endpoint.h"
#include "cli/commands/commands.h"
#include "cli/commands/node_command.h"
#include "cli/context/talk.h"
#include "cli/output/result.h"
#include "engine/limits.h"
#include "tools/drive/answer.h"
#include "tools/drive/settings_api.h"

namespace vz::cli {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr long kTimeoutMs = 30'000;
constexpr const char* kThreshold = "logging.slow_query_threshold_ms";
constexpr int kOff = -1;

struct Options {
  EndpointOptions endpoint;
  OutputFormat output = OutputFormat::kTable;
  std::int64_t threshold_ms = 100;
  std::size_t limit = 20;
};

/// What GET /admin/slow-queries says. Errors: those of drive::call_json, kIncompatible.
Result<json> ask(drive::HttpClient& http, std::size_t limit) {
  const std::string path = "/admin/slow-queries?limit=" + std::to_string(limit);
  VZ_TRY_ASSIGN(json said, drive::call_json(http, "GET", path, ""));
  const bool ours = said.is_object() && said.contains("queries") && said["queries"].is_array() &&
                    std::all_of(said["queries"].begin(), said["queries"].end(),
                                [](const json& query) { return query.is_object(); });
  if (ours) return said;
  return fail(ErrorCode::kIncompatible, "GET " + path + " answered without queries");
}

/// Calls ask(http) and prints it as describe(answer, out) puts it.
template <typename Ask, typename Describe>
void run(const std::string& verb, const Options& options, Context& context, const Ask& ask_node,
         const Describe& describe) {
  const std::string command = "slowlog " + verb;
  const auto endpoint = parse_endpoint(options.endpoint);
  if (!endpoint) return report_error(endpoint.error(), command, context);
  drive::HttpClient http(*endpoint, kTimeoutMs);
  const auto said = ask_node(http);
  if (!said) return report_error(with_endpoint_hint(said.error()), command, context);
  ordered_json out = {{"schema", "vectorizerctl.slowlog." + verb + "/1"}};
  describe(*said, out);
  print_result(out, options.output, context.out);
}

void describe_status(const json& said, ordered_json& out) {
  const json threshold = said.value("threshold_ms", json());
  out["enabled"] = threshold.is_number() && threshold >= 0;
  for (const char* key : {"threshold_ms", "total", "log_lines_missing"})
    out[key] = said.value(key, json());
  out["kept"] = said["queries"].size();
}

void status(const Options& options, Context& context) {
  run(
      "status", options, context,
      [](drive::HttpClient& http) { return ask(http, limits::kSlowQueriesKept); }, describe_status);
}

void set_threshold(const std::string& verb, std::int64_t threshold_ms, const Options& options,
                   Context& context) {
  run(
      verb, options, context,
      [&](drive::HttpClient& http) -> Result<json> {
        VZ_TRY(drive::change_settings(http, {{kThreshold, std::to_string(threshold_ms)}}));
        return ask(http, limits::kSlowQueriesKept);
      },
      describe_status);
}

std::string text_of(const json& query, const char* key) {
  const auto found = query.find(key);
  return found != query.end() && found->is_string() ? found->get<std::string>() : "";
}

ordered_json row_of(const json& query) {
  ordered_json row = ordered_json::object();
  for (const char* key : {"time", "duration_ms", "collection", "op", "status", "searches", "limit",
                          "ef", "exact", "filter", "cached", "rows", "request_id"})
    row[key] = query.value(key, json());
  return row;
}

/// Of all that is known of a query, what fits a line.
ordered_json short_row_of(const json& query) {
  ordered_json row = ordered_json::object();
  row["time"] = short_time(text_of(query, "time"));
  for (const char* key : {"duration_ms", "collection", "op", "rows", "ef", "filter"})
    row[key] = query.value(key, json());
  return row;
}

/// Oldest first, as a log is read.
void tail(const Options& options, Context& context) {
  run(
      "tail", options, context, [&](drive::HttpClient& http) { return ask(http, options.limit); },
      [&](const json& said, ordered_json& out) {
        const bool table = options.output == OutputFormat::kTable;
        out["queries"] = ordered_json::array();
        for (auto query = said["queries"].rbegin(); query != said["queries"].rend(); ++query)
          out["queries"].push_back(table ? short_row_of(*query) : row_of(*query));
      });
}

/// Queries of one collection and kind.
struct Group {
  std::vector<double> durations_ms;
  std::size_t filtered = 0;
};

/// Durations: sorted, at least one.
double quantile(const std::vector<double>& durations, double share) {
  const auto rank =
      static_cast<std::size_t>(std::ceil(share * static_cast<double>(durations.size())));
  return durations[std::max<std::size_t>(rank, 1) - 1];
}

void describe_report(const json& said, ordered_json& out) {
  std::map<std::pair<std::string, std::string>, Group> groups;
  for (const json& query : said["queries"]) {
    const json duration = query.value("duration_ms", json());
    if (!duration.is_number()) continue;
    Group& group = groups[{text_of(query, "collection"), text_of(query, "op")}];
    group.durations_ms.push_back(duration);
    if (query.value("filter", json()) == true) ++group.filtered;
  }
  out["queries"] = said["queries"].size();
  out["groups"] = ordered_json::array();
  for (auto& [key, group] : groups) {
    auto& durations = group.durations_ms;
    std::sort(durations.begin(), durations.end());
    out["groups"].push_back({{"collection", key.first},
                             {"op", key.second},
                             {"count", durations.size()},
                             {"filtered", group.filtered},
                             {"p50_ms", quantile(durations, 0.5)},
                             {"p90_ms", quantile(durations, 0.9)},
                             {"max_ms", durations.back()}});
  }
  std::stable_sort(out["groups"].begin(), out["groups"].end(),
                   [](const auto& a, const auto& b) { return a["count"] > b["count"]; });
}

void report(const Options& options, Context& context) {
  run(
      "report", options, context,
      [](drive::HttpClient& http) { return ask(http, limits::kSlowQueriesKept); }, describe_report);
}

CLI::App& add_one(CLI::App& slowlog, const std::string& name, const std::string& text,
                  const std::shared_ptr<Options>& options) {
  return add_node_command(slowlog, name, text, "Example:\n  vectorizerctl slowlog " + name + "\n",
                          options->endpoint, options->output);
}

}  // namespace

void add_slowlog_command(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();  // Shared with the callbacks, which outlive this.
  auto* slowlog = app.add_subcommand("slowlog", "The slow queries of a node");
  slowlog->require_subcommand(1);
  add_one(*slowlog, "status", "Whether slow queries are told, and how many there were", options)
      .callback([options, &context] { status(*options, context); });
  auto& enable = add_one(*slowlog, "enable", "Tell of queries from a time on", options);
  enable
      .add_option("--threshold-ms", options->threshold_ms, "What is slow; 0 tells of every query")
      ->check(CLI::Range(std::int64_t{0}, limits::kSlowQueryThresholdMsMax))
      ->capture_default_str();
  enable.callback(
      [options, &context] { set_threshold("enable", options->threshold_ms, *options, context); });
  add_one(*slowlog, "disable", "Tell of none", options).callback([options, &context] {
    set_threshold("disable", kOff, *options, context);
  });
  auto& tailing = add_one(*slowlog, "tail", "The newest slow queries", options);
  tailing.add_option("--limit", options->limit, "How many")
      ->check(CLI::Range(std::size_t{1}, limits::kSlowQueriesKept))
      ->capture_default_str();
  tailing.callback([options, &context] { tail(*options, context); });
  add_one(*slowlog, "report", "Slow queries by collection and kind", options)
      .callback([options, &context] { report(*options, context); });
  slowlog->footer(
      "Examples:\n"
      "  vectorizerctl slowlog enable --threshold-ms 100\n"
      "  vectorizerctl slowlog tail\n\n"
      "A node keeps the newest " +
      std::to_string(limits::kSlowQueriesKept) +
      " in memory; each is also a line of its log with the word slow_query.\n\n" +
      exit_code_help());
}

}  // namespace vz::cli
