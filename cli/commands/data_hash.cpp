// vectorizerctl data hash DIR: the logical digest of each collection.
#include <memory>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/commands/collection_option.h"
#include "cli/commands/data_shared.h"
#include "cli/output/progress.h"
#include "cli/output/result.h"
#include "tools/offline/hash.h"

namespace vz::cli {
namespace {

using nlohmann::ordered_json;

constexpr std::string_view kCommand = "data hash";
constexpr std::string_view kFooter =
    "Examples:\n"
    "  vectorizerctl data hash /var/lib/vectorizer\n"
    "  vectorizerctl data hash /mnt/replica --collection words -o json\n\n"
    "The digest is the sum of a hash of every point's id, vectors and payload. It does not depend\n"
    "on segments, so it is the same before and after a compaction, and on every replica that has\n"
    "come to the same lsn. It is as of as_of_lsn: unflushed_records in the log come behind it (a\n"
    "clean shutdown leaves none). Every row is read; 4 if the manifest says anything else.\n\n";

struct Options {
  std::string directory;
  std::string collection;
  OutputFormat output = OutputFormat::kTable;
};

ordered_json json_of(const Options& options, const offline::HashReport& report) {
  ordered_json out = {{"schema", "vectorizerctl.data.hash/1"},
                      {"directory", options.directory},
                      {"manifest", report.manifest},
                      {"unflushed_records", report.unflushed_records},
                      {"sound", report.sound()}};
  out["collections"] = ordered_json::array();
  for (const auto& one : report.collections) {
    out["collections"].push_back({{"name", one.name},
                                  {"id", one.id},
                                  {"points", one.found.points},
                                  {"digest", hex(one.found.digest)},
                                  {"as_of_lsn", one.as_of},
                                  {"unflushed_records", one.unflushed_records},
                                  {"manifest_points", one.recorded.points},
                                  {"manifest_digest", hex(one.recorded.digest)},
                                  {"matches", one.found == one.recorded}});
  }
  return out;
}

void run(const Options& options, Context& context) {
  const auto env = make_posix_env();
  const auto report = [&] {
    ProgressBar bar(context, "hashing");
    return offline::hash(*env, options.directory,
                         {.collection = options.collection, .progress = bar.updates()});
  }();
  if (!report) return report_error(report.error(), kCommand, context);
  if (!report->sound()) context.exit_code = ExitCode::kFindings;
  print_result(json_of(options, *report), options.output, context.out);
}

}  // namespace

void add_data_hash_command(CLI::App& data, Context& context) {
  auto options = std::make_shared<Options>();  // Shared with the callback, which outlives this.
  auto& command = *data.add_subcommand("hash", "The logical digest of each collection");
  command.add_option("DIR", options->directory, "Data directory that no node uses")->required();
  add_collection_option(command, options->collection, "This one only, by name or alias");
  add_output_option(command, options->output);
  command.footer(std::string(kFooter) + exit_code_help());
  command.callback([options, &context] { run(*options, context); });
}

}  // namespace vz::cli
