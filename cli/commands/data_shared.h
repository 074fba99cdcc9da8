// What the commands `data ...` share: work on a directory, never over the network.
#pragma once

#include "cli/context/context.h"
#include "cli/context/talk.h"

namespace CLI {
class App;
}

namespace vz::cli {

void add_data_check_command(CLI::App& data, Context& context);
void add_data_compact_command(CLI::App& data, Context& context);
void add_data_gc_command(CLI::App& data, Context& context);
void add_data_hash_command(CLI::App& data, Context& context);
void add_data_info_command(CLI::App& data, Context& context);
void add_data_restore_abort_command(CLI::App& data, Context& context);
void add_data_quarantine_command(CLI::App& data, Context& context);
void add_data_repair_command(CLI::App& data, Context& context);
void add_data_salvage_command(CLI::App& data, Context& context);
void add_data_segment_command(CLI::App& data, Context& context);
void add_data_segment_rebuild_command(CLI::App& segment, Context& context);
void add_data_wal_command(CLI::App& data, Context& context);
void add_data_wal_truncate_command(CLI::App& wal, Context& context);

/// --apply and -n/--dry-run, which is the default. Both must outlive `command`.
void add_apply_options(CLI::App& command, bool& apply, bool& dry_run);

}  // namespace vz::cli
