#include "cli/output/result.h"

#include <algorithm>
#include <cstdio>
#include <iomanip>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/context/printable.h"

namespace vz::cli {
namespace {

using nlohmann::ordered_json;

constexpr int kIndent = 2;
constexpr std::size_t kGap = 2;  ///< spaces between columns

std::string text_of(const ordered_json& value) {
  if (value.is_null()) return "-";
  if (value.is_string()) return printable(value.get_ref<const std::string&>());
  return value.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

void print_fields(const ordered_json& object, std::ostream& out) {
  std::size_t width = 0;
  for (const auto& [key, value] : object.items()) width = std::max(width, key.size());
  for (const auto& [key, value] : object.items()) {
    if (key == "schema" || value.is_array()) continue;
    out << std::left << std::setw(static_cast<int>(width + kGap)) << key << text_of(value) << '\n';
  }
}

/// Columns are the keys of the first row.
void print_rows(const ordered_json& rows, std::ostream& out) {
  if (rows.empty()) return;
  std::vector<std::vector<std::string>> lines(1);
  for (const auto& [key, value] : rows.front().items()) lines[0].push_back(key);
  for (const auto& row : rows) {
    lines.emplace_back();
    for (const auto& [key, value] : row.items()) lines.back().push_back(text_of(value));
  }
  std::vector<std::size_t> widths(lines[0].size());
  for (const auto& line : lines)
    for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], line[i].size());
  out << '\n';
  for (const auto& line : lines) {
    for (std::size_t i = 0; i < line.size(); ++i)
      out << std::right << std::setw(static_cast<int>(widths[i] + (i > 0 ? kGap : 0))) << line[i];
    out << '\n';
  }
}

}  // namespace

void add_output_option(CLI::App& command, OutputFormat& format) {
  command
      .add_option_function<std::string>(
          "-o,--output",
          [&format](const std::string& name) {
            format = name == "json" ? OutputFormat::kJson : OutputFormat::kTable;
          },
          "Print the result as table or json")
      ->check(CLI::IsMember({"table", "json"}))
      ->envname("VECTORIZERCTL_OUTPUT")
      ->default_str("table");
}

void print_result(const ordered_json& result, OutputFormat format, std::ostream& out) {
  if (format == OutputFormat::kJson) {
    out << result.dump(kIndent, ' ', false, ordered_json::error_handler_t::replace) << '\n';
    return;
  }
  print_fields(result, out);
  for (const auto& [key, value] : result.items())
    if (value.is_array()) print_rows(value, out);
}

std::string short_time(const std::string& rfc3339) {
  return rfc3339.substr(0, std::string_view("2026-12-01T02:33:27").size());
}

std::string hex(std::uint64_t value) {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(value));
  return text;
}

}  // namespace vz::cli
