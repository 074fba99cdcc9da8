// What the commands `data ...` share: work on a directory, never over the network.
#pragma once

#include <string_view>

#include "cli/context/context.h"
#include "storage/base/status.h"

namespace CLI {
class App;
}

namespace vz::cli {

void add_data_check_command(CLI::App& data, Context& context);
void add_data_info_command(CLI::App& data, Context& context);
void add_data_restore_abort_command(CLI::App& data, Context& context);
void add_data_quarantine_command(CLI::App& data, Context& context);
void add_data_repair_command(CLI::App& data, Context& context);
void add_data_salvage_command(CLI::App& data, Context& context);

/// The error as one line on stderr; sets the exit status. command: "data check".
void report_error(const Error& error, std::string_view command, Context& context);

}  // namespace vz::cli
