// vectorizerctl data repair DIR [--apply]: the plan of a repair, or the repair.
#include <algorithm>
#include <memory>
#include <ostream>
#include <thread>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/commands/data_shared.h"
#include "cli/output/progress.h"
#include "cli/output/result.h"
#include "tools/offline/repair.h"

namespace vz::cli {
namespace {

using nlohmann::ordered_json;
using offline::RepairOptions;
using offline::RepairReport;

constexpr std::string_view kCommand = "data repair";
constexpr std::size_t kIdsOnTerminal = 20;

constexpr std::string_view kFooter =
    "Examples:\n"
    "  vectorizerctl data repair /var/lib/vectorizer\n"
    "  vectorizerctl data repair /var/lib/vectorizer --apply --allow-data-loss 3\n\n"
    "Without --apply it only reads, and prints what it would do. What is derived is made again; "
    "of\n"
    "damaged segments the rows that decode go on; damaged files go to quarantine/ with a record.\n"
    "Points and log records that would be lost are named one by one, and --allow-data-loss must\n"
    "be at least their number (15 otherwise, and nothing is changed). space_needed bytes have to "
    "be\n"
    "free (12 otherwise, and nothing is changed). A kill at any moment: run it again.\n"
    "0: nothing to do, or done; 4: there is a plan, or damage without a remedy.\n\n";

struct Options {
  std::string directory;
  bool apply = false;
  bool dry_run = false;
  std::uint64_t loss_allowed = 0;
  unsigned threads = std::clamp(std::thread::hardware_concurrency(), 1u, offline::kCheckThreadsMax);
  OutputFormat output = OutputFormat::kTable;
};

std::string joined(const std::vector<check::FindingId>& ids) {
  std::string text;
  for (const auto id : ids) text += (text.empty() ? "" : " ") + check::id_text(id);
  return text;
}

ordered_json id_of(const std::optional<PointId>& id) {
  if (!id) return nullptr;
  if (id->is_number()) return id->low;
  return id->to_string();
}

ordered_json gone_of(const RepairReport& report, std::size_t max) {
  ordered_json out = ordered_json::array();
  for (const auto& lost : report.points) {
    for (const PointId& id : lost.gone) {
      if (out.size() == max) return out;
      out.push_back({{"collection", lost.name}, {"id", id_of(id)}});
    }
  }
  return out;
}

ordered_json collections_of(const RepairReport& report) {
  ordered_json out = ordered_json::array();
  for (const auto& lost : report.points) {
    out.push_back({{"collection", lost.name},
                   {"points_gone", lost.gone_count()},
                   {"points_gone_without_id", lost.gone_count() - lost.gone.size()},
                   {"points_returned", lost.returned},
                   {"versions_unconfirmed", lost.unconfirmed_versions}});
  }
  return out;
}

ordered_json unnamed_of(const RepairReport& report) {
  ordered_json out = ordered_json::array();
  for (const auto& lost : report.points) {
    for (const auto& rows : lost.unnamed) {
      out.push_back({{"collection", lost.name},
                     {"rows", rows.rows},
                     {"after_id", id_of(rows.after)},
                     {"before_id", id_of(rows.before)}});
    }
  }
  return out;
}

ordered_json result_of(const Options& options, const RepairReport& report, std::size_t ids_max) {
  ordered_json out = {{"schema", "vectorizerctl.data.repair/1"},
                      {"directory", options.directory},
                      {"applied", report.applied},
                      {"loss", report.loss()},
                      {"records_lost", report.records.records},
                      {"records_lost_is_exact", report.records.count_is_known},
                      {"first_lost_lsn", report.records.first_lsn},
                      {"last_lost_lsn", report.records.last_lsn},
                      {"space_needed", report.space_needed},
                      {"free_bytes", report.free_bytes},
                      {"new_epoch", report.new_epoch},
                      {"new_first_lsn", report.new_first_lsn}};
  out["actions"] = ordered_json::array();
  for (const auto& action : report.actions) {
    out["actions"].push_back(
        {{"file", action.file}, {"because", joined(action.because)}, {"what", action.what}});
  }
  out["collections"] = collections_of(report);
  out["points_gone"] = gone_of(report, ids_max);
  out["points_gone_without_id"] = unnamed_of(report);
  out["notes"] = ordered_json::array();
  for (const std::string& note : report.notes) out["notes"].push_back({{"note", note}});
  out["quarantined"] = ordered_json::array();
  for (const std::string& name : report.quarantined) out["quarantined"].push_back({{"name", name}});
  out["unmended"] = ordered_json::array();
  for (const auto& finding : report.unmended) {
    out["unmended"].push_back(
        {{"id", check::id_text(finding.id)}, {"file", finding.file}, {"message", finding.message}});
  }
  return out;
}

void talk(const Options& options, const RepairReport& report, Context& context) {
  if (report.applied || report.actions.empty()) return;
  context.err << "vectorizerctl " << kCommand << ": nothing was changed; ";
  if (options.apply) {
    context.err << report.loss() << " points and log records would be lost, and "
                << options.loss_allowed << " are allowed: save what you can (data salvage), then "
                << "--allow-data-loss " << report.loss() << " would do\n";
  } else if (report.loss() > 0) {
    context.err << "to apply the plan: --apply --allow-data-loss " << report.loss() << '\n';
  } else {
    context.err << "to apply the plan, which loses nothing: --apply\n";
  }
}

ExitCode exit_code_of_report(const Options& options, const RepairReport& report) {
  if (options.apply && !report.applied && !report.actions.empty()) return ExitCode::kUnsafe;
  if (!report.unmended.empty()) return ExitCode::kFindings;
  return report.applied || report.actions.empty() ? ExitCode::kOk : ExitCode::kFindings;
}

void run(const Options& options, Context& context) {
  RepairOptions repair{.loss_allowed = options.loss_allowed,
                       .threads = options.threads,
                       .tool = "vectorizerctl " VZ_VERSION};
  if (options.apply) repair.run = RepairOptions::Run::kApplied;
  const auto env = make_posix_env();
  const auto report = [&] {
    ProgressBar bar(context, "reading");
    repair.progress = bar.updates();
    return offline::repair(*env, options.directory, repair);
  }();
  if (!report) return report_error(report.error(), kCommand, context);
  context.exit_code = exit_code_of_report(options, *report);
  const bool cut = options.output == OutputFormat::kTable && context.out_is_terminal;
  ordered_json out = result_of(options, *report, cut ? kIdsOnTerminal : ~std::size_t{0});
  out["exit_code"] = static_cast<unsigned>(context.exit_code);
  print_result(out, options.output, context.out);
  if (cut && out.at("points_gone").size() == kIdsOnTerminal)
    context.err << "the first " << kIdsOnTerminal << " points that are gone; all: -o json\n";
  talk(options, *report, context);
}

}  // namespace

void add_data_repair_command(CLI::App& data, Context& context) {
  auto options = std::make_shared<Options>();  // Shared with the callback, which outlives this.
  auto& command =
      *data.add_subcommand("repair", "Mend a damaged data directory: a plan, then --apply");
  command.add_option("DIR", options->directory, "Data directory that no node uses")->required();
  add_apply_options(command, options->apply, options->dry_run);
  command
      .add_option("--allow-data-loss", options->loss_allowed,
                  "So many points and log records may be lost")
      ->check(CLI::Range(std::uint64_t{0}, std::uint64_t{1} << 62))
      ->needs(command.get_option("--apply"))
      ->capture_default_str();
  command.add_option("--threads", options->threads, "Threads that read and build")
      ->check(CLI::Range(1u, offline::kCheckThreadsMax))
      ->capture_default_str();
  add_output_option(command, options->output);
  command.footer(std::string(kFooter) + exit_code_help());
  command.callback([options, &context] { run(*options, context); });
}

}  // namespace vz::cli
