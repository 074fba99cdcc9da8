// vectorizerctl stats: the numbers of a node and its collections.
#include <algorithm>
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
constexpr std::size_t kChartWidth = 12;

constexpr std::string_view kFooter =
    "Example:\n"
    "  vectorizerctl stats -o json | jq '.collections[] | {name, p99_search_ms}'\n\n"
    "The same fields as GET /stats. On a terminal each collection has two small charts beside its\n"
    "numbers: its vectors and its p99 search time, against the largest.\n\n";

struct Options {
  EndpointOptions endpoint;
  OutputFormat output = OutputFormat::kTable;
};

std::string bar(double value, double largest) {
  const double share = largest > 0 ? value / largest : 0;
  const auto filled = std::min(kChartWidth, static_cast<std::size_t>(share * kChartWidth + 0.5));
  return std::string(filled, '#') + std::string(kChartWidth - filled, '.');
}

/// Puts after each number `key` of the rows a column with its bar.
void add_chart(ordered_json& rows, const std::string& key) {
  double largest = 0;
  for (const auto& row : rows) largest = std::max(largest, row.value(key, 0.0));
  for (auto& row : rows) {
    ordered_json charted = ordered_json::object();
    for (const auto& [name, value] : row.items()) {
      charted[name] = value;
      if (name == key) charted[name == "vectors" ? "share" : "time"] = bar(value, largest);
    }
    row = std::move(charted);
  }
}

/// Of all that a collection has, what fits a line.
ordered_json short_rows(const ordered_json& collections) {
  ordered_json rows = ordered_json::array();
  for (const auto& collection : collections) {
    ordered_json row = ordered_json::object();
    for (const char* key : {"name", "status", "vectors", "deleted_vectors", "segments",
                            "size_bytes", "searches", "p50_search_ms", "p99_search_ms"})
      row[key] = collection.value(key, ordered_json());
    rows.push_back(std::move(row));
  }
  return rows;
}

Result<ordered_json> ask(const drive::Endpoint& endpoint) {
  drive::HttpClient http(endpoint, kTimeoutMs);
  VZ_TRY_ASSIGN(const auto answer, http.request("GET", "/stats", ""));
  if (answer.status != 200) return drive::refused("GET /stats", answer.status, answer.body);
  ordered_json said = ordered_json::parse(answer.body, nullptr, false);
  if (said.is_object() && said.contains("collections")) return said;
  return fail(ErrorCode::kIncompatible,
              "GET /stats answered without collections: no node of ours: " + endpoint.base_url());
}

void run(const Options& options, Context& context) {
  const auto endpoint = parse_endpoint(options.endpoint);
  if (!endpoint) return report_error(endpoint.error(), "stats", context);
  const auto stats = ask(*endpoint);
  if (!stats) return report_error(with_endpoint_hint(stats.error()), "stats", context);
  ordered_json out = {{"schema", "vectorizerctl.stats/1"}, {"endpoint", endpoint->base_url()}};
  out.update(*stats);
  if (options.output == OutputFormat::kTable) {
    out["collections"] = short_rows(out["collections"]);
    if (context.out_is_terminal) {
      add_chart(out["collections"], "vectors");
      add_chart(out["collections"], "p99_search_ms");
    }
  }
  print_result(out, options.output, context.out);
}

}  // namespace

void add_stats_command(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();  // Shared with the callback, which outlives this.
  auto* command = app.add_subcommand("stats", "Numbers of a node and its collections");
  add_endpoint_option(*command, options->endpoint);
  add_output_option(*command, options->output);
  command->footer(std::string(kFooter) + exit_code_help());
  command->callback([options, &context] { run(*options, context); });
}

}  // namespace vz::cli
