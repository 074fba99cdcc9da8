#include "cli/commands/collection_option.h"

#include <CLI/CLI.hpp>

namespace vz::cli {

void add_collection_option(CLI::App& command, std::string& name, const std::string& what) {
  // An empty name stands for all of them further down: a script's unset variable must not ask that.
  command.add_option("--collection", name, what)->check([](const std::string& given) {
    return given.empty() ? std::string("expected the name of a collection, found an empty one")
                         : std::string();
  });
}

}  // namespace vz::cli
