#include "cli/commands/data_report.h"

#include <algorithm>
#include <cmath>
#include <ostream>

#include <nlohmann/json.hpp>

namespace vz::cli {
namespace {

using nlohmann::ordered_json;
using offline::Finding;
using offline::Severity;

constexpr std::size_t kLineWidth = 100;

/// The command that mends it; null if that is not needed.
ordered_json mend_of(const ordered_json& summary, bool damaged) {
  return damaged ? ordered_json("vectorizerctl data repair " +
                                summary.at("directory").get<std::string>())
                 : ordered_json();
}

ordered_json json_of(const ordered_json& summary, const Finding& finding) {
  return {
      {"id", offline::id_text(finding.id)},
      {"severity", offline::severity_name(finding.severity)},
      {"class", offline::damage_name(finding.damage)},
      {"title", offline::kind_of(finding.id).title},
      {"file", finding.file},
      {"offset", finding.offset},
      {"length", finding.length},
      {"collection", finding.collection},
      {"message", finding.message},
      {"mend", mend_of(summary, finding.severity != Severity::kNote)},
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

/// "VZ-1201 error lossy collections/2/0001-00000001.seg@65536+65536: ..."
std::string line_of(const Finding& finding) {
  std::string line = offline::id_text(finding.id) + " " +
                     std::string(offline::severity_name(finding.severity)) + " " +
                     std::string(offline::damage_name(finding.damage)) + " " +
                     (finding.file.empty() ? "." : finding.file);
  if (finding.offset != 0 || finding.length != 0) line += "@" + std::to_string(finding.offset);
  if (finding.length != 0) line += "+" + std::to_string(finding.length);
  if (finding.file.empty() && !finding.collection.empty()) line += " " + finding.collection;
  line += ": " + finding.message;
  for (char& letter : line)
    if (static_cast<unsigned char>(letter) < 0x20 || letter == 0x7f) letter = '?';
  return cut(std::move(line), kLineWidth);
}

std::size_t count(const offline::CheckReport& report, Severity severity) {
  return static_cast<std::size_t>(
      std::count_if(report.findings.begin(), report.findings.end(),
                    [severity](const Finding& finding) { return finding.severity == severity; }));
}

}  // namespace

void print_check(ordered_json summary, const offline::CheckReport& report, OutputFormat format,
                 Context& context) {
  if (report.damaged()) context.exit_code = ExitCode::kFindings;
  summary.update({{"node_id", report.identity.node_id},
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
                  {"mend", mend_of(summary, report.damaged())}});
  if (format == OutputFormat::kJson) {
    summary["findings"] = ordered_json::array();
    for (const Finding& finding : report.findings)
      summary["findings"].push_back(json_of(summary, finding));
    summary["exit_code"] = static_cast<unsigned>(context.exit_code);
    return print_result(summary, format, context.out);
  }
  for (const Finding& finding : report.findings) context.out << line_of(finding) << '\n';
  if (!report.findings.empty()) context.out << '\n';
  print_result(summary, format, context.out);
}

}  // namespace vz::cli
