// vectorizerctl data compact DIR: fewer segments, without dead rows.
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
#include "tools/offline/compact.h"

namespace vz::cli {
namespace {

using nlohmann::ordered_json;
using offline::CompactOptions;

constexpr std::string_view kCommand = "data compact";
constexpr std::string_view kFooter =
    "Examples:\n"
    "  vectorizerctl data compact /var/lib/vectorizer\n"
    "  vectorizerctl data compact /var/lib/vectorizer --apply\n"
    "  vectorizerctl data compact DIR --apply --collection words --compression zstd:19\n\n"
    "Without --apply it prints the plan and changes nothing. Each collection's segments are "
    "merged\n"
    "into new ones without dead rows, with index and columns built anew; the new ones are put in\n"
    "force only if they hold the same points: count and logical digest (`data hash`). The log is\n"
    "not touched. Segments go one group after another; space_needed bytes are free beside the "
    "old\n"
    "files, or nothing is written (12). Where they are not, --workdir builds on another disk; then "
    "it\n"
    "takes space_with_workdir here and space_in_workdir there, and until a group is done a node "
    "would\n"
    "search it without a graph. A kill at any moment leaves each group old or new; a rerun goes "
    "on,\n"
    "and does nothing where nothing is gained. --compression is for payloads.\n\n";

struct Options {
  std::string directory;
  std::string collection;
  std::string compression;
  std::string workdir;
  std::uint64_t segment_rows_max = limits::kSegmentRowsMax;
  unsigned threads = std::clamp(std::thread::hardware_concurrency(), 1u, offline::kCheckThreadsMax);
  bool apply = false;
  bool dry_run = false;
  OutputFormat output = OutputFormat::kTable;
};

ordered_json json_of(const Options& options, const offline::CompactReport& report) {
  std::uint64_t needed = 0;
  std::uint64_t with_workdir = 0;
  std::uint64_t in_workdir = 0;
  std::uint64_t memory = 0;
  std::uint64_t compacted = 0;
  for (const auto& one : report.collections) {
    if (!one.reason.empty()) {
      needed = std::max(needed, one.space_needed);
      with_workdir = std::max(with_workdir, one.space_with_workdir);
      in_workdir = std::max(in_workdir, one.space_in_workdir);
      memory = std::max(memory, one.memory_needed);
    }
    compacted += one.compacted ? 1 : 0;
  }
  ordered_json out = {{"schema", "vectorizerctl.data.compact/1"},
                      {"directory", options.directory},
                      {"applied", options.apply},
                      {"compacted", compacted},
                      {"space_needed", needed},
                      {"free_bytes", report.free_bytes},
                      {"space_with_workdir", with_workdir},
                      {"space_in_workdir", in_workdir},
                      {"workdir_free_bytes", report.workdir_free_bytes},
                      {"memory_needed", memory}};
  out["collections"] = ordered_json::array();
  for (const auto& one : report.collections) {
    out["collections"].push_back(
        {{"name", one.name},
         {"id", one.id},
         {"points", one.totals.points},
         {"digest", hex(one.totals.digest)},
         {"segments", one.segments},
         {"rows", one.rows},
         {"dead_rows", one.dead_rows},
         {"bytes", one.bytes},
         {"segments_after", one.segments_after},
         {"bytes_after", one.bytes_after},
         {"compacted", one.compacted},
         {"built_in_workdir", one.built_in_workdir},
         {"reason", one.reason.empty() ? ordered_json() : ordered_json(one.reason)}});
  }
  return out;
}

void run(const Options& options, Context& context) {
  CompactOptions compact{.collection = options.collection,
                         .segment_rows_max = options.segment_rows_max,
                         .threads = options.threads,
                         .workdir = options.workdir};
  if (options.apply) compact.run = CompactOptions::Run::kApply;
  if (!options.compression.empty()) {
    const auto level = offline::parse_compression(options.compression);
    if (!level) return report_error(level.error(), kCommand, context);
    compact.zstd_level = *level;
  }
  const auto env = make_posix_env();
  const auto report = [&] {
    ProgressBar bar(context, options.apply ? "compacting" : "planning");
    compact.progress = bar.updates();
    return offline::compact(*env, options.directory, compact);
  }();
  if (!report) return report_error(report.error(), kCommand, context);
  print_result(json_of(options, *report), options.output, context.out);
}

}  // namespace

void add_data_compact_command(CLI::App& data, Context& context) {
  auto options = std::make_shared<Options>();  // Shared with the callback, which outlives this.
  auto& command =
      *data.add_subcommand("compact", "Merge segments and drop dead rows; by default only plan");
  command.add_option("DIR", options->directory, "Data directory that no node uses")->required();
  add_apply_options(command, options->apply, options->dry_run);
  add_collection_option(command, options->collection, "This one only, by name or alias");
  command.add_option("--compression", options->compression,
                     "Of payloads: none, or zstd:1 to zstd:22; rewrites what differs");
  command.add_option("--workdir", options->workdir,
                     "On another disk: build there if DIR's has no room for old and new together");
  command.add_option("--max-rows", options->segment_rows_max, "Rows of a new segment, at most")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{limits::kSegmentRowsMax}))
      ->capture_default_str();
  command.add_option("--threads", options->threads, "Threads that build graphs")
      ->check(CLI::Range(1u, offline::kCheckThreadsMax))
      ->capture_default_str();
  add_output_option(command, options->output);
  command.footer(std::string(kFooter) + exit_code_help());
  command.callback([options, &context] { run(*options, context); });
}

}  // namespace vz::cli
