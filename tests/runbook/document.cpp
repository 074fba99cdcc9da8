#include "tests/runbook/document.h"

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>

namespace vz::runbook {
namespace {

bool goes_on(const std::string& text) {
  const bool quoted = std::count(text.begin(), text.end(), '\'') % 2 != 0;
  const bool loops = text.starts_with("for ") && !text.ends_with("done");
  return quoted || loops || text.ends_with('\\');
}

}  // namespace

std::vector<Command> commands_of(std::string_view markdown) {
  std::vector<Command> commands;
  std::string chapter, text;
  bool inside = false;
  std::istringstream lines{std::string(markdown)};
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("```")) {
      inside = line == "```bash";
    } else if (!inside) {
      if (line.starts_with("## ")) chapter = line.substr(3);
    } else if (!text.empty() || (!line.empty() && !line.starts_with('#'))) {
      text += (text.empty() ? "" : "\n") + line;
      if (goes_on(text)) continue;
      commands.push_back({chapter, std::move(text)});
      text.clear();
    }
  }
  return commands;
}

const std::vector<Command>& runbook() {
  static const std::vector<Command> commands = [] {
    std::ifstream file(VZ_SOURCE_DIR "/tests/runbook/runbooks.md");
    std::ostringstream text;
    text << file.rdbuf();
    return commands_of(text.str());
  }();
  return commands;
}

std::string command_with(std::string_view line) {
  std::set<std::string> holding;
  for (const Command& command : runbook()) {
    if (command.text == line) return command.text;
    if (command.text.find(line) != std::string::npos) holding.insert(command.text);
  }
  return holding.size() == 1 ? *holding.begin() : "";
}

}  // namespace vz::runbook
