// vectorizerctl snapshot: the group. create, list, download, upload, recover and delete ask a node;
// the others work on archives and directories, without one.
#include <CLI/CLI.hpp>

#include "cli/commands/commands.h"
#include "cli/commands/snapshot_shared.h"

namespace vz::cli {

void add_snapshot_command(CLI::App& app, Context& context) {
  auto* snapshot = app.add_subcommand("snapshot", "Archives of a node, or of one collection");
  snapshot->require_subcommand(1);
  add_snapshot_online_commands(*snapshot, context);
  add_snapshot_download_command(*snapshot, context);
  add_snapshot_upload_command(*snapshot, context);
  add_snapshot_pack_command(*snapshot, context);
  add_snapshot_inspect_command(*snapshot, context);
  add_snapshot_verify_command(*snapshot, context);
  add_snapshot_extract_command(*snapshot, context);
  add_snapshot_restore_command(*snapshot, context);
  snapshot->footer(
      "Examples:\n"
      "  vectorizerctl snapshot create\n"
      "  vectorizerctl snapshot pack /var/lib/vectorizer -o backup.tar.gz\n"
      "  vectorizerctl snapshot restore backup.tar.gz --data-dir /var/lib/vectorizer "
      "--replace\n\n" +
      exit_code_help());
}

}  // namespace vz::cli
