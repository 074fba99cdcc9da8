// vectorizerctl data info DIR: what a data directory holds.
#include <cmath>
#include <memory>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/commands/data_shared.h"
#include "cli/output/result.h"
#include "tools/offline/info.h"

namespace vz::cli {
namespace {

using nlohmann::ordered_json;

constexpr std::string_view kCommand = "data info";

constexpr std::string_view kFooter =
    "Example:\n"
    "  vectorizerctl data info /var/lib/vectorizer -o json\n\n"
    "Works while a node runs, and never writes. Numbers are as of the newest manifest: what only\n"
    "the log holds is not counted. garbage_bytes is what merges and the next start give back.\n"
    "restore_pending: tar has unpacked a snapshot here; restore_state says what is missing of "
    "it.\n\n";

struct Options {
  std::string directory;
  OutputFormat output = OutputFormat::kTable;
};

ordered_json row_of(const offline::CollectionInfo& collection) {
  return {{"name", collection.name},
          {"id", collection.id},
          {"points", collection.points},
          {"dead_rows", collection.dead_rows},
          {"segments", collection.segments},
          {"bytes", collection.bytes},
          {"flushed_lsn", collection.flushed_lsn}};
}

ordered_json json_of(const Options& options, const offline::DataInfo& info) {
  ordered_json out = {{"schema", "vectorizerctl.data.info/1"},
                      {"directory", options.directory},
                      {"format", info.identity.format},
                      {"cluster_id", info.identity.cluster_id},
                      {"node_id", info.identity.node_id},
                      {"epoch", info.epoch},
                      {"manifest", info.manifest},
                      {"catalog_lsn", info.catalog_lsn},
                      {"log_lsn", info.log_lsn},
                      {"clean_lsn", info.clean_lsn},
                      {"points", info.points},
                      {"data_bytes", info.data_bytes},
                      {"log_files", info.log_files},
                      {"log_bytes", info.log_bytes},
                      {"garbage_bytes", info.garbage_bytes},
                      {"garbage_share", std::round(info.garbage_share() * 1e4) / 1e4},
                      {"free_bytes", info.free_bytes},
                      {"disk_bytes", info.disk_bytes}};
  out["lock_holder"] = info.lock_holder.empty() ? ordered_json() : ordered_json(info.lock_holder);
  out["restore_pending"] = info.restore.has_value();
  out["restore_complete"] = info.restore ? ordered_json(info.restore->complete) : ordered_json();
  out["restore_state"] =
      info.restore ? ordered_json(offline::text_of(*info.restore)) : ordered_json();
  out["collections"] = ordered_json::array();
  for (const auto& collection : info.collections) out["collections"].push_back(row_of(collection));
  return out;
}

void run(const Options& options, Context& context) {
  const auto env = make_posix_env();
  const auto info = offline::read_info(*env, options.directory);
  if (!info) return report_error(info.error(), kCommand, context);
  print_result(json_of(options, *info), options.output, context.out);
}

}  // namespace

void add_data_info_command(CLI::App& data, Context& context) {
  auto options = std::make_shared<Options>();  // Shared with the callback, which outlives this.
  auto& command = *data.add_subcommand("info", "What a data directory holds");
  command.add_option("DIR", options->directory, "Data directory")->required();
  add_output_option(command, options->output);
  command.footer(std::string(kFooter) + exit_code_help());
  command.callback([options, &context] { run(*options, context); });
}

}  // namespace vz::cli
