// P16 and P17 on the wire: every limit, timeout and smuggling guard of the server.
#include <algorithm>
#include <thread>

#include <sys/resource.h>

#include "engine/limits.h"
#include "engine/net/gzip.h"
#include "tests/engine/net/raw_client.h"

using namespace vz;
using namespace std::string_literals;
using namespace vz::net::test;
using net::HttpHandlers;
using net::HttpServerOptions;
using net::Request;
using net::RequestHead;
using net::Respond;
using net::Response;
using SteadyClock = std::chrono::steady_clock;

namespace {
constexpr const char* kGet = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";

/// The answer to `bytes` on a connection of its own, which must be closed after it.
int refused_status(std::uint16_t port, const std::string& bytes) {
  RawClient client(port);
  const auto answer = client.ask(bytes);
  if (!answer) return 0;
  CHECK(answer->header("Connection") == "close");
  CHECK_FALSE(answer->header("X-Request-Id").empty());
  CHECK(client.is_closed());
  return answer->status;
}
}  // namespace

TEST_CASE("guards: whatever could be read in two ways is 400 and the connection ends", "[net]") {
  std::atomic<int> handled{0};
  HttpHandlers handlers;
  handlers.on_request = [&](Request, Respond respond) {
    ++handled;
    respond({});
  };
  auto server = started(test_options(), handlers);
  const std::string post = "POST /a HTTP/1.1\r\nHost: x\r\n";
  const std::string smuggled = "GET /admin HTTP/1.1\r\nHost: x\r\n\r\n";
  for (const std::string& bytes : std::vector<std::string>{
           post + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled,
           post + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + smuggled,
           post + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef" + smuggled,
           post + "Content-Length: 5, 6\r\n\r\nabcdef",
           post + "Content-Length : 5\r\n\r\nabcde" + smuggled,
           post + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + smuggled,
           post + "Transfer-Encoding: xchunked\r\n\r\n" + smuggled,
           post + "A: b\r\n Content-Length: 5\r\n\r\n" + smuggled,
           post + "A: b\nContent-Length: 5\r\n\r\nabcde" + smuggled,
           "GET /a HTTP/1.1\nHost: x\n\n" + smuggled,
           "GET /a\0b HTTP/1.1\r\nHost: x\r\n\r\n"s,
           "GET /a\x0B HTTP/1.1\r\nHost: x\r\n\r\n",
           "GET /a HTTP/1.1\r\nHost: x\r\nA: b\rc\r\n\r\n",
           "GET /a HTTP/1.1\r\nHost: x\r\nA: b\0c\r\n\r\n"s,
           "GET /a HTTP/1.1\r\n\r\n",
           "GET /a HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
           "GET /a/%2e%2e/b HTTP/1.1\r\nHost: x\r\n\r\n",
           "GET /a%00 HTTP/1.1\r\nHost: x\r\n\r\n",
           "GET /a%zz HTTP/1.1\r\nHost: x\r\n\r\n",
           "GET http://x/a HTTP/1.1\r\nHost: x\r\n\r\n",
           "GET /a HTTP/3.0\r\nHost: x\r\n\r\n",
           "\x16\x03\x01\x02\x01\r\n"}) {
    CAPTURE(bytes);
    CHECK(refused_status(server->ports().at(0), bytes) == 400);
  }
  CHECK(handled == 0);
}

TEST_CASE("limits: each of them is answered with its own status", "[net]") {
  std::atomic<int> handled{0};
  HttpHandlers handlers;
  handlers.on_request = [&](Request, Respond respond) {
    ++handled;
    respond({});
  };
  std::atomic<int> unknown_callers{0};
  handlers.on_error = [&](const RequestHead& head, int status, const std::string& message) {
    unknown_callers += !head.peer_is_loopback || head.request_id.empty();
    return Response{.status = status, .body = "E:" + message, .headers = {}};
  };
  auto server = started(test_options(), handlers);
  const std::uint16_t port = server->ports().at(0);
  const std::string host = " HTTP/1.1\r\nHost: x\r\n";
  std::string fields;
  for (int i = 0; i < 100; ++i) fields += "A: b\r\n";

  CHECK(refused_status(port, "GET /" + std::string(9'000, 'a') + host + "\r\n") == 414);
  CHECK(refused_status(port, "GET /" + std::string(60'000, 'a')) == 414);
  CHECK(refused_status(port, "GET /" + host + fields + "\r\n") == 431);
  CHECK(refused_status(port, "GET /" + host + "A: " + std::string(17'000, 'v') + "\r\n\r\n") ==
        431);
  CHECK(refused_status(port, "GET /" + host + "A: " + std::string(60'000, 'v')) == 431);
  CHECK(refused_status(port, "POST /" + host + "Content-Length: 33554433\r\n\r\n") == 413);
  CHECK(refused_status(port, "POST /" + host + "Content-Length: 99999999999999999999\r\n\r\n") ==
        400);
  CHECK(refused_status(port, "POST /" + host + "Transfer-Encoding: chunked\r\n\r\n2000001\r\n") ==
        413);
  CHECK(refused_status(
            port, "POST /" + host + "Content-Encoding: br\r\nContent-Length: 1\r\n\r\n") == 415);
  CHECK(refused_status(port, "POST /" + host + "Expect: x\r\nContent-Length: 1\r\n\r\n") == 417);
  CHECK(unknown_callers == 0);
  CHECK(handled == 0);
}

TEST_CASE("limits: the answer to a body too large reaches a client that sends on", "[net]") {
  auto server = started(test_options(), describing_handlers());
  RawClient client(server->ports().at(0));
  REQUIRE(client.send("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 40000000\r\n\r\n"));

  const std::string piece(1 << 20, 'b');
  for (int i = 0; i < 8; ++i) REQUIRE(client.send(piece));

  CHECK(client.receive().value().status == 413);
}

TEST_CASE("limits: chunks count against the body limit together", "[net]") {
  auto server = started(test_options(), describing_handlers());
  RawClient client(server->ports().at(0));
  REQUIRE(client.send("POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"));
  const std::string chunk = "100000\r\n" + std::string(1 << 20, 'b') + "\r\n";

  for (int i = 0; i < 33; ++i) client.send(chunk);

  CHECK(client.receive().value().status == 413);
}

TEST_CASE("limits: a gzip bomb is 413 after 32 MiB, whatever it would become", "[net]") {
  auto server = started(test_options(), describing_handlers());
  net::GzipDeflater deflater;
  const std::string member = deflater.deflate(std::string(16u << 20, '\0'));
  std::string bomb = member + member;
  const auto post = [&](const std::string& body) {
    RawClient client(server->ports().at(0), 10s);
    return client
        .ask("POST /a HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: " +
             std::to_string(body.size()) + "\r\n\r\n" + body)
        .value();
  };

  const auto exact = post(bomb);
  CHECK(exact.status == 200);
  CHECK(exact.body == "POST /a body=33554432");
  CHECK(post(bomb + deflater.deflate(std::string(2000, '\0'))).status == 413);
  for (int i = 0; i < 6; ++i) bomb += bomb;
  CHECK(post(bomb).status == 413);
}

TEST_CASE("limits: request bodies of all connections together have a bound", "[net]") {
  HttpServerOptions options = test_options();
  options.body_bytes_in_flight_max = 1 << 20;
  auto server = started(options, describing_handlers());
  const std::string half =
      "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 700000\r\n\r\n" + std::string(350'000, 'b');

  RawClient first(server->ports().at(0));
  REQUIRE(first.send(half));
  std::this_thread::sleep_for(50ms);
  RawClient second(server->ports().at(0));
  const auto refused = second.ask(half);
  REQUIRE(refused.has_value());
  CHECK(refused->status == 503);
  CHECK(refused->header("Retry-After") == "1");

  CHECK(first.ask(std::string(350'000, 'b')).value().status == 200);
  CHECK(first.ask(half + std::string(350'000, 'b')).value().status == 200);
}

TEST_CASE("timeouts: a slow-loris head is cut with 408, however it trickles", "[net]") {
  HttpServerOptions options = test_options();
  options.header_timeout = 200ms;
  auto server = started(options, describing_handlers());
  RawClient client(server->ports().at(0));
  const auto begin = SteadyClock::now();

  std::thread trickle([&] {
    for (const char c : std::string("GET / HTTP/1.1\r\nHost: x\r\nA: bbbbbbbbbbbbbbbbbbb")) {
      if (SteadyClock::now() - begin > 180ms) break;
      client.send({&c, 1});
      std::this_thread::sleep_for(10ms);
    }
  });
  const auto answer = client.receive();
  trickle.join();

  REQUIRE(answer.has_value());
  CHECK(answer->status == 408);
  CHECK(client.is_closed());
  CHECK(SteadyClock::now() - begin >= 150ms);
  CHECK(SteadyClock::now() - begin < 3s);
}

TEST_CASE("timeouts: a silent connection is closed without a word", "[net]") {
  HttpServerOptions options = test_options();
  options.header_timeout = 100ms;
  options.idle_timeout = 150ms;
  auto server = started(options, describing_handlers());

  RawClient mute(server->ports().at(0));
  CHECK(mute.is_closed());

  RawClient idle(server->ports().at(0));
  CHECK(idle.ask(kGet).value().status == 200);
  const auto answered = SteadyClock::now();
  CHECK(idle.is_closed());
  CHECK(SteadyClock::now() - answered >= 100ms);
}

TEST_CASE("timeouts: after an idle pause a request has its own time for the head", "[net]") {
  HttpServerOptions options = test_options();
  options.header_timeout = 150ms;
  options.idle_timeout = 5s;
  auto server = started(options, describing_handlers());
  RawClient client(server->ports().at(0));
  CHECK(client.ask(kGet).value().status == 200);
  std::this_thread::sleep_for(250ms);

  CHECK(client.ask(kGet).value().status == 200);
  CHECK(client.ask("GET / HT").value().status == 408);
}

TEST_CASE("timeouts: a body slower than its least rate is cut with 408", "[net]") {
  HttpServerOptions options = test_options();
  options.body_grace = 100ms;
  options.body_bytes_per_second_min = 10'000;
  auto server = started(options, describing_handlers());
  for (const std::string coding : {"Content-Length: 5000", "Transfer-Encoding: chunked"}) {
    CAPTURE(coding);
    RawClient client(server->ports().at(0));
    REQUIRE(client.send("POST /a HTTP/1.1\r\nHost: x\r\n" + coding + "\r\n\r\n"));
    std::thread trickle([&] {
      for (int i = 0; i < 5; ++i) {
        client.send(coding.front() == 'C' ? "b" : "1\r\nb\r\n");
        std::this_thread::sleep_for(20ms);
      }
    });
    const auto answer = client.receive();
    trickle.join();
    REQUIRE(answer.has_value());
    CHECK(answer->status == 408);
    CHECK(client.is_closed());
  }

  // Faster than the rate, though slower than the grace: it is served.
  RawClient steady(server->ports().at(0));
  REQUIRE(steady.send("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 20000\r\n\r\n"));
  for (int i = 0; i < 10; ++i) {
    REQUIRE(steady.send(std::string(2000, 'b')));
    std::this_thread::sleep_for(25ms);
  }
  CHECK(steady.receive().value().body == "POST /a body=20000");
}

TEST_CASE("timeouts: a reader that stops reading is cut off", "[net]") {
  HttpServerOptions options = test_options();
  options.write_timeout = 100ms;
  HttpHandlers handlers;
  handlers.on_request = [](Request, Respond respond) {
    // Enough to fill every socket buffer many times at 64 KiB a second: its own allowance is 0 s.
    respond(
        {.status = 200, .content_type = "x/y", .body = std::string(60'000, 'a'), .headers = {}});
  };
  auto server = started(options, handlers);
  RawClient client(0);
  client.shrink_receive_buffer(4096);
  REQUIRE(client.connect_to(server->ports().at(0)));
  std::string many;
  for (int i = 0; i < 200; ++i) many += kGet;

  REQUIRE(client.send(many));

  CHECK(eventually([&] { return server->connections() == 1; }));
  CHECK(eventually([&] { return server->connections() == 0; }));
}

TEST_CASE("connections: beyond the bound only health and admin get in, once", "[net]") {
  HttpServerOptions options = test_options();
  options.connections_max = 4;
  options.connections_reserve = 8;
  auto server = started(options, describing_handlers());
  const std::uint16_t port = server->ports().at(0);
  std::vector<RawClient> clients;
  for (int i = 0; i < 4; ++i) {
    clients.emplace_back(port);
    REQUIRE(clients.back().ask(kGet).value().status == 200);
  }

  for (const std::string path :
       {"/health", "/health/master", "/livez", "/readyz", "/metrics", "/admin/config", "/admin"}) {
    CAPTURE(path);
    RawClient client(port);
    const auto answer = client.ask("GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n");
    REQUIRE(answer.has_value());
    CHECK(answer->status == 200);
    CHECK(answer->header("Connection") == "close");
    CHECK(client.is_closed());
  }
  for (const std::string request : {"GET /collections", "GET /healthy", "POST /health", "GET /"}) {
    CAPTURE(request);
    RawClient client(port);
    const auto answer = client.ask(request + " HTTP/1.1\r\nHost: x\r\n\r\n");
    REQUIRE(answer.has_value());
    CHECK(answer->status == 503);
    CHECK(answer->header("Retry-After") == "1");
    CHECK(client.is_closed());
  }

  CHECK(clients[0].ask(kGet).value().status == 200);
  clients.pop_back();
  CHECK(eventually([&] {
    RawClient client(port);
    return client.ask(kGet).value().status == 200;
  }));
}

TEST_CASE("connections: two thousand against a bound of 64 leave the server well", "[net]") {
  rlimit files{};
  REQUIRE(getrlimit(RLIMIT_NOFILE, &files) == 0);
  REQUIRE(files.rlim_max >= 4'600);
  files.rlim_cur = std::max<rlim_t>(files.rlim_cur, 4'600);
  REQUIRE(setrlimit(RLIMIT_NOFILE, &files) == 0);
  HttpServerOptions options = test_options();
  options.connections_max = 64;
  auto server = started(options, describing_handlers());
  std::vector<RawClient> clients;
  clients.reserve(2'000);

  std::size_t most = 0;
  for (int i = 0; i < 2'000; ++i) {
    clients.emplace_back(server->ports().at(0));
    most = std::max(most, server->connections());
  }
  CHECK(most <= 64 + 64 + 1);  // One more while it is being turned away.

  int served = 0;
  for (int i = 0; i < 64; ++i) {
    const auto answer = clients[static_cast<std::size_t>(i)].ask(kGet);
    served += answer && answer->status == 200;
  }
  CHECK(served == 64);
  int told = 0;
  for (std::size_t i = 200; i < 2'000; i += 100) {
    const auto answer = clients[i].receive();
    told += answer && answer->status == 503 && answer->header("Retry-After") == "1";
  }
  CHECK(told == 18);
  clients.clear();
  CHECK(eventually([&] { return server->connections() == 0; }));
  RawClient after(server->ports().at(0));
  CHECK(after.ask(kGet).value().status == 200);
}

// Not under ASan+UBSan: UBSan's vptr check opens a pipe to look at memory, and with no descriptor
// left takes every object for a broken one. The debug and thread builds run it.
#ifndef __SANITIZE_ADDRESS__
TEST_CASE("connections: out of descriptors, accepting pauses and goes on", "[net]") {
  auto server = started(test_options(), describing_handlers());
  rlimit before{};
  REQUIRE(getrlimit(RLIMIT_NOFILE, &before) == 0);
  std::vector<RawClient> clients;
  for (int i = 0; i < 8; ++i) clients.emplace_back(0);
  const int next_free = dup(0);
  ::close(next_free);
  rlimit tight = before;
  tight.rlim_cur = static_cast<rlim_t>(next_free);

  REQUIRE(setrlimit(RLIMIT_NOFILE, &tight) == 0);
  for (auto& client : clients) {
    if (!client.connect_to(server->ports().at(0))) FAIL("connect");
    client.send(kGet);
  }
  std::this_thread::sleep_for(150ms);
  const std::size_t while_tight = server->connections();
  REQUIRE(setrlimit(RLIMIT_NOFILE, &before) == 0);

  CHECK(while_tight == 0);
  for (auto& client : clients) CHECK(client.receive().value().status == 200);
}
#endif
