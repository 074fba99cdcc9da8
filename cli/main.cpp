// Entry point. Exceptions that reach it are bugs of ours.
#include <exception>
#include <iostream>

#include <unistd.h>

#include "cli/app.h"

int main(int argc, char** argv) {
  vz::cli::Context context{
      .out = std::cout,
      .err = std::cerr,
      .out_is_terminal = ::isatty(STDOUT_FILENO) == 1,
      .err_is_terminal = ::isatty(STDERR_FILENO) == 1,
  };
  try {
    vz::cli::run_app(argc, argv, context);
  } catch (const std::exception& caught) {
    std::cerr << "vectorizerctl: bug: " << caught.what() << '\n';
    context.exit_code = vz::cli::ExitCode::kBug;
  }
  std::cout.flush();
  // Whoever asked for a result did not get it, whatever it was.
  if (!std::cout && context.exit_code != vz::cli::ExitCode::kBug) {
    std::cerr << "vectorizerctl: standard output cannot be written\n";
    context.exit_code = vz::cli::ExitCode::kFailed;
  }
  return static_cast<int>(context.exit_code);
}
