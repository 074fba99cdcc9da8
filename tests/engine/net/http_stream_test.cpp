// Bodies that go to a sink while they arrive: whole, bounded in memory, and never half.
#include <algorithm>
#include <mutex>
#include <thread>

#include "engine/limits.h"
#include "tests/engine/net/raw_client.h"

using namespace vz;
using namespace vz::net::test;
using net::BodySink;
using net::HttpHandlers;
using net::HttpServerOptions;
using net::Request;
using net::RequestHead;
using net::Respond;
using net::Response;

namespace {

constexpr std::size_t kPieceMax = 320u << 10;

/// What became of the bodies of one server.
struct Seen {
  std::mutex mutex;
  std::string content;
  std::vector<std::optional<std::uint64_t>> lengths;
  std::size_t pieces = 0;
  std::size_t largest = 0;
  std::size_t requests = 0;
  std::size_t with_sink = 0;
  std::size_t body_in_memory = 0;
  std::atomic<int> alive{0};
  std::atomic<int> at_once{0};
  std::atomic<bool> overlapped{false};
  // What the sinks are told to do.
  std::optional<int> refuse_begin;
  std::optional<std::size_t> refuse_after_bytes;
  std::chrono::milliseconds delay{0};
  bool hold = false;  ///< never done with the first piece
  std::vector<BodySink::Done> held;
};

Response status_of(int status) {
  Response response;
  response.status = status;
  response.body = "refused";
  response.content_type = "text/plain";
  return response;
}

/// Answers from a thread of its own, as one that writes to a disk does.
class TestSink final : public BodySink {
 public:
  explicit TestSink(Seen& seen) : seen_(seen) { ++seen_.alive; }
  ~TestSink() override { --seen_.alive; }

  void begin(Done done) override {
    std::optional<Response> refusal;
    if (seen_.refuse_begin) refusal = status_of(*seen_.refuse_begin);
    std::thread([done, refusal] { done(refusal); }).detach();
  }
  void write(std::string bytes, Done done) override {
    if (++seen_.at_once > 1) seen_.overlapped = true;
    std::lock_guard lock(seen_.mutex);
    seen_.content += bytes;
    ++seen_.pieces;
    seen_.largest = std::max(seen_.largest, bytes.size());
    if (seen_.hold) return seen_.held.push_back(done);
    std::optional<Response> refusal;
    if (seen_.refuse_after_bytes && seen_.content.size() >= *seen_.refuse_after_bytes)
      refusal = status_of(507);
    std::thread([done, refusal, delay = seen_.delay, &seen = seen_] {
      std::this_thread::sleep_for(delay);
      --seen.at_once;
      done(refusal);
    }).detach();
  }

 private:
  Seen& seen_;
};

bool is_stream(const RequestHead& head) {
  return !head.segments.empty() && head.segments[0] == "stream";
}

HttpHandlers streaming_handlers(const std::shared_ptr<Seen>& seen) {
  HttpHandlers handlers = describing_handlers();
  handlers.streams_body = is_stream;
  handlers.open_body = [seen](const RequestHead& head, std::optional<std::uint64_t> length)
      -> tl::expected<std::shared_ptr<BodySink>, Response> {
    if (head.parameter("refused")) return tl::unexpected<Response>(status_of(400));
    std::lock_guard lock(seen->mutex);
    seen->lengths.push_back(length);
    return std::make_shared<TestSink>(*seen);
  };
  handlers.on_request = [seen](Request request, Respond respond) {
    if (is_stream(request.head)) {
      std::lock_guard lock(seen->mutex);
      ++seen->requests;
      seen->body_in_memory += request.body.size();
      seen->with_sink += request.sink != nullptr ? 1 : 0;
    }
    respond(describe(request));
  };
  return handlers;
}

std::string content_of(std::size_t size) {
  std::string out(size, '\0');
  std::uint32_t state = 1;
  for (char& c : out) c = static_cast<char>((state = state * 1664525u + 1013904223u) >> 24);
  return out;
}

const std::string kHead = "PUT /stream HTTP/1.1\r\nHost: x\r\n";

std::string with_length(std::size_t bytes, const std::string& headers = "") {
  return kHead + headers + "Content-Length: " + std::to_string(bytes) + "\r\n\r\n";
}

std::string hex(std::size_t number) {
  char text[32];
  std::snprintf(text, sizeof text, "%zx", number);
  return text;
}

std::string chunked(const std::string& content, std::size_t chunk_bytes) {
  std::string out;
  for (std::size_t at = 0; at < content.size(); at += chunk_bytes) {
    const std::string chunk = content.substr(at, chunk_bytes);
    out += hex(chunk.size()) + "\r\n" + chunk + "\r\n";
  }
  return out + "0\r\n\r\n";
}

/// All sinks are gone; then nothing runs that uses `seen` any more.
bool all_gone(Seen& seen) {
  return eventually([&] { return seen.alive == 0; });
}

}  // namespace

TEST_CASE("stream: a body beyond every other's bound arrives whole, piece by piece",
          "[net][stream]") {
  const auto seen = std::make_shared<Seen>();
  auto server = started(test_options(), streaming_handlers(seen));
  RawClient client(server->ports().at(0), 30s);
  const std::string content = content_of(limits::kBodyBytesMax + (9u << 20) + 17);
  const std::size_t chunk_bytes = GENERATE(std::size_t{0}, std::size_t{1} << 26, std::size_t{7001});
  CAPTURE(chunk_bytes);

  REQUIRE(client.send(chunk_bytes == 0 ? with_length(content.size()) + content
                                       : kHead + "Transfer-Encoding: chunked\r\n\r\n" +
                                             chunked(content, chunk_bytes)));
  REQUIRE(client.send("GET /next HTTP/1.1\r\nHost: x\r\n\r\n"));

  const auto answer = client.receive();
  REQUIRE(answer.has_value());
  CHECK(answer->body == "PUT /stream body=0");
  const auto next = client.receive();
  REQUIRE(next.has_value());
  CHECK(next->body == "GET /next body=0");
  REQUIRE(all_gone(*seen));
  CHECK(seen->content == content);
  CHECK(seen->requests == 1);
  CHECK(seen->with_sink == 1);
  CHECK(seen->body_in_memory == 0);
  CHECK(seen->largest <= kPieceMax);
  CHECK_FALSE(seen->overlapped);
  REQUIRE(seen->lengths.size() == 1);
  CHECK(seen->lengths[0] ==
        (chunk_bytes == 0 ? std::optional<std::uint64_t>(content.size()) : std::nullopt));
}

TEST_CASE("stream: an empty body and one of a byte are bodies too", "[net][stream]") {
  const auto seen = std::make_shared<Seen>();
  auto server = started(test_options(), streaming_handlers(seen));
  RawClient client(server->ports().at(0));

  CHECK(client.ask(with_length(0)).value().status == 200);
  CHECK(client.ask(kHead + "\r\n").value().status == 200);
  CHECK(client.ask(kHead + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n").value().status == 200);
  CHECK(client.ask(with_length(1) + "a").value().status == 200);
  CHECK(client.ask(kHead + "Transfer-Encoding: chunked\r\n\r\n1\r\nb\r\n0\r\nT: 1\r\n\r\n")
            .value()
            .status == 200);

  REQUIRE(all_gone(*seen));
  CHECK(seen->content == "ab");
  CHECK(seen->requests == 5);
}

TEST_CASE("stream: 100 comes when the sink is ready, and not when it refuses", "[net][stream]") {
  const auto seen = std::make_shared<Seen>();
  const bool refuses = GENERATE(false, true);
  const bool in_chunks = GENERATE(false, true);
  CAPTURE(refuses, in_chunks);
  if (refuses) seen->refuse_begin = 507;
  auto server = started(test_options(), streaming_handlers(seen));
  RawClient client(server->ports().at(0));

  REQUIRE(client.send(in_chunks
                          ? kHead + "Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n"
                          : with_length(5, "Expect: 100-continue\r\n")));

  const auto first = client.receive();
  REQUIRE(first.has_value());
  if (refuses) {
    CHECK(first->status == 507);
    CHECK(first->body == "refused");
    CHECK(client.is_closed());
    CHECK(seen->requests == 0);
  } else {
    CHECK(first->status == 100);
    REQUIRE(client.send(in_chunks ? "5\r\nhello\r\n0\r\n\r\n" : "hello"));
    CHECK(client.receive().value().status == 200);
    CHECK(seen->content == "hello");
  }
  CHECK(all_gone(*seen));
}

TEST_CASE("stream: what refuses on the head reads no body", "[net][stream]") {
  const auto seen = std::make_shared<Seen>();
  auto server = started(test_options(), streaming_handlers(seen));
  const auto status = [&](const std::string& request) {
    RawClient client(server->ports().at(0));
    const auto answer = client.ask(request);
    return answer && client.is_closed() ? answer->status : 0;
  };

  CHECK(status("PUT /stream?refused=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n") == 400);
  CHECK(status(with_length(5, "Content-Encoding: gzip\r\n")) == 415);
  CHECK(status(kHead + "Content-Length: " + std::to_string(limits::kUploadBytesMax + 1) +
               "\r\n\r\n") == 413);
  CHECK(status(kHead + "Transfer-Encoding: chunked\r\n\r\n" + hex(limits::kUploadBytesMax + 1) +
               "\r\n") == 413);
  CHECK(status(kHead + "Transfer-Encoding: chunked\r\n\r\nzz\r\n") == 400);
  CHECK(status("PUT /other HTTP/1.1\r\nHost: x\r\nContent-Length: 33554433\r\n\r\n") == 413);
  CHECK(all_gone(*seen));
  CHECK(seen->requests == 0);
  CHECK(seen->pieces == 0);
}

TEST_CASE("stream: a client that goes away leaves no sink and makes no request", "[net][stream]") {
  const auto seen = std::make_shared<Seen>();
  auto server = started(test_options(), streaming_handlers(seen));
  const bool in_chunks = GENERATE(false, true);
  {
    RawClient client(server->ports().at(0));
    REQUIRE(client.send(in_chunks ? kHead + "Transfer-Encoding: chunked\r\n\r\n100000\r\n"
                                  : with_length(1u << 20)));
    REQUIRE(client.send(std::string(700'000, 'a')));
    REQUIRE(eventually([&] {
      std::lock_guard lock(seen->mutex);
      return seen->pieces > 0;
    }));
    CHECK(seen->alive == 1);
  }

  CHECK(all_gone(*seen));
  CHECK(seen->requests == 0);
  CHECK(eventually([&] { return server->connections() == 0; }));
}

TEST_CASE("stream: a body that stops is 408, however fast it began", "[net][stream]") {
  const auto seen = std::make_shared<Seen>();
  HttpServerOptions options = test_options();
  options.stream_window = 200ms;
  options.body_grace = 100ms;  // How often is looked.
  auto server = started(options, streaming_handlers(seen));
  RawClient client(server->ports().at(0));
  REQUIRE(client.send(with_length(64u << 20) + content_of(8u << 20)));

  const auto answer = client.receive();

  REQUIRE(answer.has_value());
  CHECK(answer->status == 408);
  CHECK(client.is_closed());
  CHECK(all_gone(*seen));
  CHECK(seen->requests == 0);
}

TEST_CASE("stream: a slow sink is not the client's fault, and slows it down", "[net][stream]") {
  const auto seen = std::make_shared<Seen>();
  seen->delay = 900ms;
  HttpServerOptions options = test_options();
  options.stream_window = 500ms;
  options.body_grace = 100ms;
  options.body_bytes_per_second_min = 1u << 20;  // More than a sink takes that is so slow.
  auto server = started(options, streaming_handlers(seen));
  RawClient client(server->ports().at(0), 10s);
  const std::string content = content_of(600u << 10);
  const std::size_t first = 300u << 10;  // A piece, and some of the next.

  REQUIRE(client.send(with_length(content.size()) + content.substr(0, first)));
  REQUIRE(eventually([&] {
    std::lock_guard lock(seen->mutex);
    return seen->pieces == 1;
  }));
  std::this_thread::sleep_for(seen->delay + 150ms);  // Less than a window behind the sink.
  REQUIRE(client.send(content.substr(first)));

  CHECK(client.receive().value().status == 200);
  CHECK(all_gone(*seen));
  CHECK(seen->pieces == 3);
  CHECK(seen->content == content);
}

TEST_CASE("stream: while a sink is busy nothing more is read", "[net][stream]") {
  const auto seen = std::make_shared<Seen>();
  seen->hold = true;
  auto server = started(test_options(), streaming_handlers(seen));
  RawClient client(server->ports().at(0), 500ms);

  CHECK_FALSE(client.send(with_length(256u << 20) + content_of(64u << 20)));  // Patience ends.

  {
    std::lock_guard lock(seen->mutex);
    CHECK(seen->pieces == 1);
    CHECK(seen->largest <= kPieceMax);
  }
  client.close();
  server->stop(0ms);
  seen->held.clear();
  CHECK(all_gone(*seen));
}

TEST_CASE("stream: what a sink answers in the middle reaches the client", "[net][stream]") {
  const auto seen = std::make_shared<Seen>();
  seen->refuse_after_bytes = 1u << 20;
  auto server = started(test_options(), streaming_handlers(seen));
  RawClient client(server->ports().at(0));
  REQUIRE(client.send(with_length(64u << 20) + content_of(2u << 20)));

  const auto answer = client.receive();

  REQUIRE(answer.has_value());
  CHECK(answer->status == 507);
  CHECK(answer->header("Connection") == "close");
  CHECK(all_gone(*seen));
  CHECK(seen->requests == 0);
}

TEST_CASE("stream: a server that stops lets go of what still arrives", "[net][stream]") {
  const auto seen = std::make_shared<Seen>();
  auto server = started(test_options(), streaming_handlers(seen));
  RawClient client(server->ports().at(0));
  REQUIRE(client.send(with_length(64u << 20) + content_of(1u << 20)));
  REQUIRE(eventually([&] {
    std::lock_guard lock(seen->mutex);
    return seen->pieces > 0;
  }));

  server->stop(50ms);

  CHECK(all_gone(*seen));
  CHECK(seen->requests == 0);
}
