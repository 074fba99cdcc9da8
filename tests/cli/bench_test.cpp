// `bench` by the binary, against a node that the test starts: results are sane, errors name the
// thing.
#include <nlohmann/json.hpp>

#include "tests/cli/process.h"

using namespace vz::cli::test;
using nlohmann::json;

namespace {

/// A node with 3,000 points of 32 dimensions in "demo"; all of them too few for a graph to miss
/// many.
class Node {
 public:
  explicit Node(const Scratch& scratch)
      : scratch_(scratch),
        server_(scratch, {"serve", "--data-dir", scratch.file("data"), "--listen", "127.0.0.1:0"}) {
    const int port = server_.port();
    REQUIRE(port > 0);
    endpoint_ = "http://127.0.0.1:" + std::to_string(port);
    for (int i = 0; i < 1000 && server_.out().find("event=ready") == std::string::npos; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }

  /// One `bench` command. Its stdout and stderr are in `out` and `err`.
  int bench(std::vector<std::string> words) {
    words.insert(words.begin(), "bench");
    words.insert(words.end(), {"--endpoint", endpoint_});
    Process run(scratch_, words);
    const int status = run.wait();
    out = run.out();
    err = run.err();
    return status;
  }
  json insert_demo() {
    const int status = bench({"insert", "--collection", "demo", "--keep", "--points", "3000",
                              "--dimension", "32", "-o", "json"});
    INFO(err);
    REQUIRE(status == 0);
    return json::parse(out);
  }

  [[nodiscard]] const std::string& endpoint() const { return endpoint_; }
  std::string out, err;

 private:
  const Scratch& scratch_;
  Process server_;
  std::string endpoint_;
};

void check_latency(const json& result) {
  CHECK(result["p50_ms"] > 0.0);
  CHECK(result["p50_ms"] <= result["p90_ms"]);
  CHECK(result["p90_ms"] <= result["p99_ms"]);
  CHECK(result["p99_ms"] <= result["max_ms"]);
}

void write_fbin(const std::string& path, std::int32_t rows, std::int32_t dimension) {
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(&rows), sizeof rows);
  file.write(reinterpret_cast<const char*>(&dimension), sizeof dimension);
  for (std::int32_t i = 0; i < rows * dimension; ++i) {
    const float value = static_cast<float>(i % 7) - 3.0f;
    file.write(reinterpret_cast<const char*>(&value), sizeof value);
  }
}

}  // namespace

TEST_CASE("bench: insert writes, search and recall measure what it wrote", "[cli][bench]") {
  const Scratch scratch;
  Node node(scratch);

  const json inserted = node.insert_demo();

  CHECK(inserted["schema"] == "vectorizerctl.bench.insert/1");
  CHECK(inserted["collection"] == "demo");
  CHECK(inserted["kept"] == true);
  CHECK(inserted["points_per_second"] > 0.0);
  CHECK(inserted["json_mb_per_second"] > 0.0);
  check_latency(inserted);

  REQUIRE(node.bench({"search", "demo", "--seconds", "0.3", "--connections", "2", "--filter",
                      R"({"must":[{"key":"tag","match":{"value":"t3"}}]})", "-o", "json"}) == 0);
  const json searched = json::parse(node.out);
  CHECK(searched["schema"] == "vectorizerctl.bench.search/1");
  CHECK(searched["points"] == 3000);
  CHECK(searched["queries"] == 200);
  CHECK(searched["errors"] == 0);
  CHECK(searched["qps"] > 0.0);
  CHECK(searched["requests"] > 0);
  CHECK(searched["distances_per_query"] > 0.0);
  check_latency(searched);

  REQUIRE(node.bench({"recall", "demo", "--seconds", "0.1", "--ef", "16,256", "-o", "json"}) == 0);
  const json recall = json::parse(node.out);
  CHECK(recall["schema"] == "vectorizerctl.bench.recall/1");
  REQUIRE(recall["rows"].size() == 2);
  for (const json& row : recall["rows"]) {
    CAPTURE(row.dump());
    CHECK(row["recall"] >= 0.9);
    CHECK(row["recall"] <= 1.0);
    CHECK(row["qps"] > 0.0);
    check_latency(row);
  }
  CHECK(recall["rows"][0]["ef"] == 16);
  CHECK(recall["rows"][0]["recall"] <= recall["rows"][1]["recall"]);
}

TEST_CASE("bench search: queries of a file, at a rate, exact, as a table", "[cli][bench]") {
  const Scratch scratch;
  Node node(scratch);
  node.insert_demo();
  write_fbin(scratch.file("queries.fbin"), 5, 32);

  const int status = node.bench({"search", "demo", "--queries", scratch.file("queries.fbin"),
                                 "--rate", "100", "--seconds", "0.3", "--exact"});

  INFO(node.err);
  CHECK(status == 0);
  CAPTURE(node.out);
  for (const char* line : {"queries              5\n", "rate                 100.0\n",
                           "requests             30\n", "errors               0\n",
                           "exact                true\n", "distances_per_query  3000.0\n"}) {
    CAPTURE(line);
    CHECK(node.out.find(line) != std::string::npos);
  }
  CHECK(node.out.find("###") == std::string::npos);  // a file is no terminal
}

TEST_CASE("bench insert: what it made it drops, what was there it leaves alone", "[cli][bench]") {
  const Scratch scratch;
  Node node(scratch);

  REQUIRE(node.bench({"insert", "--points", "250", "--dimension", "8", "--distance", "Dot", "-o",
                      "json"}) == 0);
  const json first = json::parse(node.out);
  CHECK(first["kept"] == false);
  const std::string name = first["collection"];
  CHECK(name.starts_with("vectorizer-bench-"));
  CHECK(node.bench({"search", name}) == 5);
  CHECK(node.err.find("it has none") != std::string::npos);

  node.insert_demo();
  const std::vector<std::string> again = {
      "insert", "--collection", "demo", "--points", "10", "--dimension", "32", "--batch", "3"};
  CHECK(node.bench(again) == 6);
  CHECK(node.err.find("collection 'demo' exists, with 3000 points; --yes") != std::string::npos);

  std::vector<std::string> agreed = again;
  agreed.push_back("--yes");
  CHECK(node.bench(agreed) == 0);
  CHECK(node.out.find("kept                true") != std::string::npos);

  agreed[6] = "16";
  CHECK(node.bench(agreed) == 2);
  CHECK(node.err.find("is of 32 dimensions and Cosine, not 16 and Cosine") != std::string::npos);
}

TEST_CASE("bench: what is wrong is named on one line, with its exit status", "[cli][bench]") {
  const Scratch scratch;
  Node node(scratch);
  node.insert_demo();
  write_fbin(scratch.file("narrow.fbin"), 2, 8);
  std::ofstream(scratch.file("text.fbin")) << "these are no vectors at all";
  struct Bad {
    std::vector<std::string> words;
    int status;
    std::string named;
  };
  for (const Bad& bad : std::vector<Bad>{
           {{"search", "dmeo"}, 5, "there is no collection 'dmeo'"},
           {{"recall", "dmeo"}, 5, "it has 'demo'"},
           {{"search", "demo", "--queries", scratch.file("narrow.fbin")}, 2, "8 dimensions"},
           {{"search", "demo", "--queries", scratch.file("text.fbin")}, 2, "expected .fbin"},
           {{"recall", "demo", "--queries", scratch.file("absent.fbin")}, 5, "absent.fbin"},
           {{"search", "demo", "--filter", "tag=t1"}, 2, "--filter is not a JSON object"},
           {{"search", "demo", "--filter", R"({"must":7})"}, 2, "answered 4"},
           {{"recall", "demo", "--filter", R"({"must":[{"key":"tag","match":{"value":"none"}}]})"},
            6,
            "the filter passes no point"}}) {
    CHECK(node.bench(bad.words) == bad.status);
    CAPTURE(bad.words, node.err);
    CHECK(node.err.starts_with("vectorizerctl bench " + bad.words[0] + ": "));
    CHECK(node.err.find(bad.named) != std::string::npos);
    CHECK(node.out.empty());
  }
  CHECK(node.bench({"search", "demo", "--limit", "0"}) == 2);
  CHECK(node.err.find("--limit") != std::string::npos);
  CHECK(node.bench({"search", "demo", "--limit", "10001"}) == 2);
  CHECK(node.bench({"recall", "demo", "--ef", "10,none"}) == 2);
  CHECK(node.err.find("--ef") != std::string::npos);
}

TEST_CASE("bench: the node is a flag, else the environment's, else said to be unreachable",
          "[cli][bench]") {
  const Scratch scratch;
  const auto run = [&](const std::string& endpoint) {
    Process process(scratch, {"bench", "search", "demo"}, {{"VECTORIZERCTL_ENDPOINT", endpoint}});
    const int status = process.wait();
    CHECK(process.out().empty());
    return std::pair(status, process.err());
  };

  const auto [unreachable, why] = run("http://127.0.0.1:1");
  CHECK(unreachable == 13);
  CHECK(why.find("http://127.0.0.1:1/") != std::string::npos);
  CHECK(why.find("--endpoint") != std::string::npos);

  for (const std::string endpoint : {"127.0.0.1:15002", "http://", "http://host:port",
                                     "http://host:99999", "http://host/path", "http://[::1"}) {
    CAPTURE(endpoint);
    const auto [status, error] = run(endpoint);
    CHECK(status == 2);
    CHECK(error.find("--endpoint '" + endpoint + "' is not") != std::string::npos);
  }
  CHECK(run("https://localhost:443").first == 1);
}

TEST_CASE("bench: help of each command, and the nearest word to a mistyped one", "[cli][bench]") {
  const Scratch scratch;
  for (const std::string word : {"search", "recall", "insert"}) {
    CAPTURE(word);
    Process help(scratch, {"bench", word, "--help"});
    CHECK(help.wait() == 0);
    CHECK(help.out().find("Usage: vectorizerctl bench " + word + " ") != std::string::npos);
    CHECK(help.out().find("Example") != std::string::npos);
    CHECK(help.out().find("13 unreachable") != std::string::npos);
    CHECK(help.err().empty());
  }
  Process typo(scratch, {"bench", "recal", "demo"});
  CHECK(typo.wait() == 2);
  CHECK(
      typo.err().find("vectorizerctl bench: there is no command 'recal'; did you mean 'recall'?") !=
      std::string::npos);
  Process none(scratch, {"bench"});
  CHECK(none.wait() == 2);
  CHECK(none.out().empty());
}
