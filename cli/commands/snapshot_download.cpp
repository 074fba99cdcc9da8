// vectorizerctl snapshot download NAME -o FILE: an archive of the node's, checked while it comes.
#include <memory>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/client/endpoint.h"
#include "cli/commands/collection_option.h"
#include "cli/commands/snapshot_shared.h"
#include "cli/output/progress.h"
#include "storage/snapshot/pack.h"
#include "tools/drive/answer.h"
#include "tools/drive/download.h"
#include "tools/drive/url.h"

namespace vz::cli {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr long kSilenceMs = 60'000;
constexpr std::string_view kCommand = "snapshot download";

struct Options {
  EndpointOptions endpoint;
  std::string collection;  ///< "": of the whole node
  std::string name;
  std::string to;
  OutputFormat output = OutputFormat::kTable;
};

/// "" if the node does not know it.
Result<std::string> expected_checksum(drive::HttpClient& http, const std::string& folder,
                                      const std::string& name) {
  VZ_TRY_ASSIGN(const json answer, drive::call_json(http, "GET", folder, ""));
  for (const json& one : answer.value("result", json::array())) {
    if (one.value("name", "") != name) continue;
    const auto sum = one.find("checksum");
    return sum != one.end() && sum->is_string() ? sum->get<std::string>() : std::string();
  }
  return fail(ErrorCode::kNotFound, "the node has no snapshot " + name);
}

/// Into the sink; what arrives must have the checksum that the node knows.
Result<snapshot::PackReport> fetch(const Options& options, Context& context,
                                   archive::ByteSink& sink) {
  VZ_TRY_ASSIGN(const drive::Endpoint endpoint, parse_endpoint(options.endpoint));
  drive::HttpClient http(endpoint, kSilenceMs);
  const std::string folder = snapshots_path(options.collection);
  VZ_TRY_ASSIGN(const std::string expected, expected_checksum(http, folder, options.name));
  archive::HashingSink hashed(sink);
  const std::string path = folder + "/" + drive::path_part(options.name);
  ProgressBar bar(context, "downloading");
  const auto take = [&](std::string_view piece, std::uint64_t total) -> Status {
    VZ_TRY(hashed.write(as_bytes(piece)));
    bar.update(hashed.size_bytes(), total);
    return {};
  };
  VZ_TRY_ASSIGN(const auto answer, drive::download(endpoint, path, kSilenceMs, take));
  if (answer.status != 200) return drive::refused("GET " + path, answer.status, answer.body);
  snapshot::PackReport report;
  report.archive_bytes = hashed.size_bytes();
  report.archive_sha256 = hashed.finish();
  if (!expected.empty() && to_hex(report.archive_sha256) != expected)
    return fail(ErrorCode::kCorruption, "the archive's sha256 is " + to_hex(report.archive_sha256) +
                                            ", and the node says " + expected);
  return report;
}

}  // namespace

void add_snapshot_download_command(CLI::App& snapshot, Context& context) {
  auto options = std::make_shared<Options>();  // Shared with the callback, which outlives this.
  auto& command = *snapshot.add_subcommand("download", "Fetch a snapshot from the node");
  command.add_option("NAME", options->name, "As list prints it")->required();
  add_collection_option(command, options->collection, "It is of this collection");
  command.add_option("--to", options->to, "File to write; default: NAME in this directory");
  add_endpoint_option(command, options->endpoint);
  add_output_option(command, options->output);
  command.footer(
      "Example:\n"
      "  vectorizerctl snapshot download snapshot-20261125T031500Z.tar.gz --to /mnt/a.tar.gz\n\n"
      "Nothing stands under that name before all is there and its checksum right; FILE.sha256\n"
      "appears beside it. A file that exists is not replaced.\n\n" +
      exit_code_help());
  command.callback([options, &context] {
    if (options->to.empty()) options->to = options->name.substr(options->name.rfind('/') + 1);
    const auto env = make_posix_env();
    const auto report = snapshot::publish_archive(
        *env, options->to, snapshot::Present::kRefused,
        [&](archive::ByteSink& sink) { return fetch(*options, context, sink); });
    if (!report) return report_error(with_endpoint_hint(report.error()), kCommand, context);
    print_result(ordered_json{{"schema", "vectorizerctl.snapshot.download/1"},
                              {"name", options->name},
                              {"file", options->to},
                              {"archive_bytes", report->archive_bytes},
                              {"archive_sha256", to_hex(report->archive_sha256)}},
                 options->output, context.out);
  });
}

}  // namespace vz::cli
