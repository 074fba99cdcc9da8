#include "cli/commands/node_command.h"

#include <map>

#include <CLI/CLI.hpp>

#include "cli/context/exit_code.h"

namespace vz::cli {

CLI::App& add_node_command(CLI::App& group, const std::string& name, const std::string& text,
                           const std::string& footer, EndpointOptions& endpoint,
                           OutputFormat& output) {
  CLI::App& command = *group.add_subcommand(name, text);
  add_endpoint_option(command, endpoint);
  add_output_option(command, output);
  command.footer(footer + "\n" + exit_code_help());
  return command;
}

CLI::Option* add_duration_option(CLI::App& command, const std::string& flag, double& seconds,
                                 const std::string& what, double seconds_min, double seconds_max) {
  const std::map<std::string, double> units = {{"s", 1}, {"m", 60}, {"h", 3'600}, {"d", 86'400}};
  return command.add_option(flag, seconds, what)
      ->transform(CLI::AsNumberWithUnit(units, CLI::AsNumberWithUnit::UNIT_REQUIRED))
      ->check(CLI::Range(seconds_min, seconds_max));
}

}  // namespace vz::cli
