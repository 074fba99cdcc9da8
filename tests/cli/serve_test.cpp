// `serve` by its binary: exit statuses, signals, and one line on stderr that says why.
#include "tests/cli/http_get.h"
#include "tests/cli/process.h"

using namespace vz::cli::test;

namespace {

std::vector<std::string> serve(const Scratch& scratch, std::vector<std::string> more = {}) {
  std::vector<std::string> arguments = {"serve", "--data-dir", scratch.file("data"), "--listen",
                                        "127.0.0.1:0"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

/// One line, and it names the command.
void check_one_line(const std::string& err) {
  CAPTURE(err);
  CHECK(err.starts_with("vectorizerctl serve: "));
  CHECK(std::count(err.begin(), err.end(), '\n') == 1);
}

}  // namespace

TEST_CASE("serve: listens, answers, and stops with 0 on SIGTERM and SIGINT", "[cli]") {
  const Scratch scratch;
  for (const int signal : {SIGTERM, SIGINT}) {
    CAPTURE(signal);
    Process node(scratch, serve(scratch));
    const int port = node.port();
    REQUIRE(port > 0);
    CHECK(get(port, "/livez").find("200 OK") != std::string::npos);

    node.signal(signal);

    CHECK(node.wait() == 0);
    CHECK(node.err().empty());
    CHECK(node.out().find("event=stopped") != std::string::npos);
  }
}

TEST_CASE("serve: options also come from the environment, flags win", "[cli]") {
  const Scratch scratch;
  Process node(scratch, {"serve", "--listen", "127.0.0.1:0"},
               {{"VECTORIZERCTL_DATA_DIR", scratch.file("from-env")},
                {"VECTORIZERCTL_LISTEN", "not an address"},
                {"VECTORIZERCTL_QDRANT_LISTEN", "127.0.0.1:0"},
                {"VECTORIZERCTL_LOG_FORMAT", "text"}});

  REQUIRE(node.port() > 0);

  CHECK(std::filesystem::exists(scratch.file("from-env/FORMAT")));
  CHECK(node.out().find("qdrant_port=0 ") == std::string::npos);
  node.signal(SIGTERM);
  CHECK(node.wait() == 0);
}

TEST_CASE("serve: a locked directory is 11 and names the holder", "[cli]") {
  const Scratch scratch;
  Process first(scratch, serve(scratch));
  REQUIRE(first.port() > 0);

  Process second(scratch, serve(scratch));

  CHECK(second.wait() == 11);
  check_one_line(second.err());
  CHECK(second.err().find("pid") != std::string::npos);
  first.signal(SIGTERM);
  CHECK(first.wait() == 0);
}

TEST_CASE("serve: a directory that is not ours is 10 and untouched", "[cli]") {
  const Scratch scratch;
  std::filesystem::create_directory(scratch.file("data"));
  std::ofstream(scratch.file("data/precious.txt")) << "mine";

  Process node(scratch, serve(scratch));

  CHECK(node.wait() == 10);
  check_one_line(node.err());
  CHECK(read_text(scratch.file("data/precious.txt")) == "mine");
  CHECK_FALSE(std::filesystem::exists(scratch.file("data/FORMAT")));
}

TEST_CASE("serve: damaged data is 4", "[cli]") {
  const Scratch scratch;
  {
    Process node(scratch, serve(scratch));
    REQUIRE(node.port() > 0);
    node.signal(SIGTERM);
    REQUIRE(node.wait() == 0);
  }
  std::ofstream(scratch.file("data/CURRENT"), std::ios::trunc) << "nonsense";

  Process node(scratch, serve(scratch));

  CHECK(node.wait() == 4);
  check_one_line(node.err());
}

TEST_CASE("serve: an address in use is 6", "[cli]") {
  const Scratch scratch;
  Process first(scratch, serve(scratch));
  const int port = first.port();
  REQUIRE(port > 0);

  Process second(scratch, {"serve", "--data-dir", scratch.file("other"), "--listen",
                           "127.0.0.1:" + std::to_string(port)});

  CHECK(second.wait() == 6);
  check_one_line(second.err());
  CHECK(second.err().find(std::to_string(port)) != std::string::npos);
}

TEST_CASE("serve: bad options are 2 and say which", "[cli]") {
  const Scratch scratch;
  struct Bad {
    std::vector<std::string> more;
    std::string named;
  };
  for (const Bad& bad : std::vector<Bad>{{{"--listen", "0.0.0.0:0"}, "--insecure"},
                                         {{"--listen", "nonsense"}, "--listen"},
                                         {{"--listen", "127.0.0.1:99999"}, "--listen"},
                                         {{"--qdrant-listen", "[::]:0"}, "--insecure"},
                                         {{"--log-format", "xml"}, "--log-format"},
                                         {{"--seal-rows", "0"}, "--seal-rows"},
                                         {{"--no-such-flag"}, "--no-such-flag"}}) {
    CAPTURE(bad.more.front());
    std::vector<std::string> arguments = {"serve", "--data-dir", scratch.file("data")};
    arguments.insert(arguments.end(), bad.more.begin(), bad.more.end());
    Process node(scratch, arguments);

    CHECK(node.wait() == 2);
    CHECK(node.err().starts_with("vectorizerctl serve: "));
    CHECK(node.err().find(bad.named) != std::string::npos);
    CHECK(node.out().empty());
  }
}

TEST_CASE("serve: --insecure lets it listen beyond this machine and says so", "[cli]") {
  const Scratch scratch;
  Process node(scratch, {"serve", "--data-dir", scratch.file("data"), "--listen", "0.0.0.0:0",
                         "--insecure"});

  REQUIRE(node.port() > 0);

  CHECK(node.out().find("event=insecure") != std::string::npos);
  node.signal(SIGTERM);
  CHECK(node.wait() == 0);
}

TEST_CASE("serve: kill -9 loses nothing that was acknowledged, and the next start works", "[cli]") {
  const Scratch scratch;
  {
    Process node(scratch, serve(scratch));
    REQUIRE(node.port() > 0);
    node.signal(SIGKILL);
    CHECK(node.wait() == 128 + SIGKILL);
  }
  Process node(scratch, serve(scratch, {"--log-format", "json"}));
  for (int i = 0; i < 1000 && node.out().find("\"ready\"") == std::string::npos; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  CHECK(node.out().find("\"event\":\"ready\"") != std::string::npos);
  node.signal(SIGTERM);
  CHECK(node.wait() == 0);
}
