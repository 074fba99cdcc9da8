// vectorizerctl data segment list|show|verify: the segments of a data directory.
#include <cmath>
#include <memory>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/commands/collection_option.h"
#include "cli/commands/data_report.h"
#include "cli/commands/data_shared.h"
#include "cli/output/progress.h"
#include "cli/output/result.h"
#include "engine/collection/definition.h"
#include "tools/offline/segments.h"
#include "tools/offline/verify.h"

namespace vz::cli {
namespace {

using nlohmann::ordered_json;
using offline::SegmentSummary;

constexpr std::string_view kListFooter =
    "Example:\n"
    "  vectorizerctl data segment list /var/lib/vectorizer --collection words\n\n"
    "By the manifest alone: as of the last seal.\n\n";
constexpr std::string_view kShowFooter =
    "Example:\n"
    "  vectorizerctl data segment show /var/lib/vectorizer 0001-00000007 -o json\n\n"
    "SEGMENT is <epoch>-<seq> as its files are named. payload_ratio: decompressed to stored "
    "bytes.\n\n";
constexpr std::string_view kVerifyFooter =
    "Examples:\n"
    "  vectorizerctl data segment verify /var/lib/vectorizer 0001-00000007\n"
    "  vectorizerctl data segment verify /var/lib/vectorizer --collection words -o json\n\n"
    "All that `data check --deep` checks, of these segments only: SHA-256, blocks, ids, vectors,\n"
    "payloads, row hashes, index, columns. Never writes. 4: findings.\n\n";

struct Options {
  std::string directory;
  std::string segment;
  std::string collection;
  OutputFormat output = OutputFormat::kTable;
  ReportFormat report = ReportFormat::kTable;  ///< of verify
};

Result<offline::SegmentSelection> selection_of(const Options& options) {
  offline::SegmentSelection selection{.collection = options.collection};
  if (options.segment.empty()) return selection;
  VZ_TRY_ASSIGN(selection.segment, offline::parse_segment_name(options.segment));
  return selection;
}

ordered_json json_of(const SegmentSummary& one) {
  return {{"segment", offline::text_of(one.name)},
          {"collection", one.collection_name},
          {"collection_id", one.collection},
          {"rows", one.rows},
          {"dead_rows", one.dead_rows},
          {"seg_bytes", one.seg_bytes},
          {"dead_bytes", one.dead_bytes},
          {"index_bytes", one.index_bytes},
          {"fields_bytes", one.fields_bytes}};
}

ordered_json json_of(const Options& options, const offline::SegmentDetails& details) {
  ordered_json out = {{"schema", "vectorizerctl.data.segment.show/1"},
                      {"directory", options.directory}};
  out.update(json_of(details.summary));
  const bool empty = details.summary.rows == 0;
  out["min_lsn"] = details.min_lsn;
  out["max_lsn"] = details.max_lsn;
  out["min_id"] = empty ? ordered_json() : ordered_json(details.min_id.to_string());
  out["max_id"] = empty ? ordered_json() : ordered_json(details.max_id.to_string());
  out["tombstones"] = details.tombstones;
  out["payload_blocks"] = details.payload_blocks;
  out["payload_raw_bytes"] = details.payload_raw_bytes;
  out["payload_stored_bytes"] = details.payload_stored_bytes;
  const auto stored = static_cast<double>(details.payload_stored_bytes);
  const auto raw = static_cast<double>(details.payload_raw_bytes);
  out["payload_ratio"] =
      stored > 0 ? ordered_json(std::round(raw / stored * 100) / 100) : ordered_json();
  std::string replaces;
  for (const SegmentSeq seq : details.replaces)
    replaces += (replaces.empty() ? "" : " ") + std::to_string(seq);
  out["replaces"] = replaces;
  out["columns"] = ordered_json::array();
  for (const auto& column : details.columns) {
    out["columns"].push_back({{"vector", column.name},
                              {"kind", collection::kind_name(column.kind)},
                              {"dimension", column.dimension},
                              {"present", column.present},
                              {"bytes", column.bytes}});
  }
  out["files"] = ordered_json::array();
  for (const auto& file : details.files) {
    out["files"].push_back(
        {{"file", file.path}, {"bytes", file.bytes}, {"sha256", to_hex(file.sha256)}});
  }
  return out;
}

void run_list(const Options& options, Context& context) {
  const auto env = make_posix_env();
  const auto segments = offline::list_segments(*env, options.directory, options.collection);
  if (!segments) return report_error(segments.error(), "data segment list", context);
  ordered_json out = {{"schema", "vectorizerctl.data.segment.list/1"},
                      {"directory", options.directory},
                      {"count", segments->size()}};
  out["segments"] = ordered_json::array();
  for (const SegmentSummary& one : *segments) out["segments"].push_back(json_of(one));
  print_result(out, options.output, context.out);
}

void run_show(const Options& options, Context& context) {
  const auto env = make_posix_env();
  const auto selection = selection_of(options);
  if (!selection) return report_error(selection.error(), "data segment show", context);
  const auto details = offline::show_segment(*env, options.directory, *selection);
  if (!details) return report_error(details.error(), "data segment show", context);
  print_result(json_of(options, *details), options.output, context.out);
}

void run_verify(const Options& options, Context& context) {
  constexpr std::string_view kCommand = "data segment verify";
  const auto env = make_posix_env();
  const auto selection = selection_of(options);
  if (!selection) return report_error(selection.error(), kCommand, context);
  const auto report = [&] {
    ProgressBar bar(context, "verifying");
    return offline::verify_segments(*env, options.directory, *selection, bar.updates());
  }();
  if (!report) return report_error(report.error(), kCommand, context);
  print_check(
      {{"schema", "vectorizerctl.data.segment.verify/1"},
       {"directory", options.directory},
       {"segment", options.segment.empty() ? ordered_json() : ordered_json(options.segment)}},
      *report, options.report, context);
}

enum class Segment { kNone, kOptional, kRequired };
enum class Form { kResult, kReport };

void add(CLI::App& group, const std::string& name, const std::string& what, std::string_view footer,
         Segment segment, Form form, Context& context, void (*run)(const Options&, Context&)) {
  auto options = std::make_shared<Options>();  // Shared with the callback, which outlives this.
  auto& command = *group.add_subcommand(name, what);
  command.add_option("DIR", options->directory, "Data directory that no node uses")->required();
  if (segment != Segment::kNone) {
    command
        .add_option("SEGMENT", options->segment,
                    segment == Segment::kRequired ? "<epoch>-<seq>" : "<epoch>-<seq>; default: all")
        ->required(segment == Segment::kRequired);
  }
  add_collection_option(command, options->collection, "Of this one only, by name or alias");
  if (form == Form::kReport) {
    add_report_option(command, options->report);
  } else {
    add_output_option(command, options->output);
  }
  command.footer(std::string(footer) + exit_code_help());
  command.callback([options, run, &context] { run(*options, context); });
}

}  // namespace

void add_data_segment_command(CLI::App& data, Context& context) {
  auto& group = *data.add_subcommand("segment", "The segments of a data directory");
  group.require_subcommand(1);
  add(group, "list", "Which segments there are", kListFooter, Segment::kNone, Form::kResult,
      context, run_list);
  add(group, "show", "What one segment holds", kShowFooter, Segment::kRequired, Form::kResult,
      context, run_show);
  add(group, "verify", "Verify one segment or all, without changing it", kVerifyFooter,
      Segment::kOptional, Form::kReport, context, run_verify);
  add_data_segment_rebuild_command(group, context);
  group.footer(exit_code_help());
}

}  // namespace vz::cli
