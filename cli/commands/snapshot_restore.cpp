// vectorizerctl snapshot restore FILE|- --data-dir DIR: the archive's content as the directory's.
#include "tools/offline/snapshot_restore.h"

#include <memory>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/commands/snapshot_shared.h"

namespace vz::cli {
namespace {

using nlohmann::ordered_json;

constexpr std::string_view kCommand = "snapshot restore";
constexpr std::string_view kFooter =
    "Examples:\n"
    "  vectorizerctl snapshot restore backup.tar.gz --data-dir /var/lib/vectorizer\n"
    "  vectorizerctl snapshot restore backup.tar.gz --data-dir /var/lib/vectorizer --replace -y\n\n"
    "No node may be running on DIR. An absent or empty DIR is made a data directory. The archive "
    "is\n"
    "checked while it is unpacked beside the old content; only then the two change places, and "
    "the\n"
    "old content stays in DIR/previous-<time>/. A kill at any moment leaves the old or the "
    "new,\n"
    "and a rerun ends the work.\n\n";

struct Options {
  std::string archive;
  std::string directory;
  bool replace = false;
  bool dry_run = false;
  bool yes = false;
  OutputFormat output = OutputFormat::kTable;
};

bool may_replace(const Options& options, Context& context) {
  if (!options.replace || options.dry_run || options.yes) return true;
  return confirmed({.command = kCommand,
                    .text = "Replace what " + options.directory + " holds by " + options.archive +
                            "? The old content is kept in previous-<time>/.",
                    .without_terminal = "--replace needs --yes when there is no terminal to ask on",
                    .can_ask = options.archive != kPipe},
                   context);
}

Result<offline::RestoreReport> run(const Options& options) {
  using offline::RestoreOptions;
  const auto env = make_posix_env();
  VZ_TRY_ASSIGN(const auto source, open_archive(*env, options.archive));
  RestoreOptions restore{.data_dir = options.directory};
  if (options.replace) restore.existing = RestoreOptions::Existing::kReplaced;
  if (options.dry_run) restore.run = RestoreOptions::Run::kDry;
  return offline::restore(*env, *source, restore);
}

ordered_json result_of(const offline::RestoreReport& report, const Options& options) {
  ordered_json out = {{"schema", "vectorizerctl.snapshot.restore/1"},
                      {"file", options.archive},
                      {"data_dir", options.directory},
                      {"dry_run", options.dry_run},
                      {"restored", report.read.sound() && !options.dry_run},
                      {"in_force_already", report.in_force_already}};
  out["replaces_data"] = report.replaces;
  out["previous"] = report.previous.empty() ? ordered_json() : ordered_json(report.previous);
  if (report.read.sound()) {
    out["new_epoch"] = report.epoch;
    out["new_first_lsn"] = report.first_lsn;
  }
  add_report(report.read, out);
  return out;
}

}  // namespace

void add_snapshot_restore_command(CLI::App& snapshot, Context& context) {
  auto options = std::make_shared<Options>();  // Shared with the callback, which outlives this.
  auto& command = *snapshot.add_subcommand("restore", "Make an archive the content of a directory");
  add_archive_option(command, options->archive);
  command.add_option("--data-dir", options->directory, "Of a stopped node; absent; or empty")
      ->required();
  command.add_flag("--replace", options->replace, "Also when the directory holds data");
  command.add_flag("-n,--dry-run", options->dry_run, "Read and judge, write nothing");
  command.add_flag("-y,--yes", options->yes, "Do not ask");
  add_output_option(command, options->output);
  command.footer(std::string(kFooter) + exit_code_help());
  command.callback([options, &context] {
    if (!may_replace(*options, context)) return;
    const auto report = run(*options);
    if (!report) return report_error(report.error(), kCommand, context);
    print_result(result_of(*report, *options), options->output, context.out);
    if (!report->read.sound()) context.exit_code = ExitCode::kFindings;
  });
}

}  // namespace vz::cli
