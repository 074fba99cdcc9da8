// The command tree: parses a command line and runs its command.
#pragma once

#include "cli/context/context.h"

namespace vz::cli {

/// Parses and runs. The exit status is context.exit_code: a mistake in the line is kUsage, and a
/// mistyped command is named with the nearest one.
void run_app(int argc, const char* const* argv, Context& context);

}  // namespace vz::cli
