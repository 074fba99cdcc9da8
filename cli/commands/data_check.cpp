// vectorizerctl data check DIR: verifies a data directory without changing it.
#include <algorithm>
#include <chrono>
#include <memory>
#include <ostream>
#include <thread>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/commands/collection_option.h"
#include "cli/commands/data_report.h"
#include "cli/commands/data_shared.h"
#include "cli/commands/limit_rate.h"
#include "cli/output/progress.h"
#include "tools/offline/check_state.h"
#include "tools/offline/place.h"
#include "tools/offline/quantities.h"

namespace vz::cli {
namespace {

using nlohmann::ordered_json;

constexpr std::string_view kCommand = "data check";

constexpr std::string_view kFooter =
    "Examples:\n"
    "  vectorizerctl data check /var/lib/vectorizer\n"
    "  vectorizerctl data check /mnt/backup --deep --limit-rate 50MiB/s -o json\n"
    "  vectorizerctl data check DIR --sample $(date +%u)/7\n"
    "  vectorizerctl data check DIR --deep --max-duration 1h --resume /var/tmp/check.json\n"
    "  vectorizerctl data check DIR -o prom > check.prom.new; mv check.prom.new check.prom\n\n"
    "Levels, each with those before it:\n"
    "  0  FORMAT, CURRENT, manifests, missing and unknown files, a snapshot that waits\n"
    "  1  length and trailer of every file\n"
    "  2  the checksum of every block, the log, ids, dead rows (default)\n"
    "  3  SHA-256, vectors, payloads, row hashes, digests, indexes (--deep)\n"
    "  4  100 points of each segment are searched for: they find themselves, by the graph too,\n"
    "     and recall@10 against a scan is at least 0.95\n\n"
    "--sample N/M reads part N of M: 1/7 to 7/7 on seven days are everything that lives so long.\n"
    "5% and 10GiB are another part each time. Level 2 takes pieces of a MiB, levels 3 and 4 whole\n"
    "segments. The log is always read whole; digests of collections need everything.\n"
    "--max-duration ends after the pieces that are being read then (16 MiB; from level 3 on a\n"
    "file). With --resume the next run goes on; the file is removed when everything was read.\n\n"
    "Memory: blocks are read by the MiB; a segment and its index are mapped, one a thread, and "
    "the\n"
    "kernel may take those pages back.\n\n"
    "Never writes to DIR; works on a disk that is mounted read-only. A directory that a node "
    "holds\n"
    "is 11. 0: nothing found but notes; 3: the time was up, and nothing found so far; 4: "
    "findings;\n"
    "8: a file that may not be read, which is no finding; 16: nor is a lack of descriptors.\n\n";

struct Options {
  std::string directory;
  unsigned level = 2;
  bool deep = false;
  std::string collection;
  unsigned threads = std::clamp(std::thread::hardware_concurrency(), 1u, offline::kCheckThreadsMax);
  std::string limit_rate;
  std::string sample;
  std::string max_duration;
  std::string resume;
  ReportFormat output = ReportFormat::kTable;

  [[nodiscard]] unsigned depth() const { return deep ? 3 : level; }
};

/// A check writes nothing into the directory, its own state neither.
Status require_outside(const std::string& state, const std::string& directory) {
  if (!offline::lies_in(state, directory)) return {};
  return fail(ErrorCode::kInvalidArgument,
              "--resume: " + state +
                  " lies in the directory that is checked, and a check writes "
                  "nothing there: name a file outside of it");
}

/// What all runs that go on with each other have in common.
std::string about(const Options& options) {
  return fmt::format("level {}, sample '{}', collection '{}', directory {}", options.depth(),
                     options.sample, options.collection, offline::real_path(options.directory));
}

std::uint64_t seed_of_now() {
  return static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch().count());
}

/// What earlier runs did. Errors: those of load_check_state(); kFailedPrecondition: of another
/// check.
Result<offline::CheckState> take_up(Env& env, const Options& options) {
  VZ_TRY(require_outside(options.resume, options.directory));
  VZ_TRY_ASSIGN(offline::CheckState state, offline::load_check_state(env, options.resume));
  if (state.about.empty()) state = {.about = about(options), .seed = seed_of_now()};
  if (state.about == about(options)) return state;
  return fail(ErrorCode::kFailedPrecondition,
              options.resume + " is of another check (" + state.about +
                  "): give the same options, name another file, or remove it to begin anew");
}

Result<offline::CheckOptions> check_of(const Options& options, offline::CheckState& state,
                                       Env& env) {
  offline::CheckOptions check;
  check.level = static_cast<check::Level>(options.depth());
  check.collection = options.collection;
  check.threads = options.threads;
  state.seed = seed_of_now();
  if (!options.resume.empty()) {
    VZ_TRY_ASSIGN(state, take_up(env, options));
    check.state = &state;
  }
  if (!options.limit_rate.empty()) {
    VZ_TRY_ASSIGN(check.limit_rate_bytes, parse_limit_rate(options.limit_rate));
  }
  if (!options.max_duration.empty()) {
    const auto duration = offline::parse_duration(options.max_duration);
    if (!duration) return while_doing(duration.error(), "--max-duration");
    check.duration_max = *duration;
  }
  if (!options.sample.empty()) {
    auto sample = offline::parse_sample(options.sample, state.seed);
    if (!sample) return while_doing(sample.error(), "--sample");
    check.sample = *sample;
  }
  return check;
}

/// Keeps what was done for the next run, or takes the file away when nothing is left to do.
Status keep_state(Env& env, const Options& options, const offline::CheckReport& report,
                  const offline::CheckState& state) {
  if (options.resume.empty()) return {};
  if (!report.complete()) return offline::save_check_state(env, options.resume, state);
  return env.exists(options.resume) ? env.remove(options.resume) : Status();
}

void talk_of_rest(const Options& options, const offline::CheckReport& report, Context& context) {
  if (report.complete()) return;
  context.err << "vectorizerctl " << kCommand << ": the time was up: " << report.pieces_done
              << " of " << report.pieces << " pieces were read; ";
  if (options.resume.empty()) {
    context.err << "with --resume FILE the next run goes on where this one ended\n";
  } else {
    context.err << "the same command again goes on, by " << options.resume << '\n';
  }
}

ordered_json summary_of(const Options& options, const offline::CheckOptions& check) {
  const std::string sample = offline::text_of(check.sample);
  return {{"schema", "vectorizerctl.data.check/1"},
          {"directory", options.directory},
          {"level", options.depth()},
          {"sample", sample.empty() ? ordered_json() : ordered_json(sample)}};
}

void run(const Options& options, Context& context) {
  const auto env = make_posix_env();
  offline::CheckState state;
  auto check = check_of(options, state, *env);
  if (!check) return report_error(check.error(), kCommand, context);
  const auto report = [&] {
    ProgressBar bar(context, "checking");
    check->progress = bar.updates();
    return offline::check(*env, options.directory, *check);
  }();
  if (!report) return report_error(report.error(), kCommand, context);
  print_check(summary_of(options, *check), *report, options.output, context);
  const Status kept = keep_state(*env, options, *report, state);
  if (!kept) {  // Damage outranks it.
    const ExitCode verdict = context.exit_code;
    report_error(kept.error(), kCommand, context);
    if (verdict == ExitCode::kFindings) context.exit_code = verdict;
    return;
  }
  talk_of_rest(options, *report, context);
}

}  // namespace

void add_data_check_command(CLI::App& data, Context& context) {
  auto options = std::make_shared<Options>();  // Shared with the callback, which outlives this.
  auto& command = *data.add_subcommand("check", "Verify a data directory, without changing it");
  command.add_option("DIR", options->directory, "Data directory that no node uses")->required();
  auto* level = command.add_option("--level", options->level, "How deep: 0 to 4")
                    ->check(CLI::Range(0u, 4u))
                    ->capture_default_str();
  command.add_flag("--deep", options->deep, "Everything that is stored: --level 3")
      ->excludes(level);
  add_collection_option(command, options->collection,
                        "Check the files of this collection only, by name or alias; and the log");
  command.add_option("--threads", options->threads, "Threads that read")
      ->check(CLI::Range(1u, offline::kCheckThreadsMax))
      ->capture_default_str();
  command.add_option("--limit-rate", options->limit_rate,
                     "Read at most so much a second, such as 50MiB/s");
  command.add_option("--sample", options->sample, "Read a part: 3/7, 5% or 10GiB");
  command.add_option("--max-duration", options->max_duration,
                     "End after so long, such as 90s, 30m or 2h (exit status 3)");
  command.add_option("--resume", options->resume,
                     "Go on by this file, which the command makes and removes; outside of DIR");
  add_report_option(command, options->output);
  command.footer(std::string(kFooter) + exit_code_help());
  command.callback([options, &context] { run(*options, context); });
}

}  // namespace vz::cli
