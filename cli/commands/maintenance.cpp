// vectorizerctl collection optimize, collection index rebuild, compact run, gc run: what keeps a
// running node small and quick.
#include <memory>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/commands/commands.h"
#include "cli/commands/job_shared.h"
#include "cli/context/talk.h"
#include "tools/drive/collection_api.h"

namespace vz::cli {
namespace {

struct Options : JobOptions {
  std::string collection;
};

struct Command {
  std::string path;  ///< of words, "collection optimize"
  std::string summary;
  std::string example;  ///< and what else the footer says
};

std::shared_ptr<Options> add_one(CLI::App& parent, const std::string& name, const Command& about,
                                 CLI::App*& command) {
  auto options = std::make_shared<Options>();  // Shared with the callback, which outlives this.
  command = parent.add_subcommand(name, about.summary);
  add_ask_options(*command, *options);
  add_start_options(*command, *options);
  command->footer("Example:\n  vectorizerctl " + about.path + about.example + "\n\n" +
                  std::string(kJobFooter) + exit_code_help());
  return options;
}

/// A command whose job is about one collection; route: what follows /collections/NAME.
void add_on_collection(CLI::App& parent, const std::string& name, const Command& about,
                       const std::string& route, Context& context) {
  CLI::App* command = nullptr;
  auto options = add_one(parent, name, about, command);
  command->add_option("NAME", options->collection, "The collection, or an alias of it")
      ->required()
      ->check(
          [](const std::string& given) { return std::string(given.empty() ? "it is empty" : ""); });
  command->callback([options, about, route, &context] {
    const auto endpoint = parse_endpoint(options->endpoint);
    if (!endpoint) return report_error(endpoint.error(), about.path, context);
    // Whoever mistyped it is told those that there are.
    const auto known = require_collection(*endpoint, options->collection);
    if (!known && known.error().code == ErrorCode::kNotFound)
      return report_error(known.error(), about.path, context);
    run_job_command(drive::collection_path(options->collection) + route, about.path, *options,
                    context);
  });
}

/// "gc run" and the like: the only verb of its noun.
void add_on_node(CLI::App& app, const std::string& noun, const std::string& summary,
                 const std::string& example, const std::string& route, Context& context) {
  auto* parent = app.add_subcommand(noun, summary);
  parent->require_subcommand(1);
  parent->footer("Example:\n  vectorizerctl " + noun + " run\n\n" + exit_code_help());
  const Command about{.path = noun + " run", .summary = summary, .example = example};
  CLI::App* command = nullptr;
  auto options = add_one(*parent, "run", about, command);
  command->callback([options, path = about.path, route, &context] {
    run_job_command(route, path, *options, context);
  });
}

}  // namespace

void add_collection_command(CLI::App& app, Context& context) {
  auto* collection = app.add_subcommand("collection", "The collections of a running node");
  collection->require_subcommand(1);
  add_on_collection(*collection, "optimize",
                    {.path = "collection optimize",
                     .summary = "Merge a collection's segments and drop dead rows",
                     .example = " documents\n\n"
                                "What is in memory is sealed, segments that have no graph or many "
                                "dead rows are\nmerged and indexed. Searches and writes go on."},
                    "/optimize", context);
  auto* index = collection->add_subcommand("index", "The indexes of a collection");
  index->require_subcommand(1);
  index->footer("Example:\n  vectorizerctl collection index rebuild documents\n\n" +
                exit_code_help());
  add_on_collection(*index, "rebuild",
                    {.path = "collection index rebuild",
                     .summary = "Build a collection's graphs and columns anew",
                     .example = " documents\n\n"
                                "The old ones serve until the new ones are there."},
                    "/index/rebuild", context);
  collection->footer(
      "Examples:\n"
      "  vectorizerctl collection optimize documents\n"
      "  vectorizerctl collection index rebuild documents --detach\n\n" +
      exit_code_help());
}

void add_compact_command(CLI::App& app, Context& context) {
  add_on_node(app, "compact", "Write all data of a running node anew, without what is dead",
              "\n\nEvery collection is optimized and each segment written with the present "
              "compression. For\na directory without a node: vectorizerctl data compact.",
              "/admin/compact", context);
}

void add_gc_command(CLI::App& app, Context& context) {
  add_on_node(app, "gc", "Remove files of a running node that nothing names",
              "\n\nFor a directory without a node: vectorizerctl data gc.", "/admin/gc", context);
}

}  // namespace vz::cli
