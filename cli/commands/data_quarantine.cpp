// vectorizerctl data quarantine list|restore|purge DIR: what repairs and starts have set aside.
#include <ctime>
#include <memory>
#include <ostream>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/commands/data_shared.h"
#include "cli/output/result.h"
#include "storage/base/utc.h"
#include "tools/offline/quarantine.h"

namespace vz::cli {
namespace {

using nlohmann::ordered_json;
using offline::QuarantineEntry;

constexpr std::string_view kGroupFooter =
    "Examples:\n"
    "  vectorizerctl data quarantine list /var/lib/vectorizer\n"
    "  vectorizerctl data quarantine restore /var/lib/vectorizer log-4711 --to /tmp/second-look\n"
    "  vectorizerctl data quarantine purge /var/lib/vectorizer --older-than 30 --yes\n\n"
    "Nothing in quarantine/ is ever read by a node. restore puts the files of an entry into a\n"
    "directory of yours, never back into DIR: the manifest names something else in their place,\n"
    "and a node would remove or refuse them.\n\n";

struct Options {
  std::string directory;
  std::string name;
  std::string target;
  std::uint64_t older_than_days = 0;
  bool yes = false;
  OutputFormat output = OutputFormat::kTable;
};

std::string joined(const std::vector<check::FindingId>& ids) {
  std::string text;
  for (const auto id : ids) text += (text.empty() ? "" : " ") + check::id_text(id);
  return text;
}

ordered_json json_of(const std::vector<QuarantineEntry>& entries) {
  ordered_json out = ordered_json::array();
  for (const QuarantineEntry& entry : entries) {
    const auto& record = entry.record;
    out.push_back(
        {{"name", record.name},
         {"kind", record.kind},
         {"time", entry.has_record ? ordered_json(rfc3339_seconds(record.time_s)) : ordered_json()},
         {"files", entry.files},
         {"bytes", entry.bytes},
         {"collection", record.collection},
         {"findings", joined(record.findings)},
         {"first_lsn", record.first_lsn},
         {"last_lsn", record.last_lsn},
         {"why", record.why}});
  }
  return out;
}

void list(const Options& options, Context& context) {
  const auto env = make_posix_env();
  const auto entries = offline::list_quarantine(*env, options.directory);
  if (!entries) return report_error(entries.error(), "data quarantine list", context);
  ordered_json out = {{"schema", "vectorizerctl.data.quarantine.list/1"},
                      {"directory", options.directory}};
  std::uint64_t bytes = 0;
  for (const QuarantineEntry& entry : *entries) bytes += entry.bytes;
  out["bytes"] = bytes;
  out["entries"] = json_of(*entries);
  print_result(out, options.output, context.out);
}

bool may_purge(const Options& options, Context& context) {
  if (options.yes) return true;
  return confirmed(
      {.command = "data quarantine purge",
       .text = "Remove entries of " + options.directory + "/quarantine for good?",
       .without_terminal = "removes for good, and needs --yes when there is no terminal to ask on"},
      context);
}

void purge(const Options& options, Context& context) {
  if (!may_purge(options, context)) return;
  const auto env = make_posix_env();
  const auto gone = offline::purge_quarantine(
      *env, options.directory,
      {.older_than_days = options.older_than_days, .now_s = std::time(nullptr)});
  if (!gone) return report_error(gone.error(), "data quarantine purge", context);
  ordered_json out = {{"schema", "vectorizerctl.data.quarantine.purge/1"},
                      {"directory", options.directory}};
  std::uint64_t bytes = 0;
  for (const QuarantineEntry& entry : *gone) bytes += entry.bytes;
  out["bytes"] = bytes;
  out["removed"] = json_of(*gone);
  print_result(out, options.output, context.out);
}

void restore(const Options& options, Context& context) {
  const auto env = make_posix_env();
  const auto paths =
      offline::export_quarantined(*env, options.directory, options.name, options.target);
  if (!paths) return report_error(paths.error(), "data quarantine restore", context);
  ordered_json out = {{"schema", "vectorizerctl.data.quarantine.restore/1"},
                      {"directory", options.directory},
                      {"name", options.name}};
  out["files"] = ordered_json::array();
  for (const std::string& path : *paths) out["files"].push_back({{"path", path}});
  print_result(out, options.output, context.out);
}

/// What every one of them has. Returns the command, its options being in `options`.
CLI::App& add(CLI::App& group, const char* name, const char* help,
              const std::shared_ptr<Options>& options) {
  auto& command = *group.add_subcommand(name, help);
  command.add_option("DIR", options->directory, "Data directory")->required();
  add_output_option(command, options->output);
  command.footer(std::string(kGroupFooter) + exit_code_help());
  return command;
}

}  // namespace

void add_data_quarantine_command(CLI::App& data, Context& context) {
  auto& group = *data.add_subcommand("quarantine", "What repairs and starts have set aside");
  group.require_subcommand(1);
  group.footer(std::string(kGroupFooter) + exit_code_help());

  auto of_list = std::make_shared<Options>();  // Shared with the callbacks, which outlive this.
  add(group, "list", "Entries, and why they are there; works while a node runs", of_list)
      .callback([of_list, &context] { list(*of_list, context); });

  auto of_restore = std::make_shared<Options>();
  auto& take = add(group, "restore", "Copy an entry's files to a directory, checked", of_restore);
  take.add_option("NAME", of_restore->name, "As the list has it")->required();
  take.add_option("--to", of_restore->target, "Directory outside of DIR; is made")->required();
  take.callback([of_restore, &context] { restore(*of_restore, context); });

  auto of_purge = std::make_shared<Options>();
  auto& drop = add(group, "purge", "Remove entries for good; no node may be running", of_purge);
  drop.add_option("--older-than", of_purge->older_than_days,
                  "Only what has been there for so many days")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 20));
  drop.add_flag("-y,--yes", of_purge->yes, "Do not ask");
  drop.callback([of_purge, &context] { purge(*of_purge, context); });
}

}  // namespace vz::cli
