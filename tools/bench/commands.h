// Every command of vz_bench registers itself here; its callback runs once the line is accepted.
#pragma once

#include "storage/base/status.h"

namespace CLI {
class App;
}

namespace vz::bench {

/// `outcome` gets the command's result, and must outlive `app`.
void add_index_command(CLI::App& app, Status& outcome);
void add_node_command(CLI::App& app, Status& outcome);
void add_offline_command(CLI::App& app, Status& outcome);
void add_operations_command(CLI::App& app, Status& outcome);
void add_overload_command(CLI::App& app, Status& outcome);

}  // namespace vz::bench
