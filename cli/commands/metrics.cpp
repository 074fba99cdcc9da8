// vectorizerctl metrics show | get NAME: what a node tells Prometheus.
#include <memory>
#include <ostream>
#include <set>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/client/endpoint.h"
#include "cli/commands/commands.h"
#include "cli/context/nearest.h"
#include "cli/context/talk.h"
#include "cli/output/result.h"
#include "tools/drive/metrics_api.h"

namespace vz::cli {
namespace {

using drive::MetricSample;
using nlohmann::ordered_json;

constexpr long kTimeoutMs = 10'000;
constexpr std::string_view kPrefix = "vectorizer_";

struct Options {
  EndpointOptions endpoint;
  OutputFormat output = OutputFormat::kTable;
  std::string name;
};

Result<std::string> ask(const drive::Endpoint& endpoint) {
  drive::HttpClient http(endpoint, kTimeoutMs);
  return drive::metrics_text(http);
}

/// A number as one, so that jq can count with it; NaN and infinities stay text.
ordered_json value_json(const std::string& text) {
  ordered_json value = ordered_json::parse(text, nullptr, false);
  return value.is_number() ? value : ordered_json(text);
}

ordered_json result_of(const drive::Endpoint& endpoint, const std::vector<MetricSample>& samples) {
  ordered_json out = {{"schema", "vectorizerctl.metrics/1"},
                      {"endpoint", endpoint.base_url()},
                      {"samples", ordered_json::array()}};
  for (const MetricSample& sample : samples)
    out["samples"].push_back(
        {{"name", sample.name}, {"labels", sample.labels}, {"value", value_json(sample.value)}});
  return out;
}

/// Whole, or without the prefix.
bool is_called(const MetricSample& sample, const std::string& name) {
  return sample.name == name || sample.name == std::string(kPrefix) + name;
}

Result<std::vector<MetricSample>> called(const std::vector<MetricSample>& samples,
                                         const std::string& name) {
  std::vector<MetricSample> out;
  std::set<std::string> names;
  for (const MetricSample& sample : samples) {
    if (is_called(sample, name)) out.push_back(sample);
    names.insert(sample.name);
    if (sample.name.starts_with(kPrefix)) names.insert(sample.name.substr(kPrefix.size()));
  }
  if (!out.empty()) return out;
  const std::vector<std::string> words(names.begin(), names.end());
  const auto near = nearest(name, words);
  return fail(ErrorCode::kNotFound, "there is no metric '" + name.substr(0, 128) + "'" +
                                        (near ? "; did you mean '" + *near + "'?" : ""));
}

void show(const Options& options, Context& context) {
  const auto endpoint = parse_endpoint(options.endpoint);
  if (!endpoint) return report_error(endpoint.error(), "metrics show", context);
  const auto text = ask(*endpoint);
  if (!text) return report_error(with_endpoint_hint(text.error()), "metrics show", context);
  if (options.output == OutputFormat::kJson) {
    print_result(result_of(*endpoint, drive::samples_of(*text)), options.output, context.out);
  } else {
    context.out << *text;  // As Prometheus reads it.
  }
}

void get(const Options& options, Context& context) {
  const auto endpoint = parse_endpoint(options.endpoint);
  if (!endpoint) return report_error(endpoint.error(), "metrics get", context);
  const auto text = ask(*endpoint);
  if (!text) return report_error(with_endpoint_hint(text.error()), "metrics get", context);
  const auto samples = called(drive::samples_of(*text), options.name);
  if (!samples) return report_error(samples.error(), "metrics get", context);
  print_result(result_of(*endpoint, *samples), options.output, context.out);
}

using Run = void (*)(const Options&, Context&);

CLI::App& add_one(CLI::App& metrics, const std::string& name, const std::string& text, Run run,
                  const std::shared_ptr<Options>& options, Context& context) {
  auto* command = metrics.add_subcommand(name, text);
  add_endpoint_option(*command, options->endpoint);
  add_output_option(*command, options->output);
  command->footer(exit_code_help());
  command->callback([options, run, &context] { run(*options, context); });
  return *command;
}

}  // namespace

void add_metrics_command(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();  // Shared with the callbacks, which outlive this.
  auto* metrics = app.add_subcommand("metrics", "What a node tells Prometheus");
  metrics->require_subcommand(1);
  add_one(*metrics, "show", "All of it, as Prometheus reads it", show, options, context);
  add_one(*metrics, "get", "The samples of one metric", get, options, context)
      .add_option("name", options->name, "Such as wal_lsn, with or without vectorizer_")
      ->required();
  metrics->footer(
      "Examples:\n"
      "  vectorizerctl metrics show | promtool check metrics\n"
      "  vectorizerctl metrics get search_requests_total -o json\n\n" +
      exit_code_help());
}

}  // namespace vz::cli
