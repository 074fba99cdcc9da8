#include "cli/app.h"

#include <ostream>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "cli/commands/commands.h"
#include "cli/context/nearest.h"

namespace vz::cli {
namespace {

std::vector<std::string> command_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands(nullptr))
    if (!command->get_name().empty()) names.push_back(command->get_name());
  return names;
}

/// True if a word that should be a command is none; it is named then.
bool names_unknown_command(const CLI::App& app, int argc, const char* const* argv,
                           Context& context) {
  const CLI::App* group = &app;
  std::string path = "vectorizerctl";
  for (int i = 1; i < argc; ++i) {
    const std::string typed = argv[i];
    const auto names = command_names(*group);
    if (names.empty() || typed.empty() || typed.front() == '-') return false;
    if (std::find(names.begin(), names.end(), typed) == names.end()) {
      context.err << path << ": there is no command '" << typed.substr(0, 64) << "'";
      if (const auto near = nearest(typed, names))
        context.err << "; did you mean '" << *near << "'?";
      context.err << "\nTry '" << path << " --help'.\n";
      return true;
    }
    group = group->get_subcommand(typed);
    path += " " + typed;
  }
  return false;
}

/// The command whose options could not be read, for the first words of the message.
std::string where(const CLI::App& app) {
  std::string name = "vectorizerctl";
  for (auto chosen = app.get_subcommands(); !chosen.empty();
       chosen = chosen.front()->get_subcommands()) {
    name += " " + chosen.front()->get_name();
  }
  return name;
}

}  // namespace

void run_app(int argc, const char* const* argv, Context& context) {
  CLI::App app{"vectorizerctl: a vector database node and the tools to run it"};
  app.name("vectorizerctl");
  app.set_version_flag("-V,--version", std::string(VZ_VERSION), "Print the version and exit");
  app.footer(
      "Examples:\n"
      "  vectorizerctl serve --data-dir /var/lib/vectorizer\n"
      "  vectorizerctl bench search words\n"
      "  vectorizerctl data check /var/lib/vectorizer\n"
      "  vectorizerctl snapshot verify backup.tar.gz\n"
      "  vectorizerctl serve --help\n\n" +
      exit_code_help());
  app.require_subcommand(0, 1);
  add_audit_command(app, context);
  add_bench_command(app, context);
  add_cache_command(app, context);
  add_collection_command(app, context);
  add_compact_command(app, context);
  add_config_command(app, context);
  add_data_command(app, context);
  add_gc_command(app, context);
  add_health_command(app, context);
  add_integrity_command(app, context);
  add_ip_command(app, context);
  add_job_command(app, context);
  add_key_command(app, context);
  add_metrics_command(app, context);
  add_serve_command(app, context);
  add_slowlog_command(app, context);
  add_snapshot_command(app, context);
  add_stats_command(app, context);
  add_version_command(app, context);

  if (names_unknown_command(app, argc, argv, context)) {
    context.exit_code = ExitCode::kUsage;
    return;
  }
  try {
    app.parse(argc, argv);
    if (app.get_subcommands().empty()) {
      context.err << app.help();
      context.exit_code = ExitCode::kUsage;
    }
  } catch (const CLI::CallForHelp&) {
    context.out << app.help();  // of the command that was chosen, by its whole path
  } catch (const CLI::CallForVersion& version) {
    context.out << "vectorizerctl " << version.what() << '\n';
  } catch (const CLI::ParseError& error) {
    context.err << where(app) << ": " << error.what() << "\nTry '" << where(app) << " --help'.\n";
    context.exit_code = ExitCode::kUsage;
  }
}

}  // namespace vz::cli
