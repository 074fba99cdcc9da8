// vectorizerctl config show | get | set: the run-time settings of a node.
#include <algorithm>
#include <memory>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/client/endpoint.h"
#include "cli/commands/commands.h"
#include "cli/context/nearest.h"
#include "cli/context/talk.h"
#include "cli/output/result.h"
#include "tools/drive/settings_api.h"

namespace vz::cli {
namespace {

using drive::NodeSetting;
using nlohmann::ordered_json;
using Settings = std::vector<NodeSetting>;

constexpr long kTimeoutMs = 30'000;

struct Options {
  EndpointOptions endpoint;
  OutputFormat output = OutputFormat::kTable;
  bool origin = false;
  std::string key;
  std::vector<std::string> assignments;
};

enum class Origin : std::uint8_t { kHidden, kShown };

ordered_json row_of(const NodeSetting& setting, Origin origin) {
  ordered_json row = {{"key", setting.key},
                      {"value", ordered_json::parse(setting.value, nullptr, false)}};
  if (origin == Origin::kShown) row["origin"] = setting.origin;
  return row;
}

ordered_json result_of(const Settings& settings, Origin origin) {
  ordered_json out = {{"schema", "vectorizerctl.config/1"}, {"settings", ordered_json::array()}};
  for (const NodeSetting& setting : settings) out["settings"].push_back(row_of(setting, origin));
  return out;
}

/// Calls ask(http), and hands what it gives to `print`.
template <typename Ask, typename Print>
void run(std::string_view command, const Options& options, Context& context, const Ask& ask,
         const Print& print) {
  const auto endpoint = parse_endpoint(options.endpoint);
  if (!endpoint) return report_error(endpoint.error(), command, context);
  drive::HttpClient http(*endpoint, kTimeoutMs);
  const auto result = ask(http);
  if (!result) return report_error(with_endpoint_hint(result.error()), command, context);
  print_result(print(*result), options.output, context.out);
}

void show(const Options& options, Context& context) {
  run("config show", options, context, drive::settings, [&](const Settings& settings) {
    return result_of(settings, options.origin ? Origin::kShown : Origin::kHidden);
  });
}

Result<NodeSetting> one_of(const Settings& settings, const std::string& key) {
  std::vector<std::string> keys;
  for (const NodeSetting& setting : settings) {
    if (setting.key == key) return setting;
    keys.push_back(setting.key);
  }
  const auto near = nearest(key, keys);
  return fail(ErrorCode::kNotFound, "there is no setting '" + key.substr(0, 128) + "'" +
                                        (near ? "; did you mean '" + *near + "'?" : ""));
}

void get(const Options& options, Context& context) {
  run(
      "config get", options, context,
      [&](drive::HttpClient& http) -> Result<NodeSetting> {
        VZ_TRY_ASSIGN(const Settings settings, drive::settings(http));
        return one_of(settings, options.key);
      },
      [](const NodeSetting& setting) {
        ordered_json out = {{"schema", "vectorizerctl.config.get/1"}};
        out.update(row_of(setting, Origin::kShown));
        return out;
      });
}

using Assignment = std::pair<std::string, std::string>;

/// KEY=VALUE; a value that is no JSON, such as debug, is a string.
Result<std::vector<Assignment>> parse_assignments(const std::vector<std::string>& texts) {
  std::vector<Assignment> out;
  for (const std::string& text : texts) {
    const std::size_t equals = text.find('=');
    if (equals == 0 || equals == std::string::npos)
      return fail(ErrorCode::kInvalidArgument,
                  "expected KEY=VALUE, found '" + text.substr(0, 128) + "'");
    const std::string value = text.substr(equals + 1);
    const bool is_json = ordered_json::accept(value);
    out.emplace_back(text.substr(0, equals), is_json ? value : ordered_json(value).dump());
  }
  return out;
}

/// Those that were named, as they are now; all of it would hide them.
Settings named(const Settings& settings, const std::vector<Assignment>& assignments) {
  Settings out;
  for (const NodeSetting& setting : settings) {
    const bool is_named =
        std::any_of(assignments.begin(), assignments.end(), [&](const Assignment& assignment) {
          return setting.key == assignment.first || setting.key.starts_with(assignment.first + ".");
        });
    if (is_named) out.push_back(setting);
  }
  return out;
}

void set(const Options& options, Context& context) {
  const auto assignments = parse_assignments(options.assignments);
  if (!assignments) return report_error(assignments.error(), "config set", context);
  run(
      "config set", options, context,
      [&](drive::HttpClient& http) { return drive::change_settings(http, *assignments); },
      [&](const Settings& settings) {
        return result_of(named(settings, *assignments), Origin::kShown);
      });
}

CLI::App& add_one(CLI::App& config, const std::string& name, const std::string& text,
                  const std::string& footer, void (*act)(const Options&, Context&),
                  const std::shared_ptr<Options>& options, Context& context) {
  auto& command = *config.add_subcommand(name, text);
  add_endpoint_option(command, options->endpoint);
  add_output_option(command, options->output);
  command.footer(footer + "\n" + exit_code_help());
  command.callback([options, act, &context] { act(*options, context); });
  return command;
}

}  // namespace

void add_config_command(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();  // Shared with the callbacks, which outlive this.
  auto* config = app.add_subcommand("config", "The run-time settings of a node");
  config->require_subcommand(1);
  add_one(*config, "show", "Show all settings in force",
          "Example:\n  vectorizerctl config show --origin\n", show, options, context)
      .add_flag("--origin", options->origin, "Also where each comes from: default, start, runtime");
  add_one(*config, "get", "Show one setting",
          "Example:\n  vectorizerctl config get cache.query_cache.enabled\n", get, options, context)
      .add_option("KEY", options->key, "Such as logging.level")
      ->required();
  add_one(
      *config, "set", "Change settings, live and for good",
      "Examples:\n"
      "  vectorizerctl config set logging.level=debug\n"
      "  vectorizerctl config set cache.query_cache.enabled=true cache.query_cache.size_mb=512\n"
      "  vectorizerctl config set storage=null\n\n"
      "All or none. null puts a setting, or a whole group, back to what the start gave.\n",
      set, options, context)
      .add_option("KEY=VALUE", options->assignments, "A setting and its new value")
      ->required();
  config->footer(
      "Examples:\n"
      "  vectorizerctl config show --origin\n"
      "  vectorizerctl config set logging.slow_query_threshold_ms=100\n\n" +
      exit_code_help());
}

}  // namespace vz::cli
