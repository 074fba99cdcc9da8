// vectorizerctl snapshot upload FILE: sends an archive to the node, which restores it.
#include <memory>
#include <optional>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/client/endpoint.h"
#include "cli/commands/collection_option.h"
#include "cli/commands/snapshot_shared.h"
#include "cli/output/progress.h"
#include "tools/drive/answer.h"
#include "tools/drive/upload.h"

namespace vz::cli {
namespace {

using nlohmann::ordered_json;

constexpr long kSilenceMs = 60'000;
constexpr std::string_view kCommand = "snapshot upload";
constexpr std::size_t kReadBytes = 256u << 10;

struct Options {
  EndpointOptions endpoint;
  std::string from;
  std::string collection;  ///< "": it becomes the whole content
  bool yes = false;
  OutputFormat output = OutputFormat::kTable;
};

struct Sum {
  std::uint64_t bytes = 0;
  std::string sha256;
};

/// Of a file, which is read for it: so that what the node restores is what stands here.
Result<Sum> sum_of(Env& env, const Options& options, Context& context) {
  VZ_TRY_ASSIGN(const auto opened, env.open(options.from, OpenMode::kRead));
  VZ_TRY_ASSIGN(const std::uint64_t total, opened->size());
  VZ_TRY_ASSIGN(const auto file, open_archive(env, options.from));
  Sha256 hash;
  Sum sum;
  ProgressBar bar(context, "hashing");
  for (Bytes piece(kReadBytes);;) {
    VZ_TRY_ASSIGN(const std::size_t size, file->read(piece));
    if (size == 0) break;
    hash.update(ByteSpan(piece).first(size));
    sum.bytes += size;
    bar.update(sum.bytes, total);
  }
  sum.sha256 = to_hex(hash.finish());
  return sum;
}

/// What was sent. Errors: of the file, of the call, and what the node answered.
Result<Sum> send(const Options& options, Context& context) {
  VZ_TRY_ASSIGN(const drive::Endpoint endpoint, parse_endpoint(options.endpoint));
  const auto env = make_posix_env();
  std::optional<Sum> known;
  if (options.from != kPipe) {
    VZ_TRY_ASSIGN(known, sum_of(*env, options, context));
  }
  VZ_TRY_ASSIGN(const auto source, open_archive(*env, options.from));
  archive::HashingSource hashed(*source);
  ProgressBar bar(context, "uploading");
  Sum sent;
  const auto give = [&](std::span<std::byte> out) -> Result<std::size_t> {
    VZ_TRY_ASSIGN(const std::size_t size, hashed.read(out));
    sent.bytes += size;
    bar.update(sent.bytes, known ? known->bytes : 0);
    return size;
  };
  const std::string to = snapshots_path(options.collection) + "/upload";
  const std::string path =
      to + "?wait=true" + (known ? "&checksum=" + known->sha256 : std::string());
  VZ_TRY_ASSIGN(const auto answer,
                drive::upload(endpoint, path, known ? std::optional(known->bytes) : std::nullopt,
                              kSilenceMs, give));
  VZ_TRY(drive::json_of("POST " + to, answer));
  VZ_TRY_ASSIGN(const Sha256Digest digest, hashed.finish());
  sent.sha256 = to_hex(digest);
  return sent;
}

}  // namespace

void add_snapshot_upload_command(CLI::App& snapshot, Context& context) {
  auto options = std::make_shared<Options>();  // Shared with the callback, which outlives this.
  auto& command = *snapshot.add_subcommand(
      "upload", "Send a snapshot to the running node and make it its content");
  add_archive_option(command, options->from);
  add_collection_option(command, options->collection,
                        "Make it this collection, new or in place of the one of that name, and "
                        "leave all others alone");
  command.add_flag("-y,--yes", options->yes, "Do not ask");
  add_endpoint_option(command, options->endpoint);
  add_output_option(command, options->output);
  command.footer(
      "Examples:\n"
      "  vectorizerctl snapshot upload backup.tar.gz -y\n"
      "  vectorizerctl snapshot pack /var/lib/vectorizer -o - | vectorizerctl snapshot upload - "
      "-y\n\n"
      "Upload and recover in one: the archive is checked whole before anything changes, against "
      "its\n"
      "SHA-256 here, too, if FILE is one; the old content stays in previous-<time>/ of the node's\n"
      "data, the archive itself does not stay. Searches go on meanwhile, writes get 503 for a "
      "moment.\n"
      "With --collection only that collection is replaced, as `snapshot recover` does it.\n\n" +
      exit_code_help());
  command.callback([options, &context] {
    if (!options->yes &&
        !confirmed({.command = kCommand,
                    .text = replace_question(options->from, options->collection),
                    .without_terminal = "it needs --yes when there is no terminal to ask on",
                    .can_ask = options->from != kPipe},
                   context))
      return;
    const auto sent = send(*options, context);
    if (!sent) return report_error(with_endpoint_hint(sent.error()), kCommand, context);
    print_result(ordered_json{{"schema", "vectorizerctl.snapshot.upload/1"},
                              {"uploaded", options->from},
                              {"archive_bytes", sent->bytes},
                              {"archive_sha256", sent->sha256}},
                 options->output, context.out);
  });
}

}  // namespace vz::cli
