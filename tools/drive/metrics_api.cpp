#include "tools/drive/metrics_api.h"

#include <algorithm>

#include "tools/drive/answer.h"

namespace vz::drive {
namespace {

/// Where the labels that begin at `open` end: a brace inside quotes is part of a value.
std::size_t labels_end(std::string_view line, std::size_t open) {
  bool quoted = false;
  for (std::size_t at = open + 1; at < line.size(); ++at) {
    if (quoted && line[at] == '\\') {
      ++at;
    } else if (line[at] == '"') {
      quoted = !quoted;
    } else if (!quoted && line[at] == '}') {
      return at;
    }
  }
  return std::string_view::npos;
}

}  // namespace

Result<std::string> metrics_text(HttpClient& http) {
  VZ_TRY_ASSIGN(HttpAnswer answer, http.request("GET", "/metrics", ""));
  if (answer.status != 200) return refused("GET /metrics", answer.status, answer.body);
  return std::move(answer.body);
}

std::vector<MetricSample> samples_of(std::string_view text) {
  std::vector<MetricSample> samples;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::size_t name_end = line.find_first_of("{ ");
    if (line.starts_with('#') || name_end == std::string_view::npos) continue;
    MetricSample sample{.name = std::string(line.substr(0, name_end)), .labels = {}, .value = {}};
    std::size_t rest = name_end;
    if (line[name_end] == '{') {
      const std::size_t close = labels_end(line, name_end);
      if (close == std::string_view::npos) continue;
      sample.labels = line.substr(name_end + 1, close - name_end - 1);
      rest = close + 1;
    }
    const std::string_view value = line.substr(std::min(rest + 1, line.size()));
    sample.value = value.substr(0, value.find(' '));  // A timestamp may follow.
    if (!sample.value.empty()) samples.push_back(std::move(sample));
  }
  return samples;
}

}  // namespace vz::drive
