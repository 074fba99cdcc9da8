// The document is read whole, and each of its HTTP lines is run by these tests, or named here as
// one that a single node cannot serve.
#include "tests/runbook/document.h"

#include <algorithm>
#include <array>
#include <string_view>

#include <catch2/catch.hpp>

#include "tests/runbook/lines.h"

using namespace vz::runbook;

namespace {

/// Need a second node, or a log of who called.
constexpr std::array<std::string_view, 4> kElsewhere = {"/replication/", "/cluster/", "access.log",
                                                        "load-balancer"};

bool holds(const std::string& text, std::string_view fragment) {
  return text.find(fragment) != std::string::npos;
}

bool is_http(const std::string& text) {
  return holds(text, "curl ");
}

}  // namespace

TEST_CASE("runbook: a command goes on over a backslash, a quote and a loop") {
  const auto commands = commands_of(
      "## One\n```bash\n# told\nfirst \\\n  more\nsecond -d '{\n}'\n\nfor p in $(x); do\n  "
      "y\ndone\n"
      "```\n## Two\n```json\nnot one\n```\n```bash\nlast\n```\n");

  REQUIRE(commands.size() == 4);
  CHECK(commands[0].text == "first \\\n  more");
  CHECK(commands[1].text == "second -d '{\n}'");
  CHECK(commands[2].text == "for p in $(x); do\n  y\ndone");
  CHECK(commands[2].chapter == "One");
  CHECK(commands[3].text == "last");
  CHECK(commands[3].chapter == "Two");
}

TEST_CASE("runbook: every HTTP line is run by a test, or needs more than one node") {
  int tested = 0;
  for (const Command& command : runbook()) {
    if (!is_http(command.text)) continue;
    CAPTURE(command.chapter, command.text);
    const bool here = std::any_of(lines::kAll.begin(), lines::kAll.end(),
                                  [&](auto line) { return command_with(line) == command.text; });
    const bool elsewhere = std::any_of(kElsewhere.begin(), kElsewhere.end(),
                                       [&](auto line) { return holds(command.text, line); });
    CHECK(here != elsewhere);
    tested += here ? 1 : 0;
  }
  CHECK(tested >= 20);
}
