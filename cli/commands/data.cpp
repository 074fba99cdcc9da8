// vectorizerctl data: the group.
#include <ostream>

#include <CLI/CLI.hpp>

#include "cli/commands/commands.h"
#include "cli/commands/data_shared.h"
#include "storage/base/log.h"

namespace vz::cli {

void add_apply_options(CLI::App& command, bool& apply, bool& dry_run) {
  auto* applied = command.add_flag("--apply", apply, "Do it; without this the plan is printed");
  command.add_flag("-n,--dry-run", dry_run, "Print the plan and change nothing (default)")
      ->excludes(applied);
}

void add_data_command(CLI::App& app, Context& context) {
  auto* data = app.add_subcommand("data", "Work on a data directory, without a node");
  data->require_subcommand(1);
  // Events of the layers below go to stdout, which belongs to the result.
  data->preparse_callback([](std::size_t) { configure_log(LogLevel::kError, LogFormat::kText); });
  add_data_info_command(*data, context);
  add_data_check_command(*data, context);
  add_data_restore_abort_command(*data, context);
  add_data_repair_command(*data, context);
  add_data_quarantine_command(*data, context);
  add_data_salvage_command(*data, context);
  add_data_compact_command(*data, context);
  add_data_gc_command(*data, context);
  add_data_hash_command(*data, context);
  add_data_segment_command(*data, context);
  add_data_wal_command(*data, context);
  data->footer(
      "Example:\n"
      "  vectorizerctl data check /var/lib/vectorizer\n\n" +
      exit_code_help());
}

}  // namespace vz::cli
