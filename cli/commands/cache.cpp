// vectorizerctl cache status | enable | disable: the query cache of a node.
#include <memory>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/client/endpoint.h"
#include "cli/commands/commands.h"
#include "cli/context/talk.h"
#include "cli/output/result.h"
#include "engine/limits.h"
#include "tools/drive/metrics_api.h"
#include "tools/drive/settings_api.h"

namespace vz::cli {
namespace {

using nlohmann::ordered_json;

constexpr long kTimeoutMs = 30'000;
constexpr const char* kEnabled = "cache.query_cache.enabled";
constexpr const char* kSize = "cache.query_cache.size_mb";

struct Options {
  EndpointOptions endpoint;
  OutputFormat output = OutputFormat::kTable;
  std::int64_t size_mb = 0;  ///< 0: as it is
};

/// A number of the page, or null.
ordered_json metric(const std::vector<drive::MetricSample>& samples, std::string_view name,
                    std::string_view labels) {
  for (const drive::MetricSample& sample : samples)
    if (sample.name == name && sample.labels == labels)
      return ordered_json::parse(sample.value, nullptr, false);
  return {};
}

using Changes = std::vector<std::pair<std::string, std::string>>;

Result<ordered_json> ask(drive::HttpClient& http, const Changes& changes) {
  VZ_TRY_ASSIGN(const auto settings,
                changes.empty() ? drive::settings(http) : drive::change_settings(http, changes));
  VZ_TRY_ASSIGN(const std::string page, drive::metrics_text(http));
  const auto samples = drive::samples_of(page);
  ordered_json out = ordered_json::object();
  for (const drive::NodeSetting& setting : settings) {
    if (setting.key == kEnabled) out["enabled"] = ordered_json::parse(setting.value);
    if (setting.key == kSize) out["size_mb"] = ordered_json::parse(setting.value);
  }
  out["entries"] = metric(samples, "vectorizer_cache_entries", "");
  out["bytes"] = metric(samples, "vectorizer_cache_bytes", "");
  const auto hits = metric(samples, "vectorizer_cache_requests_total", R"(result="hit")");
  const auto misses = metric(samples, "vectorizer_cache_requests_total", R"(result="miss")");
  out["hits"] = hits;
  out["misses"] = misses;
  const bool known = hits.is_number() && misses.is_number();
  const double asked = known ? hits.get<double>() + misses.get<double>() : 0;
  out["hit_share"] = asked > 0 ? ordered_json(hits.get<double>() / asked) : ordered_json();
  return out;
}

void run(const std::string& verb, const Changes& changes, const Options& options,
         Context& context) {
  const std::string command = "cache " + verb;
  const auto endpoint = parse_endpoint(options.endpoint);
  if (!endpoint) return report_error(endpoint.error(), command, context);
  drive::HttpClient http(*endpoint, kTimeoutMs);
  const auto cache = ask(http, changes);
  if (!cache) return report_error(with_endpoint_hint(cache.error()), command, context);
  ordered_json out = {{"schema", "vectorizerctl.cache/1"}};
  out.update(*cache);
  print_result(out, options.output, context.out);
}

CLI::App& add_one(CLI::App& cache, const std::string& name, const std::string& text,
                  const std::shared_ptr<Options>& options) {
  auto& command = *cache.add_subcommand(name, text);
  add_endpoint_option(command, options->endpoint);
  add_output_option(command, options->output);
  command.footer("Example:\n  vectorizerctl cache " + name + "\n\n" + exit_code_help());
  return command;
}

}  // namespace

void add_cache_command(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();  // Shared with the callbacks, which outlive this.
  auto* cache = app.add_subcommand("cache", "The query cache of a node");
  cache->require_subcommand(1);
  add_one(*cache, "status", "Whether answers are kept, how many, and how often one was found",
          options)
      .callback([options, &context] { run("status", {}, *options, context); });
  auto& enable = add_one(*cache, "enable", "Keep answers of searches", options);
  enable.add_option("--size-mb", options->size_mb, "Memory for them; without it as it was set")
      ->check(CLI::Range(std::int64_t{1}, limits::kQueryCacheMbMax));
  enable.callback([options, &context] {
    Changes changes = {{kEnabled, "true"}};
    if (options->size_mb > 0) changes.emplace_back(kSize, std::to_string(options->size_mb));
    run("enable", changes, *options, context);
  });
  add_one(*cache, "disable", "Keep none, and free what is there", options)
      .callback([options, &context] {
        run("disable", {{kEnabled, "false"}}, *options, context);
      });
  cache->footer(
      "Examples:\n"
      "  vectorizerctl cache enable --size-mb 512\n"
      "  vectorizerctl cache status\n\n"
      "An answer is given again as long as its collection has not changed, so it is never\n"
      "older than a write that was acknowledged.\n\n" +
      exit_code_help());
}

}  // namespace vz::cli
