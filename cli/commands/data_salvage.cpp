// vectorizerctl data salvage DIR -o FILE|-: every point that can be read, as JSON lines.
#include <algorithm>
#include <memory>
#include <ostream>
#include <thread>

#include <CLI/CLI.hpp>

#include "cli/commands/data_shared.h"
#include "cli/context/printable.h"
#include "cli/output/progress.h"
#include "tools/offline/line_writer.h"
#include "tools/offline/salvage.h"

namespace vz::cli {
namespace {

constexpr std::string_view kCommand = "data salvage";
constexpr std::string_view kPipe = "-";

constexpr std::string_view kFooter =
    "Examples:\n"
    "  vectorizerctl data salvage /var/lib/vectorizer -o points.jsonl.zst\n"
    "  vectorizerctl data salvage /mnt/broken -o - | grep '\"collection\":\"docs\"'\n\n"
    "Never writes to DIR; also from a directory without a manifest, and around damage. A line is\n"
    "  {\"collection\":\"docs\",\"id\":7,\"vector\":[0.5,1],\"payload\":{},\"version\":12}\n"
    "with \"vectors\" by name where they have one. The last line is {\"summary\":...}: without it "
    "the\n"
    "file is not whole. 0: everything is there; 3: some points or log records do not decode.\n\n";

struct Options {
  std::string directory;
  std::string output;
  unsigned threads = std::clamp(std::thread::hardware_concurrency(), 1u, offline::kCheckThreadsMax);
};

Result<offline::SalvageReport> write_all(const Options& options, Context& context) {
  const auto env = make_posix_env();
  offline::SalvageOptions salvage{.threads = options.threads};
  std::unique_ptr<offline::LineWriter> writer;
  if (options.output == kPipe) {
    salvage.write = [&context](std::string_view line) -> Status {
      context.out << line << '\n';
      if (context.out.good()) return {};
      return fail(ErrorCode::kIoError, "writing to standard output: it was closed or is full");
    };
  } else {
    VZ_TRY_ASSIGN(writer, offline::LineWriter::create(*env, options.output));
    salvage.write = [&writer](std::string_view line) { return writer->add(line); };
  }
  ProgressBar bar(context, "reading");
  salvage.progress = bar.updates();
  auto report = offline::salvage(*env, options.directory, salvage);
  if (!report) {
    if (writer != nullptr) (void)env->remove(options.output);
    return report;
  }
  if (writer != nullptr) VZ_TRY(writer->finish());
  return report;
}

void run(const Options& options, Context& context) {
  const auto report = write_all(options, context);
  if (!report) return report_error(report.error(), kCommand, context);
  std::uint64_t gone = 0;
  for (const auto& one : report->collections) gone += one.points_gone;
  context.err << "vectorizerctl " << kCommand << ": " << report->points << " points";
  if (gone > 0) context.err << "; " << gone << " do not decode";
  if (report->records.records > 0)
    context.err << "; " << report->records.records << " log records cannot be followed to";
  context.err << '\n';
  for (const std::string& note : report->notes) context.err << "note: " << printable(note) << '\n';
  if (!report->complete()) context.exit_code = ExitCode::kPartial;
}

}  // namespace

void add_data_salvage_command(CLI::App& data, Context& context) {
  auto options = std::make_shared<Options>();  // Shared with the callback, which outlives this.
  auto& command = *data.add_subcommand("salvage", "Write every readable point as JSON lines");
  command.add_option("DIR", options->directory, "Data directory that no node uses")->required();
  command
      .add_option("-o,--output", options->output,
                  "New file, compressed if its name ends in .zst; or - for standard output")
      ->required();
  command.add_option("--threads", options->threads, "Threads that read")
      ->check(CLI::Range(1u, offline::kCheckThreadsMax))
      ->capture_default_str();
  command.footer(std::string(kFooter) + exit_code_help());
  command.callback([options, &context] { run(*options, context); });
}

}  // namespace vz::cli
