// vectorizerctl data check DIR: verifies a data directory without changing it.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <memory>
#include <thread>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/commands/data_report.h"
#include "cli/commands/data_shared.h"
#include "cli/output/progress.h"
#include "tools/offline/check.h"

namespace vz::cli {
namespace {

using nlohmann::ordered_json;

constexpr std::string_view kCommand = "data check";

constexpr std::string_view kFooter =
    "Examples:\n"
    "  vectorizerctl data check /var/lib/vectorizer\n"
    "  vectorizerctl data check /mnt/backup --deep --limit-rate 50MiB/s -o json\n\n"
    "Levels, each with those before it:\n"
    "  0  FORMAT, CURRENT, manifests, missing and unknown files\n"
    "  1  length and trailer of every file\n"
    "  2  the checksum of every block, the log, ids, dead rows (default)\n"
    "  3  SHA-256, vectors, payloads, row hashes, digests, indexes (--deep)\n\n"
    "Never writes; works on a disk that is mounted read-only. A directory that a node holds is "
    "11.\n"
    "0: nothing found but notes; 4: findings.\n\n";

struct Options {
  std::string directory;
  unsigned level = 2;
  bool deep = false;
  std::string collection;
  unsigned threads = std::clamp(std::thread::hardware_concurrency(), 1u, offline::kCheckThreadsMax);
  std::string limit_rate;
  OutputFormat output = OutputFormat::kTable;
};

/// "50MiB/s", "1.5G", "200000": bytes a second. Errors: kInvalidArgument.
Result<std::uint64_t> parse_rate(std::string_view text) {
  struct Unit {
    std::string_view name;
    double bytes;
  };
  static constexpr Unit kUnits[] = {
      {"", 1},        {"B", 1},         {"K", 1 << 10},      {"KiB", 1 << 10},
      {"M", 1 << 20}, {"MiB", 1 << 20}, {"G", 1 << 30},      {"GiB", 1 << 30},
      {"KB", 1000},   {"MB", 1000'000}, {"GB", 1000'000'000}};
  constexpr double kRateMax = 1e15;
  std::string_view rest = text.ends_with("/s") ? text.substr(0, text.size() - 2) : text;
  double number = 0;
  const auto parsed = std::from_chars(rest.data(), rest.data() + rest.size(), number);
  rest.remove_prefix(static_cast<std::size_t>(parsed.ptr - rest.data()));
  const auto* unit = std::find_if(std::begin(kUnits), std::end(kUnits),
                                  [rest](const Unit& one) { return one.name == rest; });
  const bool sound = parsed.ec == std::errc() && unit != std::end(kUnits) &&
                     std::isfinite(number) && number * unit->bytes >= 1 &&
                     number * unit->bytes <= kRateMax;
  if (sound) return static_cast<std::uint64_t>(number * unit->bytes);
  return fail(ErrorCode::kInvalidArgument,
              "--limit-rate: expected a size such as 50MiB/s, found '" +
                  std::string(text.substr(0, 64)) + "'");
}

ordered_json summary_of(const Options& options) {
  return {{"schema", "vectorizerctl.data.check/1"},
          {"directory", options.directory},
          {"level", options.deep ? 3 : options.level}};
}

void run(const Options& options, Context& context) {
  offline::CheckOptions check;
  check.level = static_cast<offline::CheckLevel>(options.deep ? 3 : options.level);
  check.collection = options.collection;
  check.threads = options.threads;
  if (!options.limit_rate.empty()) {
    const auto rate = parse_rate(options.limit_rate);
    if (!rate) return report_error(rate.error(), kCommand, context);
    check.limit_rate_bytes = *rate;
  }
  const auto env = make_posix_env();
  auto report = [&] {
    ProgressBar bar(context, "checking");
    check.progress = bar.updates();
    return offline::check(*env, options.directory, check);
  }();
  if (!report) return report_error(report.error(), kCommand, context);
  print_check(summary_of(options), *report, options.output, context);
}

}  // namespace

void add_data_check_command(CLI::App& data, Context& context) {
  auto options = std::make_shared<Options>();  // Shared with the callback, which outlives this.
  auto& command = *data.add_subcommand("check", "Verify a data directory, without changing it");
  command.add_option("DIR", options->directory, "Data directory that no node uses")->required();
  auto* level = command.add_option("--level", options->level, "How deep: 0 to 3")
                    ->check(CLI::Range(0u, 3u))
                    ->capture_default_str();
  command.add_flag("--deep", options->deep, "Everything: --level 3")->excludes(level);
  command.add_option("--collection", options->collection,
                     "Check the files of this collection only, by name or alias; and the log");
  command.add_option("--threads", options->threads, "Threads that read")
      ->check(CLI::Range(1u, offline::kCheckThreadsMax))
      ->capture_default_str();
  command.add_option("--limit-rate", options->limit_rate,
                     "Read at most so much a second, such as 50MiB/s");
  add_output_option(command, options->output);
  command.footer(std::string(kFooter) + exit_code_help());
  command.callback([options, &context] { run(*options, context); });
}

}  // namespace vz::cli
