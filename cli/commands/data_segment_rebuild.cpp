// vectorizerctl data segment rebuild-index DIR: index and columns of segments, built anew.
#include <algorithm>
#include <memory>
#include <thread>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/commands/collection_option.h"
#include "cli/commands/data_shared.h"
#include "cli/output/progress.h"
#include "cli/output/result.h"
#include "tools/offline/check.h"
#include "tools/offline/index_rebuild.h"

namespace vz::cli {
namespace {

using nlohmann::ordered_json;
using offline::RebuildOptions;

constexpr std::string_view kCommand = "data segment rebuild-index";
constexpr std::string_view kFooter =
    "Examples:\n"
    "  vectorizerctl data segment rebuild-index /var/lib/vectorizer 0001-00000007 --apply\n"
    "  vectorizerctl data segment rebuild-index DIR --collection words --apply\n"
    "  vectorizerctl data segment rebuild-index DIR --all --apply\n\n"
    "Without --apply it prints which segments it would build for and changes nothing. Writes new\n"
    ".index and .fields files; rows are not touched. One image a segment: a kill leaves old files "
    "or\n"
    "new ones.\n\n";

struct Options {
  std::string directory;
  std::string segment;
  std::string collection;
  bool all = false;
  unsigned threads = std::clamp(std::thread::hardware_concurrency(), 1u, offline::kCheckThreadsMax);
  bool apply = false;
  bool dry_run = false;
  OutputFormat output = OutputFormat::kTable;
};

Result<RebuildOptions> rebuild_of(const Options& options) {
  RebuildOptions rebuild{.threads = options.threads};
  if (options.segment.empty() && options.collection.empty() && !options.all) {
    return fail(ErrorCode::kInvalidArgument,
                "which segments? Name a SEGMENT, a --collection, or --all");
  }
  rebuild.selection.collection = options.collection;
  if (options.apply) rebuild.run = RebuildOptions::Run::kApply;
  if (options.segment.empty()) return rebuild;
  VZ_TRY_ASSIGN(rebuild.selection.segment, offline::parse_segment_name(options.segment));
  return rebuild;
}

void run(const Options& options, Context& context) {
  auto rebuild = rebuild_of(options);
  if (!rebuild) return report_error(rebuild.error(), kCommand, context);
  const auto env = make_posix_env();
  const auto segments = [&] {
    ProgressBar bar(context, "building");
    rebuild->progress = bar.updates();
    return offline::rebuild_index(*env, options.directory, *rebuild);
  }();
  if (!segments) return report_error(segments.error(), kCommand, context);
  ordered_json out = {{"schema", "vectorizerctl.data.segment.rebuild-index/1"},
                      {"directory", options.directory},
                      {"applied", options.apply},
                      {"count", segments->size()}};
  out["segments"] = ordered_json::array();
  for (const auto& one : *segments) {
    out["segments"].push_back({{"segment", offline::text_of(one.before.name)},
                               {"collection", one.before.collection_name},
                               {"rows", one.before.rows},
                               {"index_bytes_before", one.before.index_bytes},
                               {"fields_bytes_before", one.before.fields_bytes},
                               {"index_bytes", one.index_bytes},
                               {"fields_bytes", one.fields_bytes},
                               {"rebuilt", one.rebuilt}});
  }
  print_result(out, options.output, context.out);
}

}  // namespace

void add_data_segment_rebuild_command(CLI::App& segment, Context& context) {
  auto options = std::make_shared<Options>();  // Shared with the callback, which outlives this.
  auto& command = *segment.add_subcommand("rebuild-index",
                                          "Build index and columns anew; by default only plan");
  command.add_option("DIR", options->directory, "Data directory that no node uses")->required();
  auto* name = command.add_option("SEGMENT", options->segment, "<epoch>-<seq>");
  add_collection_option(command, options->collection, "All of this one, by name or alias");
  command.add_flag("--all", options->all, "All of the directory")->excludes(name);
  add_apply_options(command, options->apply, options->dry_run);
  command.add_option("--threads", options->threads, "Threads that build graphs")
      ->check(CLI::Range(1u, offline::kCheckThreadsMax))
      ->capture_default_str();
  add_output_option(command, options->output);
  command.footer(std::string(kFooter) + exit_code_help());
  command.callback([options, &context] { run(*options, context); });
}

}  // namespace vz::cli
