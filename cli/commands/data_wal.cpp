// vectorizerctl data wal list|stats|dump|verify: the log of a data directory.
#include <memory>
#include <ostream>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/commands/data_report.h"
#include "cli/commands/data_shared.h"
#include "cli/context/printable.h"
#include "cli/output/progress.h"
#include "cli/output/result.h"
#include "tools/offline/log_contents.h"
#include "tools/offline/verify.h"

namespace vz::cli {
namespace {

using nlohmann::ordered_json;
using offline::DumpOptions;

constexpr std::string_view kListFooter =
    "Example:\n"
    "  vectorizerctl data wal list /var/lib/vectorizer\n\n"
    "needed: a start reads the file. problem: where reading it ended before its end; whether that "
    "is\n"
    "damage or a write that was cut short, `data wal verify` says.\n\n";
constexpr std::string_view kStatsFooter =
    "Example:\n"
    "  vectorizerctl data wal stats /var/lib/vectorizer -o json\n\n"
    "unflushed_records are in no segment: the next start applies them.\n\n";
constexpr std::string_view kDumpFooter =
    "Examples:\n"
    "  vectorizerctl data wal dump /var/lib/vectorizer --from 1000 --to 2000\n"
    "  vectorizerctl data wal dump DIR --vectors --payloads | jq 'select(.kind == \"points\")'\n\n"
    "One line of JSON a record, then one with the schema that sums up: it ends a dump that is "
    "whole.\n"
    "Damage ends a file, not the dump, and makes the exit status 4; a torn tail does not.\n\n";
constexpr std::string_view kVerifyFooter =
    "Example:\n"
    "  vectorizerctl data wal verify /var/lib/vectorizer\n\n"
    "Every record's checksum, order and content. A tail that nobody was told to be durable is a\n"
    "note; damage before something that was durable is 4.\n\n";

struct Options {
  std::string directory;
  OutputFormat output = OutputFormat::kTable;
};

ordered_json lsn_or_null(Lsn lsn) {
  return lsn == 0 ? ordered_json() : ordered_json(lsn);
}

ordered_json totals_of(const Options& options, const offline::LogSummary& log) {
  ordered_json out = {{"directory", options.directory},
                      {"files", log.files.size()},
                      {"records", log.all.records},
                      {"record_bytes", log.all.bytes},
                      {"unflushed_records", log.unflushed.records},
                      {"unflushed_bytes", log.unflushed.bytes},
                      {"log_lsn", log.log_lsn},
                      {"clean_lsn", lsn_or_null(log.clean_lsn)}};
  return out;
}

ordered_json list_of(const Options& options, const offline::LogSummary& log) {
  ordered_json out = {{"schema", "vectorizerctl.data.wal.list/1"}};
  out.update(totals_of(options, log));
  ordered_json& files = out["log_files"] = ordered_json::array();
  for (const auto& file : log.files) {
    files.push_back(
        {{"file", file.name},
         {"epoch", file.epoch},
         {"first_lsn", file.first_lsn},
         {"last_lsn", lsn_or_null(file.last_lsn)},
         {"records", file.records},
         {"record_bytes", file.record_bytes},
         {"size_bytes", file.size_bytes},
         {"needed", file.needed},
         {"problem", file.problem.empty() ? ordered_json() : ordered_json(file.problem)}});
  }
  return out;
}

ordered_json stats_of(const Options& options, const offline::LogSummary& log) {
  ordered_json out = {{"schema", "vectorizerctl.data.wal.stats/1"}};
  out.update(totals_of(options, log));
  std::int64_t first_time = 0;
  std::int64_t last_time = 0;
  for (const auto& file : log.files) {
    if (file.records == 0) continue;
    if (first_time == 0) first_time = file.first_time_us;
    last_time = file.last_time_us;
  }
  out["first_time_us"] = first_time;
  out["last_time_us"] = last_time;
  ordered_json& kinds = out["kinds"] = ordered_json::array();
  for (const auto& [kind, count] : log.kinds) {
    kinds.push_back({{"kind", offline::log_kind_name(kind)},
                     {"records", count.records},
                     {"bytes", count.bytes}});
  }
  ordered_json& collections = out["collections"] = ordered_json::array();
  for (const auto& [id, count] : log.collections) {
    const auto name = log.names.find(id);
    collections.push_back(
        {{"collection_id", lsn_or_null(id)},
         {"name", name == log.names.end() ? ordered_json() : ordered_json(name->second)},
         {"records", count.records},
         {"bytes", count.bytes}});
  }
  return out;
}

void run_summary(const Options& options, std::string_view command,
                 ordered_json (*print)(const Options&, const offline::LogSummary&),
                 Context& context) {
  const auto env = make_posix_env();
  const auto log = offline::read_log(*env, options.directory);
  if (!log) return report_error(log.error(), command, context);
  print_result(print(options, *log), options.output, context.out);
}

void add_summary_command(CLI::App& group, const std::string& name, const std::string& what,
                         std::string_view footer, Context& context,
                         ordered_json (*print)(const Options&, const offline::LogSummary&)) {
  auto options = std::make_shared<Options>();  // Shared with the callback, which outlives this.
  auto& command = *group.add_subcommand(name, what);
  command.add_option("DIR", options->directory, "Data directory that no node uses")->required();
  add_output_option(command, options->output);
  command.footer(std::string(footer) + exit_code_help());
  command.callback([options, name, print, &context] {
    run_summary(*options, "data wal " + name, print, context);
  });
}

struct DumpCommand {
  std::string directory;
  DumpOptions dump;
  bool vectors = false;
  bool payloads = false;
};

void run_dump(DumpCommand& options, Context& context) {
  if (options.vectors) options.dump.vectors = DumpOptions::Part::kShown;
  if (options.payloads) options.dump.payloads = DumpOptions::Part::kShown;
  const auto env = make_posix_env();
  const auto summary =
      offline::dump_log(*env, options.directory, options.dump,
                        [&](const std::string& line) { context.out << line << '\n'; });
  if (!summary) return report_error(summary.error(), "data wal dump", context);
  if (!summary->damage.empty()) context.exit_code = ExitCode::kFindings;
  ordered_json out = {{"schema", "vectorizerctl.data.wal.dump/1"},
                      {"directory", options.directory},
                      {"records", summary->records},
                      {"first_lsn", lsn_or_null(summary->first_lsn)},
                      {"last_lsn", lsn_or_null(summary->last_lsn)},
                      {"torn_tail_lsn",
                       summary->torn_tail ? ordered_json(summary->torn_tail->lsn) : ordered_json()},
                      {"damage", summary->damage},
                      {"exit_code", static_cast<unsigned>(context.exit_code)}};
  context.out << out.dump(-1, ' ', false, ordered_json::error_handler_t::replace) << '\n';
  for (const std::string& one : summary->damage)
    context.err << "vectorizerctl data wal dump: " << printable(one) << '\n';
}

void add_dump_command(CLI::App& group, Context& context) {
  auto options = std::make_shared<DumpCommand>();  // Shared with the callback, which outlives this.
  auto& command = *group.add_subcommand("dump", "Every record, decoded");
  command.add_option("DIR", options->directory, "Data directory that no node uses")->required();
  command.add_option("--from", options->dump.from, "First lsn")
      ->check(CLI::Range(std::uint64_t{0}, std::uint64_t{1} << 62))
      ->capture_default_str();
  command.add_option("--to", options->dump.to, "Last lsn; default: all")
      ->check(CLI::Range(std::uint64_t{0}, std::uint64_t{1} << 62));
  command.add_flag("--vectors", options->vectors, "With the vectors of points");
  command.add_flag("--payloads", options->payloads, "With the payloads of points");
  command
      .add_option_function<std::string>(
          "-o,--output", [](const std::string&) {}, "The form of the lines: jsonl")
      ->check(CLI::IsMember({"jsonl"}))
      ->default_str("jsonl");
  command.footer(std::string(kDumpFooter) + exit_code_help());
  command.callback([options, &context] { run_dump(*options, context); });
}

struct VerifyCommand {
  std::string directory;
  ReportFormat output = ReportFormat::kTable;
};

void run_verify(const VerifyCommand& options, Context& context) {
  const auto env = make_posix_env();
  const auto report = [&] {
    ProgressBar bar(context, "verifying");
    return offline::verify_log(*env, options.directory, bar.updates());
  }();
  if (!report) return report_error(report.error(), "data wal verify", context);
  print_check({{"schema", "vectorizerctl.data.wal.verify/1"}, {"directory", options.directory}},
              *report, options.output, context);
}

void add_verify_command(CLI::App& group, Context& context) {
  auto options =
      std::make_shared<VerifyCommand>();  // Shared with the callback, which outlives this.
  auto& command = *group.add_subcommand("verify", "Verify the log, without changing it");
  command.add_option("DIR", options->directory, "Data directory that no node uses")->required();
  add_report_option(command, options->output);
  command.footer(std::string(kVerifyFooter) + exit_code_help());
  command.callback([options, &context] { run_verify(*options, context); });
}

}  // namespace

void add_data_wal_command(CLI::App& data, Context& context) {
  auto& group = *data.add_subcommand("wal", "The log of a data directory");
  group.require_subcommand(1);
  add_summary_command(group, "list", "Its files", kListFooter, context, list_of);
  add_summary_command(group, "stats", "Its records by kind and collection", kStatsFooter, context,
                      stats_of);
  add_dump_command(group, context);
  add_verify_command(group, context);
  add_data_wal_truncate_command(group, context);
  group.footer(exit_code_help());
}

}  // namespace vz::cli
