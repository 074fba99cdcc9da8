#include "cli/context/talk.h"

#include <iostream>

#include <unistd.h>

#include "cli/context/printable.h"

namespace vz::cli {

void report_error(const Error& error, std::string_view command, Context& context) {
  context.err << "vectorizerctl " << command << ": " << printable(error.message) << '\n';
  context.exit_code = exit_code_of(error.code);
}

bool confirmed(const Question& question, Context& context) {
  if (!question.can_ask || ::isatty(STDIN_FILENO) != 1) {
    context.err << "vectorizerctl " << question.command << ": " << question.without_terminal
                << '\n';
    context.exit_code = ExitCode::kUsage;
    return false;
  }
  context.err << printable(question.text) << " [y/N] " << std::flush;
  std::string answer;
  std::getline(std::cin, answer);
  if (answer == "y" || answer == "yes") return true;
  context.exit_code = ExitCode::kDeclined;
  return false;
}

}  // namespace vz::cli
