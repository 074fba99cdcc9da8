// What every command that asks a node has, and how it reads durations.
#pragma once

#include <string>

#include "cli/client/endpoint.h"
#include "cli/output/result.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace vz::cli {

/// A subcommand of `group` with --endpoint, --api-key-file and -o; `footer` stands before the exit
/// statuses in its help. `endpoint` and `output` must outlive it.
CLI::App& add_node_command(CLI::App& group, const std::string& name, const std::string& text,
                           const std::string& footer, EndpointOptions& endpoint,
                           OutputFormat& output);

/// A number with a unit, 90s, 30m, 2h or 7d, read as seconds; of no other range than this.
/// `seconds` must outlive `command`.
CLI::Option* add_duration_option(CLI::App& command, const std::string& flag, double& seconds,
                                 const std::string& what, double seconds_min, double seconds_max);

}  // namespace vz::cli
