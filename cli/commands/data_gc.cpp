// vectorizerctl data gc DIR: removes what is ours and nobody needs.
#include <memory>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/commands/data_shared.h"
#include "cli/output/result.h"
#include "tools/offline/garbage.h"

namespace vz::cli {
namespace {

using nlohmann::ordered_json;
using offline::GarbageOptions;

constexpr std::string_view kFooter =
    "Examples:\n"
    "  vectorizerctl data gc /var/lib/vectorizer\n"
    "  vectorizerctl data gc /var/lib/vectorizer --apply --discard-previous\n\n"
    "Without --apply it prints what it would remove and changes nothing. It removes files that no\n"
    "kept manifest names and that were never finished, what restores have left in tmp/, what a "
    "killed\n"
    "compact has left in --workdir, and,\n"
    "with --discard-previous, the content that they replaced. Files that are not ours are listed "
    "and\n"
    "stay. 3: something could not be removed.\n\n";

struct Options {
  std::string directory;
  bool apply = false;
  bool dry_run = false;
  bool discard_previous = false;
  std::string workdir;
  OutputFormat output = OutputFormat::kTable;
};

ordered_json json_of(const Options& options, const offline::GarbageReport& report) {
  ordered_json out = {{"schema", "vectorizerctl.data.gc/1"},
                      {"directory", options.directory},
                      {"applied", options.apply},
                      {"manifest", report.manifest},
                      {"items_count", report.items.size()},
                      {"bytes", report.bytes()},
                      {"removed_bytes", report.removed_bytes()}};
  out["items"] = ordered_json::array();
  for (const auto& item : report.items) {
    out["items"].push_back({{"kind", offline::garbage_kind_name(item.kind)},
                            {"path", item.path},
                            {"bytes", item.size_bytes},
                            {"removed", item.removed}});
  }
  out["kept"] = ordered_json::array();
  for (const auto& item : report.kept) {
    out["kept"].push_back(
        {{"path", item.path}, {"bytes", item.size_bytes}, {"reason", item.reason}});
  }
  return out;
}

void run(const Options& options, Context& context) {
  const auto env = make_posix_env();
  GarbageOptions gc;
  if (options.apply) gc.run = GarbageOptions::Run::kApply;
  if (options.discard_previous) gc.previous = GarbageOptions::Previous::kDiscarded;
  gc.workdir = options.workdir;
  const auto report = offline::collect_garbage(*env, options.directory, gc);
  if (!report) return report_error(report.error(), "data gc", context);
  if (options.apply && !report->complete()) context.exit_code = ExitCode::kPartial;
  print_result(json_of(options, *report), options.output, context.out);
}

}  // namespace

void add_data_gc_command(CLI::App& data, Context& context) {
  auto options = std::make_shared<Options>();  // Shared with the callback, which outlives this.
  auto& command =
      *data.add_subcommand("gc", "Remove files that nobody needs; by default only plan");
  command.add_option("DIR", options->directory, "Data directory that no node uses")->required();
  add_apply_options(command, options->apply, options->dry_run);
  command.add_flag("--discard-previous", options->discard_previous,
                   "Also previous-<time>/, which restores have kept");
  command.add_option("--workdir", options->workdir,
                     "Also what a killed `data compact --workdir` has left there");
  add_output_option(command, options->output);
  command.footer(std::string(kFooter) + exit_code_help());
  command.callback([options, &context] { run(*options, context); });
}

}  // namespace vz::cli
