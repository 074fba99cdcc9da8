// vectorizerctl data restore-abort DIR: back to what was there before tar unpacked a snapshot.
#include <memory>
#include <ostream>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/commands/data_shared.h"
#include "cli/output/progress.h"
#include "cli/output/result.h"
#include "tools/offline/restore_abort.h"

namespace vz::cli {
namespace {

using nlohmann::ordered_json;
using offline::RestoreAbortOptions;
using offline::RestoreAbortReport;

constexpr std::string_view kCommand = "data restore-abort";
constexpr std::string_view kFooter =
    "Examples:\n"
    "  vectorizerctl data restore-abort /var/lib/vectorizer --dry-run\n"
    "  vectorizerctl data restore-abort /var/lib/vectorizer -o json\n\n"
    "For a directory into which tar unpacked a snapshot and that no node has been started on "
    "since, "
    "or\n"
    "that a node refuses because files are missing. First every file of the old content is "
    "checked: "
    "tar\n"
    "may have overwritten some, and then there is no way back (4). RESTORE and the files that only "
    "it\n"
    "names go to DIR/quarantine/restore-<time>/. Without a RESTORE nothing is done (0).\n"
    "Under a running node (11) remove DIR/RESTORE instead: the node then goes on as before.\n\n";

struct Options {
  std::string directory;
  bool dry_run = false;
  OutputFormat output = OutputFormat::kTable;
};

ordered_json result_of(const Options& options, const RestoreAbortReport& report) {
  ordered_json out = {{"schema", "vectorizerctl.data.restore_abort/1"},
                      {"data_dir", options.directory},
                      {"dry_run", options.dry_run},
                      {"pending", report.pending},
                      {"aborted", report.pending && !options.dry_run},
                      {"marker_readable", report.marker_readable},
                      {"files_moved", report.files_moved},
                      {"bytes_moved", report.bytes_moved}};
  out["quarantine"] = report.quarantine.empty() ? ordered_json() : ordered_json(report.quarantine);
  return out;
}

void run(const Options& options, Context& context) {
  const auto env = make_posix_env();
  const auto report = [&] {
    ProgressBar bar(context, "checking the old content");
    return offline::abort_restore(*env, {.data_dir = options.directory,
                                         .run = options.dry_run ? RestoreAbortOptions::Run::kDry
                                                                : RestoreAbortOptions::Run::kReal,
                                         .tool = "vectorizerctl " VZ_VERSION,
                                         .on_progress = bar.updates()});
  }();
  if (!report) return report_error(report.error(), kCommand, context);
  print_result(result_of(options, *report), options.output, context.out);
  if (report->pending && !report->marker_readable) {
    context.err
        << "vectorizerctl " << kCommand
        << ": RESTORE is damaged, so the files that came with it cannot be told from others "
           "and stay: data check lists them\n";
  }
}

}  // namespace

void add_data_restore_abort_command(CLI::App& data, Context& context) {
  auto options = std::make_shared<Options>();  // Shared with the callback, which outlives this.
  auto& command = *data.add_subcommand("restore-abort",
                                       "Go back to what was here before tar unpacked a snapshot");
  command.add_option("DIR", options->directory, "Data directory that no node uses")->required();
  command.add_flag("-n,--dry-run", options->dry_run, "Check and judge, move nothing");
  add_output_option(command, options->output);
  command.footer(std::string(kFooter) + exit_code_help());
  command.callback([options, &context] { run(*options, context); });
}

}  // namespace vz::cli
