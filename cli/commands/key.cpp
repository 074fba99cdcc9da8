// vectorizerctl key create | list | show | revoke | rotate: the API keys of a node.
#include <memory>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/client/endpoint.h"
#include "cli/commands/commands.h"
#include "cli/commands/node_command.h"
#include "cli/context/talk.h"
#include "cli/output/result.h"
#include "engine/limits.h"
#include "storage/env/env.h"
#include "tools/drive/security_api.h"

namespace vz::cli {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr long kTimeoutMs = 30'000;

struct Options {
  EndpointOptions endpoint;
  OutputFormat output = OutputFormat::kTable;
  std::string id;
  std::string name;
  std::vector<std::string> scopes;
  std::vector<std::string> collections;
  std::vector<std::string> cidrs;
  std::string expires_at;
  std::string key_file;
  double overlap_seconds = 3'600;
  bool yes = false;
};

std::string joined(const json& texts) {
  std::string out;
  if (!texts.is_array()) return out;
  for (const json& text : texts)
    if (text.is_string()) out += (out.empty() ? "" : ",") + text.get<std::string>();
  return out;
}

/// A key without its secret.
ordered_json fields_of(const json& key) {
  ordered_json out = ordered_json::object();
  for (const char* name : {"key_id", "name", "status"}) out[name] = key.value(name, json());
  for (const char* name : {"scopes", "collections", "cidrs"}) {
    const std::string text = joined(key.value(name, json()));
    out[name] = text.empty() ? ordered_json() : ordered_json(text);
  }
  for (const char* name : {"created_at", "expires_at", "revoked_at"})
    out[name] = key.value(name, json());
  return out;
}

/// Of all that is known of a key, what fits a line.
ordered_json short_row(const json& key) {
  const ordered_json fields = fields_of(key);
  ordered_json row = ordered_json::object();
  for (const char* name : {"key_id", "status", "scopes", "collections", "name"})
    row[name] = fields[name];
  const ordered_json& end =
      fields[key.value("status", "") == "revoked" ? "revoked_at" : "expires_at"];
  row["ends"] = end.is_string() ? ordered_json(short_time(end.get<std::string>())) : end;
  return row;
}

/// Calls ask(http), and prints what describe(answer, out) makes of it.
template <typename Ask, typename Describe>
void run(const std::string& verb, const Options& options, Context& context, const Ask& ask,
         const Describe& describe) {
  const std::string command = "key " + verb;
  const auto endpoint = parse_endpoint(options.endpoint);
  if (!endpoint) return report_error(endpoint.error(), command, context);
  drive::HttpClient http(*endpoint, kTimeoutMs);
  const auto said = ask(http);
  if (!said) return report_error(with_endpoint_hint(said.error()), command, context);
  ordered_json out = {{"schema", "vectorizerctl.key." + verb + "/1"}};
  describe(*said, out);
  print_result(out, options.output, context.out);
}

/// Puts a new key's secret where it was asked for. Errors: kIoError, saying which key to revoke.
Status keep_secret(const json& key, const std::string& path) {
  const auto env = make_posix_env();
  const auto written = [&]() -> Status {
    VZ_TRY_ASSIGN(const auto file, env->open(path, OpenMode::kCreateNew));
    VZ_TRY(file->write_at(0, as_bytes(key["key"].get<std::string>() + "\n")));
    return file->sync();
  }();
  if (written) return {};
  return while_doing(written.error(), "the key " + key["key_id"].get<std::string>() +
                                          " was made, but nobody has it: revoke it");
}

/// What create and rotate have in common: a key whose secret is told once.
template <typename Ask>
void run_fresh(const std::string& verb, const Options& options, Context& context, const Ask& ask) {
  if (!options.key_file.empty() && make_posix_env()->exists(options.key_file))
    return report_error({ErrorCode::kAlreadyExists,
                         "--key-file " + options.key_file + " is there already: nothing was done"},
                        "key " + verb, context);
  const auto ask_and_keep = [&](drive::HttpClient& http) -> Result<json> {
    VZ_TRY_ASSIGN(json key, ask(http));
    if (!key.contains("key"))
      return fail(ErrorCode::kIncompatible, "the node answered without a key: no node of ours");
    if (!options.key_file.empty()) VZ_TRY(keep_secret(key, options.key_file));
    return key;
  };
  run(verb, options, context, ask_and_keep, [&](const json& key, ordered_json& out) {
    if (options.key_file.empty()) {
      out["key"] = key["key"];
    } else {
      out["key_file"] = options.key_file;
    }
    out.update(fields_of(key));
    if (const auto old = key.find("replaces"); old != key.end() && old->is_object()) {
      out["replaces"] = old->value("key_id", json());
      out["replaced_ends_at"] = old->value("expires_at", json());
    }
  });
}

void create(const Options& options, Context& context) {
  json request = {{"name", options.name},
                  {"scopes", options.scopes},
                  {"collections", options.collections},
                  {"cidrs", options.cidrs}};
  if (!options.expires_at.empty()) request["expires_at"] = options.expires_at;
  run_fresh("create", options, context,
            [&](drive::HttpClient& http) { return drive::create_key(http, request); });
}

void list(const Options& options, Context& context) {
  run("list", options, context, drive::list_keys, [&](const json& keys, ordered_json& out) {
    const bool table = options.output == OutputFormat::kTable;
    out["count"] = keys.size();
    out["keys"] = ordered_json::array();
    for (const json& key : keys) out["keys"].push_back(table ? short_row(key) : fields_of(key));
  });
}

void show(const Options& options, Context& context) {
  run(
      "show", options, context,
      [&](drive::HttpClient& http) { return drive::find_key(http, options.id); },
      [](const json& key, ordered_json& out) { out.update(fields_of(key)); });
}

void revoke(const Options& options, Context& context) {
  if (!options.yes &&
      !confirmed({.command = "key revoke",
                  .text = "Revoke " + options.id + "? It never works again.",
                  .without_terminal = "it needs --yes when there is no terminal to ask on"},
                 context))
    return;
  run(
      "revoke", options, context,
      [&](drive::HttpClient& http) { return drive::revoke_key(http, options.id); },
      [](const json& key, ordered_json& out) {
        for (const char* name : {"key_id", "name", "status", "revoked_at"})
          out[name] = key.value(name, json());
      });
}

void rotate(const Options& options, Context& context) {
  run_fresh("rotate", options, context, [&](drive::HttpClient& http) {
    return drive::rotate_key(http, options.id, static_cast<std::int64_t>(options.overlap_seconds));
  });
}

std::shared_ptr<Options> add_one(CLI::App& key, const std::string& name, const std::string& text,
                                 const std::string& footer, CLI::App*& command) {
  auto options = std::make_shared<Options>();  // Shared with the callback, which outlives this.
  command = &add_node_command(key, name, text, footer, options->endpoint, options->output);
  return options;
}

void add_key_file(CLI::App& command, Options& options) {
  command.add_option("--key-file", options.key_file,
                     "New file for the key, mode 0600; without it the key is printed, once");
}

void add_id(CLI::App& command, Options& options) {
  command.add_option("ID", options.id, "As key list prints it")->required();
}

void add_create(CLI::App& key, Context& context) {
  CLI::App* command = nullptr;
  auto options =
      add_one(key, "create", "Make a key; it is told once",
              "Example:\n"
              "  vectorizerctl key create --name search-app --scope read --collection "
              "'docs*' \\\n    --key-file search.key\n\n"
              "admin may do all, write may read too. A key for some collections sees and "
              "touches\nno other; it cannot have the scopes snapshot, replicate and "
              "admin, which reach all.\n",
              command);
  command->add_option("--name", options->name, "What it is for")->required();
  command
      ->add_option("--scope", options->scopes,
                   "What it may do: metrics, read, write, snapshot, replicate, admin; commas "
                   "between them")
      ->required()
      ->delimiter(',');
  command
      ->add_option("--collection", options->collections,
                   "Names of the collections it is for, with * and ?; commas between them. Without "
                   "it all")
      ->delimiter(',');
  command
      ->add_option("--cidr", options->cidrs,
                   "Addresses and ranges that it may be used from; commas between them. Without it "
                   "any")
      ->delimiter(',');
  command->add_option("--expires-at", options->expires_at, "When it ends: 2026-12-31T00:00:00Z");
  add_key_file(*command, *options);
  command->callback([options, &context] { create(*options, context); });
}

void add_rotate(CLI::App& key, Context& context) {
  CLI::App* command = nullptr;
  auto options = add_one(key, "rotate", "Make a key like another, which ends after a while",
                         "Example:\n"
                         "  vectorizerctl key rotate gxkvnqzhmrtwypjs --overlap 1h --key-file "
                         "new.key\n\n"
                         "With --overlap 0s the old key ends at once.\n",
                         command);
  add_id(*command, *options);
  add_duration_option(*command, "--overlap", options->overlap_seconds,
                      "How long the old one still works, such as 90s, 30m, 2h or 1d; 1h without it",
                      0.0, static_cast<double>(limits::kKeyOverlapSecondsMax));
  add_key_file(*command, *options);
  command->callback([options, &context] { rotate(*options, context); });
}

}  // namespace

void add_key_command(CLI::App& app, Context& context) {
  auto* key = app.add_subcommand("key", "The API keys of a node");
  key->require_subcommand(1);
  add_create(*key, context);
  CLI::App* command = nullptr;
  auto listing = add_one(*key, "list", "List the keys, revoked ones included",
                         "Example:\n  vectorizerctl key list -o json\n", command);
  command->callback([listing, &context] { list(*listing, context); });
  auto showing = add_one(*key, "show", "Show a key, without its secret",
                         "Example:\n  vectorizerctl key show gxkvnqzhmrtwypjs\n", command);
  add_id(*command, *showing);
  command->callback([showing, &context] { show(*showing, context); });
  auto revoking = add_one(*key, "revoke", "Revoke a key, for good",
                          "Example:\n  vectorizerctl key revoke gxkvnqzhmrtwypjs -y\n\n"
                          "It works with no request from then on; its connections are closed. No "
                          "restore brings\nit back.\n",
                          command);
  add_id(*command, *revoking);
  command->add_flag("-y,--yes", revoking->yes, "Do not ask");
  command->callback([revoking, &context] { revoke(*revoking, context); });
  add_rotate(*key, context);
  key->footer(
      "Examples:\n"
      "  vectorizerctl key create --name app --scope read,write --key-file app.key\n"
      "  vectorizerctl stats --api-key-file app.key\n\n" +
      exit_code_help());
}

}  // namespace vz::cli
