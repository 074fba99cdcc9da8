// vectorizerctl snapshot inspect, verify and extract: reading an archive.
#include <memory>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/commands/snapshot_shared.h"
#include "storage/snapshot/read.h"

namespace vz::cli {
namespace {

using nlohmann::ordered_json;

struct Options {
  std::string archive;
  std::string to;
  OutputFormat output = OutputFormat::kTable;
};

Result<snapshot::SnapshotSummary> inspect(const Options& options) {
  const auto env = make_posix_env();
  VZ_TRY_ASSIGN(const auto source, open_archive(*env, options.archive));
  return snapshot::inspect(*source);
}

Result<snapshot::ReadReport> verify(const Options& options) {
  const auto env = make_posix_env();
  if (options.archive != kPipe) return snapshot::verify_file(*env, options.archive);
  VZ_TRY_ASSIGN(const auto source, open_archive(*env, options.archive));
  return snapshot::verify(*source);
}

Result<snapshot::ReadReport> extract(const Options& options) {
  const auto env = make_posix_env();
  VZ_TRY_ASSIGN(const auto source, open_archive(*env, options.archive));
  return snapshot::extract(*env, *source, options.to);
}

void finish(const Result<snapshot::ReadReport>& report, ordered_json out, std::string_view command,
            OutputFormat format, Context& context) {
  if (!report) return report_error(report.error(), command, context);
  add_report(*report, out);
  print_result(out, format, context.out);
  if (!report->sound()) context.exit_code = ExitCode::kFindings;
}

}  // namespace

void add_snapshot_inspect_command(CLI::App& snapshot, Context& context) {
  auto options = std::make_shared<Options>();  // Shared with the callback, which outlives this.
  auto& command = *snapshot.add_subcommand("inspect", "Say what an archive holds");
  add_archive_option(command, options->archive);
  add_output_option(command, options->output);
  command.footer(
      "Example:\n"
      "  vectorizerctl snapshot inspect backup.tar.gz\n\n"
      "Reads the first member only. `created` is the time of the newest record in the "
      "archive.\n\n" +
      exit_code_help());
  command.callback([options, &context] {
    const auto summary = inspect(*options);
    if (!summary) return report_error(summary.error(), "snapshot inspect", context);
    ordered_json out = {{"schema", "vectorizerctl.snapshot.inspect/1"}, {"file", options->archive}};
    add_summary(*summary, out);
    print_result(out, options->output, context.out);
  });
}

void add_snapshot_verify_command(CLI::App& snapshot, Context& context) {
  auto options = std::make_shared<Options>();
  auto& command = *snapshot.add_subcommand("verify", "Check every byte of an archive");
  add_archive_option(command, options->archive);
  add_output_option(command, options->output);
  command.footer(
      "Examples:\n"
      "  vectorizerctl snapshot verify backup.tar.gz\n"
      "  ssh host cat backup.tar.gz | vectorizerctl snapshot verify - -o json\n\n"
      "Each file against size and SHA-256 in RESTORE, and the archive against FILE.sha256 when "
      "that\n"
      "is there. Exit status 4 when something is wrong; each finding is a row.\n\n" +
      exit_code_help());
  command.callback([options, &context] {
    finish(verify(*options),
           {{"schema", "vectorizerctl.snapshot.verify/1"}, {"file", options->archive}},
           "snapshot verify", options->output, context);
  });
}

void add_snapshot_extract_command(CLI::App& snapshot, Context& context) {
  auto options = std::make_shared<Options>();
  auto& command = *snapshot.add_subcommand("extract", "Unpack an archive, checked");
  add_archive_option(command, options->archive);
  command.add_option("--to", options->to, "A new or an empty directory")->required();
  add_output_option(command, options->output);
  command.footer(
      "Example:\n"
      "  vectorizerctl snapshot extract backup.tar.gz --to /tmp/backup\n\n"
      "For looking at the files; `snapshot restore` makes a data directory of them. When anything "
      "is\n"
      "wrong with the archive nothing stays in the directory.\n\n" +
      exit_code_help());
  command.callback([options, &context] {
    finish(extract(*options),
           {{"schema", "vectorizerctl.snapshot.extract/1"},
            {"file", options->archive},
            {"to", options->to}},
           "snapshot extract", options->output, context);
  });
}

}  // namespace vz::cli
