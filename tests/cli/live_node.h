// A node of the binary, and commands that ask it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/cli/process.h"
#include "tools/drive/http_client.h"

namespace vz::cli::test {

struct Ran {
  int status = -1;
  std::string out;
  std::string err;
};

inline Ran run(const Scratch& scratch, const std::vector<std::string>& words) {
  Process process(scratch, words);
  const int status = process.wait();
  return {.status = status, .out = process.out(), .err = process.err()};
}

/// A node with one point in "a", searched once.
class Node {
 public:
  explicit Node(const Scratch& scratch, std::vector<std::string> more = {}) : scratch_(scratch) {
    std::vector<std::string> words = {"serve", "--data-dir", scratch.file("data"), "--listen",
                                      "127.0.0.1:0"};
    words.insert(words.end(), more.begin(), more.end());
    server_ = std::make_unique<Process>(scratch, words);
    url = "http://127.0.0.1:" + std::to_string(server_->port());
    drive::HttpClient http(url, 10'000);
    for (int i = 0; i < 1'000; ++i) {
      const auto answer =
          http.request("PUT", "/collections/a", R"({"vectors":{"size":2,"distance":"Dot"}})");
      if (answer && answer->status != 503) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    http.request("PUT", "/collections/a/points?wait=true",
                 R"({"points":[{"id":1,"vector":[1,2]}]})");
    http.request("POST", "/collections/a/points/search", R"({"vector":[1,2],"limit":1})");
  }
  void kill() {
    server_->signal(SIGKILL);
    (void)server_->wait();
  }
  Ran run(std::vector<std::string> words) {
    words.insert(words.end(), {"--endpoint", url});
    return test::run(scratch_, words);
  }
  /// One request of the test's own.
  drive::HttpAnswer ask(const std::string& method, const std::string& path,
                        const std::string& body = "") {
    drive::HttpClient http(url, 10'000);
    const auto answer = http.request(method, path, body);
    REQUIRE(answer);
    return *answer;
  }
  /// What it has logged.
  [[nodiscard]] std::string log() const { return server_->out(); }
  std::string url;

 private:
  const Scratch& scratch_;
  std::unique_ptr<Process> server_;
};

}  // namespace vz::cli::test
