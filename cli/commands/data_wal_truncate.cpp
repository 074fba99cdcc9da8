// vectorizerctl data wal truncate DIR --at LSN: what came after a record never happened.
#include <memory>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/commands/data_shared.h"
#include "cli/output/result.h"
#include "tools/offline/log_truncate.h"

namespace vz::cli {
namespace {

using nlohmann::ordered_json;
using offline::TruncateOptions;

constexpr std::string_view kCommand = "data wal truncate";
constexpr std::string_view kFooter =
    "Examples:\n"
    "  vectorizerctl data wal truncate /var/lib/vectorizer --at 41200 --dry-run\n"
    "  vectorizerctl data wal truncate DIR --at 41200 --allow-data-loss 17 --yes\n\n"
    "LOSES WRITES: records behind --at are cut off and kept in quarantine/truncated-<epoch>/. A "
    "new\n"
    "epoch begins above every lsn seen, so that no lsn comes again; replicas of this node take a\n"
    "full sync. --at cannot lie below what segments hold (least_lsn). 15: more records would be "
    "lost\n"
    "than --allow-data-loss says. A kill leaves a sound log that ends at --at or anywhere behind "
    "it.\n\n";

struct Options {
  std::string directory;
  TruncateOptions truncate;
  bool yes = false;
  bool dry_run = false;
  OutputFormat output = OutputFormat::kTable;
};

bool may_cut(const Options& options, Context& context) {
  if (options.dry_run || options.yes) return true;
  return confirmed(
      {.command = kCommand,
       .text = "Cut the log of " + options.directory + " behind record " +
               std::to_string(options.truncate.at) + "? Later writes are lost.",
       .without_terminal = "needs --yes when there is no terminal to ask on, or --dry-run"},
      context);
}

void run(Options& options, Context& context) {
  if (!may_cut(options, context)) return;
  if (!options.dry_run) options.truncate.run = TruncateOptions::Run::kApply;
  options.truncate.tool = "vectorizerctl " VZ_VERSION;
  const auto env = make_posix_env();
  const auto report = offline::truncate_log(*env, options.directory, options.truncate);
  if (!report) return report_error(report.error(), kCommand, context);
  if (!report->allowed && !options.dry_run) {
    context.exit_code = ExitCode::kUnsafe;
    context.err << "vectorizerctl " << kCommand << ": nothing was done: " << report->records_lost
                << " records lie behind " << report->at << ", and --allow-data-loss is "
                << options.truncate.loss_allowed << '\n';
  }
  const bool something = report->records_lost > 0;
  ordered_json out = {
      {"schema", "vectorizerctl.data.wal.truncate/1"},
      {"directory", options.directory},
      {"at", report->at},
      {"least_lsn", report->least},
      {"readable_lsn", report->readable},
      {"last_lsn", report->last},
      {"records_lost", report->records_lost},
      {"allowed", report->allowed},
      {"truncated", report->truncated},
      {"new_epoch", something ? ordered_json(report->epoch) : ordered_json()},
      {"new_first_lsn", something ? ordered_json(report->first_lsn) : ordered_json()},
      {"bytes_kept_aside", report->bytes_kept_aside}};
  out["log_files"] = ordered_json::array();
  for (const std::string& file : report->files) out["log_files"].push_back({{"file", file}});
  print_result(out, options.output, context.out);
}

}  // namespace

void add_data_wal_truncate_command(CLI::App& wal, Context& context) {
  auto options = std::make_shared<Options>();  // Shared with the callback, which outlives this.
  auto& command =
      *wal.add_subcommand("truncate", "Cut the log behind a record: later writes are lost");
  command.add_option("DIR", options->directory, "Data directory that no node uses")->required();
  command.add_option("--at", options->truncate.at, "The last lsn that stays")
      ->check(CLI::Range(std::uint64_t{0}, std::uint64_t{1} << 62))
      ->required();
  command
      .add_option("--allow-data-loss", options->truncate.loss_allowed,
                  "How many records may be lost, at most")
      ->check(CLI::Range(std::uint64_t{0}, std::uint64_t{1} << 62))
      ->capture_default_str();
  command.add_flag("-n,--dry-run", options->dry_run, "Say what would be lost, change nothing");
  command.add_flag("-y,--yes", options->yes, "Do not ask");
  add_output_option(command, options->output);
  command.footer(std::string(kFooter) + exit_code_help());
  command.callback([options, &context] { run(*options, context); });
}

}  // namespace vz::cli
