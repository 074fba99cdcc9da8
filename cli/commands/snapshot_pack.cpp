// vectorizerctl snapshot pack DIR -o FILE|-: an archive of a stopped node's data directory.
#include "tools/offline/snapshot_pack.h"

#include <memory>
#include <ostream>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "cli/commands/snapshot_shared.h"

namespace vz::cli {
namespace {

using nlohmann::ordered_json;

constexpr std::string_view kCommand = "snapshot pack";
constexpr std::string_view kFooter =
    "Examples:\n"
    "  vectorizerctl snapshot pack /var/lib/vectorizer -o backup.tar.gz\n"
    "  vectorizerctl snapshot pack /var/lib/vectorizer -o - | ssh host 'cat > backup.tar.gz'\n\n"
    "No node may be running on DIR, and the last one must have stopped in good order (a start and\n"
    "a SIGTERM make it so). FILE.sha256 appears beside FILE. The same directory gives the same\n"
    "bytes. Keys, configuration and logs are never in an archive.\n\n";

struct Options {
  std::string directory;
  std::string to;
  std::string format;  ///< empty: by the name's end
  bool replace = false;
  OutputFormat output = OutputFormat::kTable;
};

Result<archive::ArchiveFormat> format_of(const Options& options) {
  if (options.format.empty() && options.to == kPipe) return archive::ArchiveFormat::kTarGzip;
  const std::string name = options.format.empty() ? options.to : "." + options.format;
  if (const auto format = archive::format_of_name(name)) return *format;
  return fail(ErrorCode::kInvalidArgument,
              options.to + ": end it in .tar.gz or .tar.zst, or give --format");
}

Result<snapshot::PackReport> run(const Options& options, Context& context) {
  VZ_TRY_ASSIGN(const auto format, format_of(options));
  const auto env = make_posix_env();
  if (options.to != kPipe) {
    const auto present =
        options.replace ? snapshot::Present::kReplaced : snapshot::Present::kRefused;
    auto report = offline::pack_to_file(*env, options.directory, format, options.to, present);
    if (!report && report.error().code == ErrorCode::kAlreadyExists)
      return fail(ErrorCode::kAlreadyExists, options.to + " exists: --replace writes over it");
    return report;
  }
  if (context.out_is_terminal) {
    return fail(ErrorCode::kInvalidArgument, "standard output is a terminal: an archive is bytes");
  }
  archive::FdSink sink(STDOUT_FILENO, "standard output");
  return offline::pack(*env, options.directory, format, sink);
}

ordered_json result_of(const snapshot::PackReport& report, const Options& options) {
  ordered_json out = {{"schema", "vectorizerctl.snapshot.pack/1"}, {"file", options.to}};
  out["archive_bytes"] = report.archive_bytes;
  out["archive_sha256"] = to_hex(report.archive_sha256);
  add_summary(report.summary, out);
  return out;
}

}  // namespace

void add_snapshot_pack_command(CLI::App& snapshot, Context& context) {
  auto options = std::make_shared<Options>();  // Shared with the callback, which outlives this.
  auto& command = *snapshot.add_subcommand("pack", "Make an archive of a data directory");
  command.add_option("DIR", options->directory, "Data directory of a stopped node")->required();
  command.add_option("-o,--output", options->to, "Archive to write; - for standard output")
      ->required();
  command.add_flag("--replace", options->replace, "Also when FILE exists");
  command.add_option("--format", options->format, "Default: by the end of FILE; of -: tar.gz")
      ->check(CLI::IsMember({"tar.gz", "tar.zst"}));
  command
      .add_option_function<std::string>(
          "--output-format",
          [options](const std::string& name) {
            options->output = name == "json" ? OutputFormat::kJson : OutputFormat::kTable;
          },
          "Print the result as table or json; with -o - on standard error")
      ->check(CLI::IsMember({"table", "json"}))
      ->envname("VECTORIZERCTL_OUTPUT")
      ->default_str("table");
  command.footer(std::string(kFooter) + exit_code_help());
  command.callback([options, &context] {
    const auto report = run(*options, context);
    if (!report) return report_error(report.error(), kCommand, context);
    print_result(result_of(*report, *options), options->output,
                 options->to == kPipe ? context.err : context.out);
  });
}

}  // namespace vz::cli
