#include "cli/commands/data_report.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <ostream>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/commands/data_report_ci.h"
#include "cli/context/printable.h"
#include "cli/output/result.h"

namespace vz::cli {
namespace {

using check::Finding;
using check::FindingId;
using check::Severity;
using nlohmann::ordered_json;

constexpr std::size_t kLineWidth = 100;

ordered_json or_null(const std::string& text) {
  return text.empty() ? ordered_json() : ordered_json(text);
}

ordered_json json_of(const ordered_json& summary, const Finding& finding) {
  return {
      {"id", check::id_text(finding.id)},
      {"severity", check::severity_name(finding.severity)},
      {"class", check::damage_name(finding.damage)},
      {"title", check::kind_of(finding.id).title},
      {"file", finding.file},
      {"offset", finding.offset},
      {"length", finding.length},
      {"collection", finding.collection},
      {"message", finding.message},
      {"mend", or_null(mend_of(summary.at("directory").get<std::string>(), finding))},
  };
}

/// Cut to `width` columns, at the start of a character.
std::string cut(std::string text, std::size_t width) {
  constexpr std::string_view kDots = "...";
  if (text.size() <= width) return text;
  std::size_t end = width - kDots.size();
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0u) == 0x80u) --end;
  text.resize(end);
  return text.append(kDots);
}

std::size_t count(const offline::CheckReport& report, Severity severity) {
  return static_cast<std::size_t>(
      std::count_if(report.findings.begin(), report.findings.end(),
                    [severity](const Finding& finding) { return finding.severity == severity; }));
}

/// What to do first: without the snapshot out of the way nothing else begins.
std::string first_mend(const std::string& directory, const offline::CheckReport& report) {
  std::string mend;
  for (const Finding& finding : report.findings) {
    const std::string one = mend_of(directory, finding);
    if (finding.id == FindingId::kRestoreIncomplete) return one;
    const bool index_only = finding.id >= FindingId::kSelfSearch;
    if (mend.empty() || !index_only) mend = one.empty() ? mend : one;
  }
  return mend;
}

}  // namespace

std::string mend_of(const std::string& directory, const Finding& finding) {
  if (finding.severity == Severity::kNote) return "";
  switch (finding.id) {
    case FindingId::kRestoreIncomplete:
      return "vectorizerctl data restore-abort " + directory;
    case FindingId::kSecurityDamaged:
      return "";  // Nothing but a copy can mend it; the message says what to do.
    case FindingId::kSelfSearch:
    case FindingId::kRecall: {
      // "collections/2/0001-00000007.index-1" is of segment 0001-00000007.
      const std::string name = finding.file.substr(finding.file.rfind('/') + 1);
      return "vectorizerctl data segment rebuild-index " + directory + " " +
             name.substr(0, name.find('.')) + " --apply";
    }
    default:
      return "vectorizerctl data repair " + directory;
  }
}

std::string line_of(const Finding& finding) {
  std::string line = check::id_text(finding.id) + " " +
                     std::string(check::severity_name(finding.severity)) + " " +
                     std::string(check::damage_name(finding.damage)) + " " +
                     (finding.file.empty() ? "." : finding.file);
  if (finding.offset != 0 || finding.length != 0) line += "@" + std::to_string(finding.offset);
  if (finding.length != 0) line += "+" + std::to_string(finding.length);
  if (finding.file.empty() && !finding.collection.empty()) line += " " + finding.collection;
  line += ": " + finding.message;
  return printable(line);
}

void add_report_option(CLI::App& command, ReportFormat& format) {
  static const std::map<std::string, ReportFormat> kFormats = {{"table", ReportFormat::kTable},
                                                               {"json", ReportFormat::kJson},
                                                               {"junit", ReportFormat::kJunit},
                                                               {"prom", ReportFormat::kProm}};
  command
      .add_option_function<std::string>(
          "-o,--output", [&format](const std::string& name) { format = kFormats.at(name); },
          "Print the report as table, json, junit or prom")
      ->check(CLI::IsMember({"table", "json", "junit", "prom"}))
      ->envname("VECTORIZERCTL_OUTPUT")
      ->default_str("table");
}

void print_check(ordered_json summary, const offline::CheckReport& report, ReportFormat format,
                 Context& context) {
  if (!report.complete()) context.exit_code = ExitCode::kPartial;
  if (report.damaged()) context.exit_code = ExitCode::kFindings;
  summary.update(
      {{"node_id", report.identity.node_id},
       {"cluster_id", report.identity.cluster_id},
       {"manifest", report.manifest},
       {"lsn", report.lsn},
       {"files", report.files},
       {"bytes", report.bytes},
       {"segments", report.segments},
       {"rows", report.rows},
       {"log_records", report.log_records},
       {"duration_ms", std::llround(report.duration_seconds * 1000)},
       {"errors", count(report, Severity::kError)},
       {"warnings", count(report, Severity::kWarning)},
       {"notes", count(report, Severity::kNote)},
       {"pieces", report.pieces},
       {"pieces_done", report.pieces_done},
       {"complete", report.complete()},
       {"mend", or_null(first_mend(summary.at("directory").get<std::string>(), report))}});
  if (format == ReportFormat::kJunit) return print_junit(summary, report, context.out);
  if (format == ReportFormat::kProm) return print_prom(summary, report, context.out);
  if (format == ReportFormat::kJson) {
    summary["findings"] = ordered_json::array();
    for (const Finding& finding : report.findings)
      summary["findings"].push_back(json_of(summary, finding));
    summary["exit_code"] = static_cast<unsigned>(context.exit_code);
    return print_result(summary, OutputFormat::kJson, context.out);
  }
  for (const Finding& finding : report.findings) {
    const std::string line = line_of(finding);
    context.out << (context.out_is_terminal ? cut(line, kLineWidth) : line) << '\n';
  }
  if (!report.findings.empty()) context.out << '\n';
  print_result(summary, OutputFormat::kTable, context.out);
}

}  // namespace vz::cli
