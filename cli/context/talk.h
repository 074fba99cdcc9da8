// What commands say on standard error beside their result, and the exit status that goes with it.
#pragma once

#include <string>
#include <string_view>

#include "cli/context/context.h"
#include "storage/base/status.h"

namespace vz::cli {

/// The error as one line; sets the exit status. command: "data check".
void report_error(const Error& error, std::string_view command, Context& context);

struct Question {
  std::string_view command;           ///< "data quarantine purge"
  std::string text;                   ///< "Remove everything?"
  std::string_view without_terminal;  ///< what to give instead where nobody can be asked
  bool can_ask = true;                ///< false: standard input is taken
};

/// Asks, and waits for y or yes. False: it set the exit status (kUsage: nobody to ask; kDeclined).
bool confirmed(const Question& question, Context& context);

}  // namespace vz::cli
