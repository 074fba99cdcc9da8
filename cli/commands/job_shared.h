// What commands that start or await a job of a node share.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "cli/client/endpoint.h"
#include "cli/context/context.h"
#include "cli/output/result.h"

namespace CLI {
class App;
}

namespace vz::cli {

struct JobOptions {
  EndpointOptions endpoint;
  OutputFormat output = OutputFormat::kTable;
  bool wait = false;
  bool detach = false;
  double timeout_seconds = 0;  ///< 0: none
};

/// --endpoint and -o. `options` must outlive `command`, here and below.
void add_ask_options(CLI::App& command, JobOptions& options);
/// --timeout.
void add_wait_options(CLI::App& command, JobOptions& options);
/// --wait, --detach and --timeout: for what begins work.
void add_start_options(CLI::App& command, JobOptions& options);

/// Whether the command waits for the job: as asked, else where somebody can watch it.
bool waits(const JobOptions& options, const Context& context);

/// The fields of a job in their order, its result's among them: "before_segments", ..
nlohmann::ordered_json fields_of_job(const nlohmann::json& job);
/// Prints them, and says on standard error what is left to do when it still runs.
void print_job(const nlohmann::json& job, const JobOptions& options, Context& context);

/// Waits until the job has ended, with a bar on a terminal, and prints it. Nothing: it set the exit
/// status; after ^C and the timeout, which leave the job running, it has said how to wait again.
std::optional<nlohmann::json> await_job(const std::string& id, std::string_view command,
                                        const JobOptions& options, Context& context);
/// The same; then the exit status is what became of the job.
void await_outcome(const std::string& id, std::string_view command, const JobOptions& options,
                   Context& context);

/// Starts a job by POST of `path`, and awaits it or prints its id. command: "gc run".
void run_job_command(const std::string& path, std::string_view command, const JobOptions& options,
                     Context& context);

/// Lines of a footer about waiting.
inline constexpr std::string_view kJobFooter =
    "The work is a job of the node. On a terminal the command waits for its end; --detach prints\n"
    "the job's id instead, as does a script without --wait. ^C leaves it running.\n\n";

}  // namespace vz::cli
