// vectorizerctl bench: the group.
#include <CLI/CLI.hpp>

#include "cli/commands/bench_shared.h"
#include "cli/commands/commands.h"

namespace vz::cli {

void add_bench_command(CLI::App& app, Context& context) {
  auto* bench = app.add_subcommand("bench", "Measure a running node");
  bench->require_subcommand(1);
  add_bench_search_command(*bench, context);
  add_bench_recall_command(*bench, context);
  add_bench_insert_command(*bench, context);
  bench->footer(
      "Example:\n"
      "  vectorizerctl bench recall words --limit 10\n\n" +
      exit_code_help());
}

}  // namespace vz::cli
