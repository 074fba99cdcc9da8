// vectorizerctl snapshot create, list, recover, delete: asks the node that the endpoint names.
#include <algorithm>
#include <functional>
#include <memory>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/client/endpoint.h"
#include "cli/commands/collection_option.h"
#include "cli/commands/node_command.h"
#include "cli/commands/snapshot_shared.h"
#include "tools/drive/answer.h"
#include "tools/drive/url.h"

namespace vz::cli {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr long kTimeoutMs = 30'000;
constexpr long kNoTimeout = 0;  ///< it lasts as long as the data is large

struct Options {
  EndpointOptions endpoint;
  std::string collection;  ///< "": the whole node
  std::string format = "tar.gz";
  std::string name;
  std::string location;
  std::string checksum;
  bool yes = false;
  OutputFormat output = OutputFormat::kTable;
};

/// The `result` of an answer. Errors: those of drive::call_json, kIncompatible.
Result<json> ask(const Options& options, long timeout_ms, std::string_view method,
                 const std::string& path, const std::string& body = "") {
  VZ_TRY_ASSIGN(const drive::Endpoint endpoint, parse_endpoint(options.endpoint));
  drive::HttpClient http(endpoint, timeout_ms);
  VZ_TRY_ASSIGN(json answer, drive::call_json(http, method, path, body));
  if (!answer.is_object() || !answer.contains("result"))
    return fail(ErrorCode::kIncompatible, path + " answered without a result: no node of ours");
  return std::move(answer["result"]);
}

ordered_json row_of(const json& snapshot) {
  ordered_json out = ordered_json::object();
  for (const char* key : {"name", "creation_time", "size", "checksum"})
    out[key] = snapshot.value(key, json());
  return out;
}

void finish(const Result<json>& result, std::string_view command, const Options& options,
            Context& context, const std::function<void(const json&, ordered_json&)>& describe) {
  if (!result) return report_error(with_endpoint_hint(result.error()), command, context);
  std::string schema = "vectorizerctl." + std::string(command) + "/1";
  std::replace(schema.begin(), schema.end(), ' ', '.');
  ordered_json out = {{"schema", schema}};
  describe(*result, out);
  print_result(out, options.output, context.out);
}

CLI::App& add_command(CLI::App& snapshot, const std::shared_ptr<Options>& options,
                      const std::string& name, const std::string& summary,
                      const std::string& footer) {
  return add_node_command(snapshot, name, summary, footer, options->endpoint, options->output);
}

void add_create(CLI::App& snapshot, Context& context) {
  auto options = std::make_shared<Options>();  // Shared with the callback, which outlives this.
  auto& command = add_command(
      snapshot, options, "create", "Make a snapshot of the whole node, or of a collection",
      "Example:\n"
      "  vectorizerctl snapshot create --format tar.zst\n"
      "  vectorizerctl snapshot create --collection words\n\n"
      "All collections are cut at one lsn, while writes go on. The archive "
      "stands in\nsnapshots/ of the node's data, its manifest beside it; one of a "
      "collection in\nsnapshots/collections/, and outlasts the collection.\n");
  add_collection_option(command, options->collection, "Of this collection alone");
  command.add_option("--format", options->format, "tar.gz, which every tar reads, or tar.zst")
      ->check(CLI::IsMember({"tar.gz", "tar.zst"}))
      ->capture_default_str();
  command.callback([options, &context] {
    finish(ask(*options, kNoTimeout, "POST", snapshots_path(options->collection),
               json{{"format", options->format}}.dump()),
           "snapshot create", *options, context,
           [](const json& made, ordered_json& out) { out.update(row_of(made)); });
  });
}

void add_list(CLI::App& snapshot, Context& context) {
  auto options = std::make_shared<Options>();
  auto& command = add_command(snapshot, options, "list", "List the node's snapshots",
                              "Example:\n  vectorizerctl snapshot list -o json\n");
  add_collection_option(command, options->collection, "Of this collection");
  command.callback([options, &context] {
    finish(ask(*options, kTimeoutMs, "GET", snapshots_path(options->collection)), "snapshot list",
           *options, context, [](const json& list, ordered_json& out) {
             out["count"] = list.size();
             out["snapshots"] = ordered_json::array();
             for (const json& one : list) out["snapshots"].push_back(row_of(one));
           });
  });
}

void add_delete(CLI::App& snapshot, Context& context) {
  auto options = std::make_shared<Options>();
  auto& command =
      add_command(snapshot, options, "delete", "Delete a snapshot of the node",
                  "Example:\n"
                  "  vectorizerctl snapshot delete snapshot-20261125T031500Z.tar.gz -y\n");
  command.add_option("NAME", options->name, "As list prints it")->required();
  add_collection_option(command, options->collection, "It is of this collection");
  command.add_flag("-y,--yes", options->yes, "Do not ask");
  command.callback([options, &context] {
    if (!options->yes &&
        !confirmed({.command = "snapshot delete",
                    .text = "Delete " + options->name + "? It cannot be brought back.",
                    .without_terminal = "it needs --yes when there is no terminal to ask on"},
                   context))
      return;
    finish(ask(*options, kTimeoutMs, "DELETE",
               snapshots_path(options->collection) + "/" + drive::path_part(options->name)),
           "snapshot delete", *options, context,
           [&](const json&, ordered_json& out) { out["deleted"] = options->name; });
  });
}

void add_recover(CLI::App& snapshot, Context& context) {
  auto options = std::make_shared<Options>();
  auto& command = add_command(
      snapshot, options, "recover", "Make a snapshot the content of the running node",
      "Examples:\n"
      "  vectorizerctl snapshot recover /backups/snapshot-20261125T031500Z.tar.gz -y\n"
      "  vectorizerctl snapshot recover /backups/words.tar.gz --collection words -y\n\n"
      "LOCATION is a path on the node's machine, in its snapshots/ or a --restore-dir of serve. "
      "The\n"
      "archive is checked whole before anything changes; the old content stays in previous-<time>/ "
      "of\nthe data. Searches go on meanwhile, writes get 503 for a moment. With --collection the "
      "archive\nis one of a collection, or of a node that had one of this name; its index is "
      "built, "
      "and then it\ntakes the place of the one that serves, which is dropped. Nothing else is "
      "touched.\n");
  command.add_option("LOCATION", options->location, "Path or file:// URI, as the node sees it")
      ->required();
  add_collection_option(command, options->collection,
                        "Make it this collection, new or in place of the one of that name, and "
                        "leave all others alone");
  command.add_option("--checksum", options->checksum, "SHA-256 that the archive must have");
  command.add_flag("-y,--yes", options->yes, "Do not ask");
  command.callback([options, &context] {
    if (!options->yes &&
        !confirmed({.command = "snapshot recover",
                    .text = replace_question(options->location, options->collection),
                    .without_terminal = "it needs --yes when there is no terminal to ask on"},
                   context))
      return;
    json body = {{"location", options->location}};
    if (!options->checksum.empty()) body["checksum"] = options->checksum;
    finish(ask(*options, kNoTimeout, "POST", snapshots_path(options->collection) + "/recover",
               body.dump()),
           "snapshot recover", *options, context,
           [&](const json&, ordered_json& out) { out["recovered"] = options->location; });
  });
}

}  // namespace

void add_snapshot_online_commands(CLI::App& snapshot, Context& context) {
  add_create(snapshot, context);
  add_list(snapshot, context);
  add_recover(snapshot, context);
  add_delete(snapshot, context);
}

}  // namespace vz::cli
