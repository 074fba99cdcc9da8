// Starting, answering from many threads, and stopping in every state a connection can be in.
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <random>
#include <thread>

#include <pthread.h>

#include "tests/engine/net/raw_client.h"

using namespace vz;
using namespace vz::net::test;
using net::HttpHandlers;
using net::HttpServer;
using net::HttpServerOptions;
using net::Request;
using net::Respond;
using net::Response;
using SteadyClock = std::chrono::steady_clock;

namespace {
constexpr const char* kGet = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";

/// Keeps requests until the test answers them.
struct Parking {
  std::mutex mutex;
  std::vector<Respond> parked;

  HttpHandlers handlers() {
    HttpHandlers out;
    out.on_request = [this](Request, Respond respond) {
      std::lock_guard lock(mutex);
      parked.push_back(std::move(respond));
    };
    return out;
  }
  std::size_t count() {
    std::lock_guard lock(mutex);
    return parked.size();
  }
  std::vector<Respond> take() {
    std::lock_guard lock(mutex);
    return std::exchange(parked, {});
  }
};
}  // namespace

TEST_CASE("start: what cannot be listened on is named", "[net]") {
  const auto error_of = [](HttpServerOptions options) {
    const auto server = HttpServer::start(std::move(options), describing_handlers());
    REQUIRE_FALSE(server.has_value());
    return server.error();
  };
  auto options = test_options();
  options.listeners = {{"localhost", 0}};
  CHECK(error_of(options).code == ErrorCode::kInvalidArgument);
  CHECK_THAT(error_of(options).message, Catch::Contains("localhost"));

  auto first = started(test_options(), describing_handlers());
  options.listeners = {{"127.0.0.1", 0}, {"127.0.0.1", first->ports().at(0)}};
  CHECK(error_of(options).code == ErrorCode::kUnavailable);
  CHECK_THAT(error_of(options).message,
             Catch::Contains("127.0.0.1:" + std::to_string(first->ports().at(0))));

  options.listeners = {{"192.0.2.1", 0}};
  CHECK(error_of(options).code == ErrorCode::kIoError);
  options.listeners = {};
  CHECK(error_of(options).code == ErrorCode::kInvalidArgument);
  options = test_options();
  options.threads = 0;
  CHECK(error_of(options).code == ErrorCode::kInvalidArgument);
}

TEST_CASE("start: several listeners serve at once, and say which port was used", "[net]") {
  auto options = test_options();
  options.listeners = {{"127.0.0.1", 0}, {"127.0.0.1", 0}};
  HttpHandlers handlers;
  handlers.on_request = [](Request request, Respond respond) {
    char name[16] = "";
    pthread_getname_np(pthread_self(), name, sizeof name);
    respond({.status = 200,
             .body = std::to_string(request.head.local_port) + ' ' + name,
             .headers = {}});
  };
  auto server = started(options, handlers);

  REQUIRE(server->ports().size() == 2);
  for (const std::uint16_t port : server->ports()) {
    RawClient client(port);
    CHECK_THAT(client.ask(kGet).value().body, Catch::StartsWith(std::to_string(port) + " vz-io-"));
  }
}

TEST_CASE("ipv6: '::' serves IPv4 too, whose mapped loopback is loopback", "[net]") {
  auto options = test_options();
  options.listeners = {{"::", 0}};
  HttpHandlers handlers;
  handlers.on_request = [](Request request, Respond respond) {
    respond({.status = 200,
             .body = request.head.peer_address + (request.head.peer_is_loopback ? " local" : ""),
             .headers = {}});
  };
  auto server = started(options, handlers);

  RawClient client(server->ports().at(0));
  CHECK(client.ask(kGet).value().body == "127.0.0.1 local");

  const int fd = ::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  REQUIRE(fd >= 0);
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(server->ports().at(0));
  address.sin6_addr = in6addr_loopback;
  REQUIRE(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  REQUIRE(::send(fd, kGet, std::strlen(kGet), 0) > 0);
  char buffer[1024];
  const ssize_t got = ::recv(fd, buffer, sizeof buffer, 0);
  ::close(fd);
  REQUIRE(got > 0);
  CHECK_THAT(std::string(buffer, static_cast<std::size_t>(got)), Catch::EndsWith("::1 local"));
}

TEST_CASE("answers: many threads answer many connections, none mixed up", "[net]") {
  std::vector<std::thread> workers;
  std::mutex mutex;
  std::condition_variable wake;
  std::vector<std::pair<Request, Respond>> queue;
  bool done = false;
  HttpHandlers handlers;
  handlers.on_request = [&](Request request, Respond respond) {
    std::lock_guard lock(mutex);
    queue.emplace_back(std::move(request), std::move(respond));
    wake.notify_one();
  };
  for (int i = 0; i < 4; ++i) {
    workers.emplace_back([&] {
      std::unique_lock lock(mutex);
      while (true) {
        wake.wait(lock, [&] { return done || !queue.empty(); });
        if (queue.empty()) return;
        auto [request, respond] = std::move(queue.back());
        queue.pop_back();
        lock.unlock();
        respond(describe(request));
        lock.lock();
      }
    });
  }
  auto server = started(test_options(), handlers);

  std::atomic<int> right{0};
  std::vector<std::thread> callers;
  for (int c = 0; c < 8; ++c) {
    callers.emplace_back([&, c] {
      RawClient client(server->ports().at(0));
      for (int i = 0; i < 100; ++i) {
        const std::string path = "/" + std::to_string(c) + "/" + std::to_string(i);
        const auto answer = client.ask("GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n");
        right += answer && answer->body == "GET " + path + " body=0";
      }
    });
  }
  for (auto& caller : callers) caller.join();
  server->stop(1s);
  {
    std::lock_guard lock(mutex);
    done = true;
  }
  wake.notify_all();
  for (auto& worker : workers) worker.join();

  CHECK(right == 800);
}

TEST_CASE("answers: to a caller who left, and to a server that is gone, they vanish", "[net]") {
  Parking parking;
  auto server = started(test_options(), parking.handlers());
  {
    RawClient client(server->ports().at(0));
    REQUIRE(client.send(kGet));
    REQUIRE(eventually([&] { return parking.count() == 1; }));
  }
  for (auto& respond : parking.take()) respond({});
  CHECK(eventually([&] { return server->connections() == 0; }));

  RawClient waiting(server->ports().at(0));
  RawClient waiting_too(server->ports().at(0));
  REQUIRE(waiting.send(kGet));
  REQUIRE(waiting_too.send(kGet));
  REQUIRE(eventually([&] { return parking.count() == 2; }));
  server.reset();
  CHECK(waiting.is_closed());
  auto late = parking.take();
  late.at(0)({});
  late.clear();  // One was used, one is dropped.
}

TEST_CASE("stop: idle connections go at once, running ones get their answer", "[net]") {
  Parking parking;
  auto server = started(test_options(), parking.handlers());
  RawClient idle(server->ports().at(0));
  RawClient running(server->ports().at(0));
  REQUIRE(running.send(kGet));
  REQUIRE(eventually([&] { return parking.count() == 1 && server->connections() == 2; }));
  const std::uint16_t port = server->ports().at(0);

  std::thread stopper([&] { server->stop(5s); });
  CHECK(idle.is_closed());
  for (auto& respond : parking.take()) respond({.status = 200, .body = "in time", .headers = {}});
  const auto answer = running.receive();
  REQUIRE(answer.has_value());
  CHECK(answer->body == "in time");
  CHECK(answer->header("Connection") == "close");
  CHECK(running.is_closed());
  running.close();
  const auto closed = SteadyClock::now();
  stopper.join();

  CHECK(SteadyClock::now() - closed < 1s);
  CHECK(server->connections() == 0);
  RawClient refused(0);
  CHECK_FALSE(refused.connect_to(port));
  server->stop(5s);
}

TEST_CASE("stop: the grace ends, whatever state connections are in", "[net]") {
  Parking parking;
  auto server = started(test_options(), parking.handlers());
  const std::uint16_t port = server->ports().at(0);
  RawClient running(port);
  RawClient half_head(port);
  RawClient half_body(port);
  RawClient half_chunk(port);
  REQUIRE(running.send(kGet));
  REQUIRE(half_head.send("GET / HT"));
  REQUIRE(half_body.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc"));
  REQUIRE(
      half_chunk.send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"));
  REQUIRE(eventually([&] { return parking.count() == 1 && server->connections() == 4; }));

  const auto begin = SteadyClock::now();
  std::thread other([&] { server->stop(100ms); });
  server->stop(100ms);
  other.join();

  CHECK(SteadyClock::now() - begin < 2s);
  CHECK(server->connections() == 0);
  for (RawClient* client : {&running, &half_head, &half_body, &half_chunk})
    CHECK(client->is_closed());
}

TEST_CASE("stop: under full load it ends in time, and answers stay whole", "[net]") {
  for (int round = 0; round < 3; ++round) {
    CAPTURE(round);
    auto server = started(test_options(), describing_handlers());
    const std::uint16_t port = server->ports().at(0);
    std::atomic<bool> over{false};
    std::atomic<int> good{0};
    std::atomic<int> bad{0};
    std::vector<std::thread> callers;
    for (int c = 0; c < 6; ++c) {
      callers.emplace_back([&, c] {
        while (!over) {
          RawClient client(0);
          if (!client.connect_to(port)) continue;
          for (int i = 0; i < 50 && !over; ++i) {
            const auto answer = client.ask(
                c % 2 == 0 ? kGet : "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc");
            if (!answer) break;
            ++(answer->status == 200 ? good : bad);
            if (answer->header("Connection") == "close") break;
          }
        }
      });
    }
    REQUIRE(eventually([&] { return good > 100; }));

    const auto begin = SteadyClock::now();
    server->stop(2s);
    const auto took = SteadyClock::now() - begin;
    over = true;
    for (auto& caller : callers) caller.join();

    CHECK(took < 2500ms);
    CHECK(bad == 0);
    CHECK(server->connections() == 0);
  }
}

TEST_CASE("noise: random bytes never hurt the server", "[net]") {
  const unsigned seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 random(seed);
  HttpServerOptions options = test_options();
  options.header_timeout = 100ms;
  auto server = started(options, describing_handlers());
  const std::string good =
      "POST /a%20b?c=d HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
      "chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";

  for (int round = 0; round < 300; ++round) {
    std::string bytes = good + good;
    for (unsigned flips = 1 + random() % 4; flips > 0; --flips)
      bytes[random() % bytes.size()] = static_cast<char>(random());
    RawClient client(server->ports().at(0), 1s);
    client.send(bytes);
    client.finish_sending();
    while (client.receive()) {
    }
  }

  RawClient client(server->ports().at(0));
  CHECK(client.ask(kGet).value().status == 200);
}
