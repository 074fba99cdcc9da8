// Overload: requests wait in a bounded line, and those of an operator pass it.
#include <mutex>
#include <vector>

#include "tests/engine/net/raw_client.h"

using namespace vz;
using namespace vz::net;
using namespace vz::net::test;

namespace {

constexpr std::string_view kWork = "POST /work HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n";
constexpr std::string_view kHealth = "GET /health HTTP/1.1\r\nHost: x\r\n\r\n";

/// Handlers that write down what they were asked, in order; the first request blocks its io thread
/// until the test lets it go.
class Recorder {
 public:
  HttpHandlers handlers() {
    HttpHandlers out;
    out.on_request = [this](Request request, Respond respond) {
      const std::string name = request.head.segments.empty() ? "" : request.head.segments[0];
      {
        const std::lock_guard lock(mutex_);
        asked_.push_back(name);
      }
      if (name == "first") {
        blocked_ = true;
        while (!open_) usleep(1'000);
      }
      respond(Response{.content_type = "text/plain", .body = name, .headers = {}});
    };
    return out;
  }
  void wait_until_blocked() const {
    REQUIRE(eventually([&] { return blocked_.load(); }));
  }
  void open() { open_ = true; }
  std::vector<std::string> asked() {
    const std::lock_guard lock(mutex_);
    return asked_;
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> asked_;
  std::atomic<bool> blocked_{false};
  std::atomic<bool> open_{false};
};

HttpServerOptions one_thread(std::size_t waiting_max) {
  HttpServerOptions options = test_options();
  options.threads = 1;
  options.requests_waiting_max = waiting_max;
  return options;
}

}  // namespace

TEST_CASE("overload: health is answered before all that came earlier and waits", "[net]") {
  for (const std::string path :
       {"/health", "/livez", "/readyz", "/metrics", "/stats", "/admin/jobs", "/qdrant/readyz"}) {
    CAPTURE(path);
    Recorder recorder;
    auto server = started(one_thread(100), recorder.handlers());
    const std::uint16_t port = server->ports().at(0);
    RawClient first(port);
    REQUIRE(first.send("GET /first HTTP/1.1\r\nHost: x\r\n\r\n"));
    recorder.wait_until_blocked();

    std::vector<RawClient> workers;
    for (int i = 0; i < 50; ++i) {
      workers.emplace_back(port);
      REQUIRE(workers.back().send(kWork));
    }
    RawClient urgent(port);
    REQUIRE(urgent.send("GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n"));
    recorder.open();

    CHECK(urgent.receive().value().status == 200);
    for (RawClient& worker : workers) CHECK(worker.receive().value().status == 200);
    const auto asked = recorder.asked();
    REQUIRE(asked.size() == 52);
    CHECK(asked[0] == "first");
    CHECK(asked[1] != "work");
  }
}

TEST_CASE("overload: beyond the bound a request gets 503 at once and keeps its connection",
          "[net]") {
  Recorder recorder;
  auto server = started(one_thread(4), recorder.handlers());
  const std::uint16_t port = server->ports().at(0);
  RawClient first(port);
  REQUIRE(first.send("GET /first HTTP/1.1\r\nHost: x\r\n\r\n"));
  recorder.wait_until_blocked();
  std::vector<RawClient> workers;
  for (int i = 0; i < 10; ++i) {
    workers.emplace_back(port);
    REQUIRE(workers.back().send(kWork));
  }
  recorder.open();

  int served = 0;
  int refused = 0;
  for (RawClient& worker : workers) {
    const auto answer = worker.receive();
    REQUIRE(answer);
    served += answer->status == 200;
    refused += answer->status == 503 && answer->header("Retry-After") == "1";
  }

  CHECK(served == 4);
  CHECK(refused == 6);
  for (RawClient& worker : workers) CHECK(worker.ask(kWork).value().status == 200);
  CHECK(server->waiting() == 0);
}

TEST_CASE("overload: a connection that goes away in line harms nobody", "[net]") {
  Recorder recorder;
  auto server = started(one_thread(100), recorder.handlers());
  const std::uint16_t port = server->ports().at(0);
  RawClient first(port);
  REQUIRE(first.send("GET /first HTTP/1.1\r\nHost: x\r\n\r\n"));
  recorder.wait_until_blocked();
  {
    std::vector<RawClient> leaving;
    for (int i = 0; i < 20; ++i) {
      leaving.emplace_back(port);
      REQUIRE(leaving.back().send(kWork));
    }
  }
  recorder.open();

  RawClient after(port);
  CHECK(after.ask(kHealth).value().status == 200);
  CHECK(after.ask(kWork).value().status == 200);
  CHECK(eventually([&] { return server->waiting() == 0; }));
}
