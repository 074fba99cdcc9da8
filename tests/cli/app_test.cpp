// The command line itself: help, version, and mistyped words.
#include "tests/cli/process.h"

using namespace vz::cli::test;

TEST_CASE("version: both forms", "[cli]") {
  const Scratch scratch;
  for (const std::string word : {"version", "--version", "-V"}) {
    CAPTURE(word);
    Process run(scratch, {word});
    CHECK(run.wait() == 0);
    CHECK(run.out().starts_with("vectorizerctl "));
    CHECK(run.err().empty());
  }
}

TEST_CASE("help: on stdout with an example and the exit statuses", "[cli]") {
  const Scratch scratch;
  for (const auto& words :
       std::vector<std::vector<std::string>>{{"--help"}, {"-h"}, {"serve", "--help"}}) {
    CAPTURE(words.front());
    Process run(scratch, words);
    CHECK(run.wait() == 0);
    CHECK(run.out().find("Example") != std::string::npos);
    CHECK(run.out().find("Exit status:") != std::string::npos);
    CHECK(run.out().find("11 locked") != std::string::npos);
    CHECK(run.err().empty());
  }
}

TEST_CASE("a mistyped command is named with the nearest one", "[cli]") {
  const Scratch scratch;
  Process typo(scratch, {"srve"});
  Process far(scratch, {"xyzzy"});
  Process none(scratch, {});

  CHECK(typo.wait() == 2);
  CHECK(typo.err().find("'srve'; did you mean 'serve'?") != std::string::npos);
  CHECK(far.wait() == 2);
  CHECK(far.err().find("there is no command 'xyzzy'") != std::string::npos);
  CHECK(far.err().find("did you mean") == std::string::npos);
  CHECK(none.wait() == 2);
  CHECK(none.out().empty());
}
