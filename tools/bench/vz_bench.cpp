// vz_bench: side-by-side measurements, each a ratio to a peer in one process and one run.
#include <cstdio>

#include <CLI/CLI.hpp>

#include "tools/bench/commands.h"

int main(int argc, char** argv) {
  CLI::App app("Ratios to other programs on the same data, in the same run");
  vz::Status outcome;
  vz::bench::add_index_command(app, outcome);
  vz::bench::add_node_command(app, outcome);
  vz::bench::add_offline_command(app, outcome);
  vz::bench::add_operations_command(app, outcome);
  vz::bench::add_overload_command(app, outcome);
  app.require_subcommand(1);
  CLI11_PARSE(app, argc, argv);
  if (outcome) return 0;
  std::fprintf(stderr, "vz_bench: %s\n", outcome.error().message.c_str());
  return outcome.error().code == vz::ErrorCode::kInvalidArgument ? 2 : 1;
}
