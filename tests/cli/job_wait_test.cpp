// Waiting for a job: what ends it, and the exit status of each end. The node is a stand-in that
// says of its job what the test wants.
#include <atomic>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "tests/cli/process.h"

using namespace vz::cli::test;

namespace {

/// Answers every request with one body.
class StandIn {
 public:
  explicit StandIn(std::string body, int status = 200)
      : answer_("HTTP/1.1 " + std::to_string(status) +
                " X\r\nConnection: close\r\nContent-Length: " + std::to_string(body.size()) +
                "\r\n\r\n" + body) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(::listen(listener_, 8) == 0);
    socklen_t size = sizeof address;
    REQUIRE(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    url = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
    thread_ = std::thread([this] { serve(); });
  }
  ~StandIn() {
    ::shutdown(listener_, SHUT_RDWR);  // Ends accept().
    thread_.join();
    ::close(listener_);
  }
  StandIn(const StandIn&) = delete;
  StandIn& operator=(const StandIn&) = delete;

  std::string url;
  std::atomic<int> asked{0};

 private:
  void serve() {
    for (int fd; (fd = ::accept(listener_, nullptr, nullptr)) >= 0; ::close(fd)) {
      std::string head;
      char buffer[4096];
      while (head.find("\r\n\r\n") == std::string::npos) {
        const ssize_t got = ::recv(fd, buffer, sizeof buffer, 0);
        if (got <= 0) break;
        head.append(buffer, static_cast<std::size_t>(got));
      }
      (void)!::send(fd, answer_.data(), answer_.size(), MSG_NOSIGNAL);
      ++asked;
    }
  }

  const std::string answer_;
  int listener_ = -1;
  std::thread thread_;
};

std::string job(const std::string& status, const std::string& more = "") {
  return R"({"job_id":"gc-1","kind":"gc","object":"","status":")" + status +
         R"(","progress":0.25,"started_at":"2026-12-01T02:00:00Z","ended_at":null)" + more + "}";
}

}  // namespace

TEST_CASE("job wait: the exit status is what became of the job", "[cli][jobs]") {
  const Scratch scratch;
  const auto error = [](const std::string& code) {
    return R"(,"error":{"code":")" + code + R"(","message":"why"})";
  };
  const std::vector<std::tuple<std::string, std::string, int>> ends = {
      {job("completed", R"(,"result":{"files_removed":3})"), "files_removed  3", 0},
      {job("cancelled"), "was cancelled", 1},
      {job("interrupted"), "interrupted by the end of the node", 13},
      {job("failed", error("no_space")), "job gc-1 failed: why", 12},
      {job("failed", error("corruption")), "job gc-1 failed: why", 4},
      {job("failed", error("nonsense")), "job gc-1 failed: why", 70},
      {"[]", "no node of ours", 9},
      {R"({"job_id":7,"status":"completed"})", "no node of ours", 9},
  };
  for (const auto& [answer, said, status] : ends) {
    CAPTURE(answer);
    const StandIn node(answer);
    Process wait(scratch, {"job", "wait", "gc-1", "--endpoint", node.url});
    CHECK(wait.wait() == status);
    CHECK((wait.out() + wait.err()).find(said) != std::string::npos);
  }
}

TEST_CASE("job wait: when its time is up it is 14, and the job's id is printed", "[cli][jobs]") {
  const Scratch scratch;
  const StandIn node(job("running"));

  Process wait(scratch, {"job", "wait", "gc-1", "--timeout", "1s", "--endpoint", node.url});

  CHECK(wait.wait() == 14);
  CHECK(wait.out().empty());
  CHECK(wait.err().find("\nvectorizerctl job wait gc-1\n") != std::string::npos);
}

TEST_CASE("job wait: ^C leaves the job running and says how to wait again", "[cli][jobs]") {
  const Scratch scratch;
  const StandIn node(job("running"));
  Process wait(scratch, {"gc", "run", "--wait", "--endpoint", node.url});
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (node.asked < 3 && std::chrono::steady_clock::now() < deadline)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));

  wait.signal(SIGINT);

  CHECK(wait.wait() == 130);
  CHECK(wait.out().empty());
  CHECK(wait.err().find("\nvectorizerctl job wait gc-1\n") != std::string::npos);
}
