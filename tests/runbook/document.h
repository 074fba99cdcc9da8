// The operational runbooks as a list of shell commands.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vz::runbook {

/// One command of a bash block: lines joined where they go on (a backslash, an open quote, a loop).
struct Command {
  std::string chapter;  ///< its heading of the second level
  std::string text;     ///< as written, line breaks too, without comments
};

/// In the order of the document. Blocks of other languages are left out.
std::vector<Command> commands_of(std::string_view markdown);

/// The document that is tested, tests/runbook/runbooks.md.
const std::vector<Command>& runbook();

/// Text of the document's command that is `line`, or of the only one that holds it; "" if there is
/// no such, or several that differ.
std::string command_with(std::string_view line);

}  // namespace vz::runbook
