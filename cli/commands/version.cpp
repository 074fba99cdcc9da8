// vectorizerctl version
#include <ostream>

#include <CLI/CLI.hpp>

#include "cli/commands/commands.h"
#include "cli/context/context.h"

namespace vz::cli {

void add_version_command(CLI::App& app, Context& context) {
  auto* command = app.add_subcommand("version", "Print the version of this program");
  command->footer(exit_code_help());
  command->callback([&context] { context.out << "vectorizerctl " << VZ_VERSION << '\n'; });
}

}  // namespace vz::cli
