// The option that names one collection, as every command has it.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace vz::cli {

/// --collection NAME; an empty name is refused. `name` must outlive `command`.
void add_collection_option(CLI::App& command, std::string& name, const std::string& what);

}  // namespace vz::cli
