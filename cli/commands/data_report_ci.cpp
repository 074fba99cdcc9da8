#include "cli/commands/data_report_ci.h"

#include <algorithm>
#include <ctime>
#include <map>
#include <ostream>
#include <string>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/commands/data_report.h"
#include "cli/context/printable.h"

namespace vz::cli {
namespace {

using check::Finding;
using check::Severity;
using nlohmann::ordered_json;

/// Control characters have no form in XML at all: printable() has spelled them out.
std::string xml(std::string_view text) {
  std::string out;
  for (const char letter : printable(text)) {
    switch (letter) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += letter;
    }
  }
  return out;
}

/// A label's value.
std::string label_value(std::string_view text) {
  std::string out = "\"";
  for (const char letter : printable(text)) {
    if (letter == '"' || letter == '\\') out += '\\';
    out += letter;
  }
  return out + "\"";
}

std::string directory_of(const ordered_json& summary) {
  return summary.at("directory").get<std::string>();
}

void print_case(const std::string& directory, const Finding& finding, std::ostream& out) {
  const std::string line = xml(line_of(finding));
  out << "    <testcase classname=\"" << check::damage_name(finding.damage) << "\" name=\""
      << line.substr(0, line.find(": ")) << "\">\n";
  if (finding.severity == Severity::kNote) {
    out << "      <system-out>" << line << "</system-out>\n";
  } else {
    out << "      <failure type=\"" << check::id_text(finding.id) << "\" message=\""
        << xml(check::kind_of(finding.id).title) << "\">" << line
        << "\nmend: " << xml(mend_of(directory, finding)) << "</failure>\n";
  }
  out << "    </testcase>\n";
}

class Gauges {
 public:
  Gauges(std::string directory, std::ostream& out)
      : directory_("directory=" + label_value(directory)), out_(out) {}

  void begin(std::string_view name, std::string_view help) {
    name_ = "vectorizerctl_check_" + std::string(name);
    out_ << "# HELP " << name_ << ' ' << help << "\n# TYPE " << name_ << " gauge\n";
  }
  /// labels: "" or ",severity=\"error\""
  void value(const std::string& labels, const std::string& number) {
    out_ << name_ << '{' << directory_ << labels << "} " << number << '\n';
  }
  void one(std::string_view name, std::string_view help, std::uint64_t number) {
    begin(name, help);
    value("", std::to_string(number));
  }

 private:
  const std::string directory_;
  std::ostream& out_;
  std::string name_;
};

}  // namespace

void print_junit(const ordered_json& summary, const offline::CheckReport& report,
                 std::ostream& out) {
  const std::string directory = directory_of(summary);
  const auto failures =
      std::count_if(report.findings.begin(), report.findings.end(),
                    [](const Finding& one) { return one.severity != Severity::kNote; });
  const std::size_t skipped = report.complete() ? 0 : 1;
  const std::string counts =
      fmt::format("tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"{}\" time=\"{:.3f}\"",
                  report.findings.size() + 1, failures, skipped, report.duration_seconds);
  out << "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites " << counts
      << ">\n  <testsuite name=\"" << xml(summary.at("schema").get<std::string>() + " " + directory)
      << "\" " << counts << ">\n    <testcase classname=\"check\" name=\"everything was read\"";
  if (report.complete()) {
    out << "/>\n";
  } else {
    out << ">\n      <skipped message=\""
        << fmt::format("the time was up: {} of {} pieces were read", report.pieces_done,
                       report.pieces)
        << "\"/>\n    </testcase>\n";
  }
  for (const Finding& finding : report.findings) print_case(directory, finding, out);
  out << "  </testsuite>\n</testsuites>\n";
}

void print_prom(const ordered_json& summary, const offline::CheckReport& report,
                std::ostream& out) {
  Gauges gauges(directory_of(summary), out);
  gauges.one("sound", "1 if nothing was found but notes.", report.damaged() ? 0 : 1);
  gauges.one("complete", "1 if everything that was asked for was read.", report.complete() ? 1 : 0);
  gauges.one("level", "How deep the check went.", static_cast<std::uint64_t>(report.level));
  gauges.begin("findings", "Findings by severity.");
  for (const char* severity : {"errors", "warnings", "notes"}) {
    const std::string name(severity, std::char_traits<char>::length(severity) - 1);
    gauges.value(",severity=\"" + name + "\"", summary.at(severity).dump());
  }
  std::map<std::string, std::uint64_t> by_id;
  for (const Finding& finding : report.findings) {
    ++by_id[fmt::format(",id=\"{}\",class=\"{}\"", check::id_text(finding.id),
                        check::damage_name(finding.damage))];
  }
  if (!by_id.empty()) gauges.begin("findings_by_id", "Findings by their stable id.");
  for (const auto& [labels, count] : by_id) gauges.value(labels, std::to_string(count));
  gauges.one("files", "Files that the manifest names, and log files.", report.files);
  gauges.one("bytes", "Bytes of these files.", report.bytes);
  gauges.one("rows", "Rows of the segments.", report.rows);
  gauges.one("pieces", "Pieces of segments that were to be read.", report.pieces);
  gauges.one("pieces_done", "Pieces that were read.", report.pieces_done);
  gauges.begin("duration_seconds", "How long the run took.");
  gauges.value("", fmt::format("{:.3f}", report.duration_seconds));
  gauges.one("last_run_timestamp_seconds", "When the run ended.",
             static_cast<std::uint64_t>(std::time(nullptr)));
}

}  // namespace vz::cli
