// What a request becomes, and what an answer looks like, on the wire.
#include <mutex>
#include <set>
#include <thread>

#include <zlib.h>

#include "engine/limits.h"
#include "engine/net/gzip.h"
#include "tests/engine/net/raw_client.h"

using namespace vz;
using namespace vz::net::test;
using net::HttpHandlers;
using net::Request;
using net::RequestHead;
using net::Respond;
using net::Response;

namespace {
std::string post(std::string_view body, const std::string& headers = "") {
  return "POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         headers + "\r\n" + std::string(body);
}
std::string gzipped(const std::string& plain) {
  net::GzipDeflater deflater;
  return deflater.deflate(plain);
}
}  // namespace

TEST_CASE("http: a request reaches its handler decoded, and the answer comes back whole", "[net]") {
  RequestHead seen;
  std::string seen_body;
  std::size_t spare = 0;
  HttpHandlers handlers;
  handlers.on_request = [&](Request request, Respond respond) {
    seen = request.head;
    seen_body = request.body;
    spare = request.body.capacity() - request.body.size();
    Response response;
    response.status = 201;
    response.body = R"({"a":1})";
    response.headers = {{"X-Vectorizer-Lsn", "7"}};
    respond(std::move(response));
  };
  auto server = started(test_options(), handlers);
  RawClient client(server->ports().at(0));

  const auto answer = client.ask(
      "PUT /collections/a%2Fb/points?wait=true&x=1+2 HTTP/1.1\r\nHost: h\r\nX-CaSe:  v w \t\r\n"
      "Content-Length: 5\r\nX-Request-Id: abc-1\r\n\r\nhello");

  REQUIRE(answer.has_value());
  CHECK(answer->head.starts_with("HTTP/1.1 201 Created\r\n"));
  CHECK(answer->body == R"({"a":1})");
  CHECK(answer->header("Content-Type") == "application/json");
  CHECK(answer->header("Content-Length") == "7");
  CHECK(answer->header("X-Request-Id") == "abc-1");
  CHECK(answer->header("X-Vectorizer-Lsn") == "7");
  CHECK(answer->header("Connection").empty());
  CHECK(answer->header("Date").ends_with(" GMT"));
  CHECK(seen.method == net::Method::kPut);
  CHECK(seen.target == "/collections/a%2Fb/points?wait=true&x=1+2");
  CHECK(seen.segments == std::vector<std::string>{"collections", "a/b", "points"});
  CHECK(seen.parameter("wait") == "true");
  CHECK(seen.parameter("x") == "1 2");
  CHECK(seen.parameter("none") == std::nullopt);
  CHECK(seen.header("x-case") == "v w");
  CHECK(seen.header("X-CaSe") == std::nullopt);
  CHECK(seen.peer_address == "127.0.0.1");
  CHECK(seen.peer_is_loopback);
  CHECK(seen.local_port == server->ports().at(0));
  CHECK(seen.request_id == "abc-1");
  CHECK(seen_body == "hello");
  CHECK(spare >= 64);
}

TEST_CASE("http: without a sound request id every answer gets one of its own", "[net]") {
  auto server = started(test_options(), describing_handlers());
  RawClient client(server->ports().at(0));
  std::set<std::string> ids;

  for (int i = 0; i < 100; ++i) {
    const auto answer =
        client.ask(i % 2 == 0 ? "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
                              : "GET / HTTP/1.1\r\nHost: x\r\nX-Request-Id: a b\r\n\r\n");
    REQUIRE(answer.has_value());
    CHECK(answer->header("X-Request-Id").size() == 13);
    ids.insert(answer->header("X-Request-Id"));
  }

  CHECK(ids.size() == 100);
}

TEST_CASE("http: pipelined requests are answered in order, whoever is slow", "[net]") {
  std::vector<std::thread> threads;
  HttpHandlers handlers;
  handlers.on_request = [&](Request request, Respond respond) {
    if (request.head.segments.at(0) != "slow") return respond(describe(request));
    threads.emplace_back([request = std::move(request), respond = std::move(respond)] {
      std::this_thread::sleep_for(20ms);
      respond(describe(request));
    });
  };
  auto server = started(test_options(), handlers);
  RawClient client(server->ports().at(0));
  std::string requests;
  for (int i = 0; i < 300; ++i) {
    const std::string name = i % 100 == 3 ? "slow/" : "fast/";
    requests += i % 3 == 0 ? "POST /" + name + std::to_string(i) +
                                 " HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
                           : "GET /" + name + std::to_string(i) + " HTTP/1.1\r\nHost: x\r\n\r\n";
  }

  REQUIRE(client.send(requests));

  for (int i = 0; i < 300; ++i) {
    CAPTURE(i);
    const auto answer = client.receive();
    REQUIRE(answer.has_value());
    const std::string expected = std::string(i % 3 == 0 ? "POST /" : "GET /") +
                                 (i % 100 == 3 ? "slow/" : "fast/") + std::to_string(i) +
                                 (i % 3 == 0 ? " body=3" : " body=0");
    CHECK(answer->body == expected);
  }
  for (auto& thread : threads) thread.join();
}

TEST_CASE("http: HEAD has the length of the body but no body", "[net]") {
  auto server = started(test_options(), describing_handlers());
  RawClient client(server->ports().at(0));

  REQUIRE(client.send("HEAD /a HTTP/1.1\r\nHost: x\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\n\r\n"));

  const auto head = client.receive(false);
  REQUIRE(head.has_value());
  CHECK(head->header("Content-Length") == "14");  // "HEAD /a body=0"
  const auto get = client.receive();
  REQUIRE(get.has_value());
  CHECK(get->body == "GET /b body=0");
}

TEST_CASE("http: bodies of every size arrive whole, with a length or in chunks", "[net]") {
  std::string received;
  HttpHandlers handlers;
  handlers.on_request = [&](Request request, Respond respond) {
    received = std::move(request.body);
    respond({.status = 200, .body = "{}", .headers = {}});
  };
  auto server = started(test_options(), handlers);
  RawClient client(server->ports().at(0));
  for (const std::size_t size : {0, 1, 1000, 32 * 1024, 33 * 1024, 300 * 1024, 3 << 20}) {
    CAPTURE(size);
    std::string body(size, ' ');
    for (std::size_t i = 0; i < size; ++i) body[i] = static_cast<char>(i * 31 % 251);

    REQUIRE(client.ask(post(body)).value().status == 200);
    CHECK((received == body));

    std::string chunked = "POST /p HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    char length[16];
    for (std::size_t at = 0, piece = 1; at < size; at += piece, piece = piece * 3 + 1) {
      piece = std::min(piece, size - at);
      snprintf(length, sizeof length, "%zX", piece);
      chunked += std::string(length) + ";ext=1\r\n" + body.substr(at, piece) + "\r\n";
    }
    chunked += "0\r\nTrailer: t\r\n\r\n";
    received = "not yet";
    REQUIRE(client.ask(chunked).value().status == 200);
    CHECK((received == body));
  }
}

TEST_CASE("http: broken chunks are refused and the connection closed", "[net]") {
  auto server = started(test_options(), describing_handlers());
  for (const std::string body : {"g\r\n", "5\r\nabcdefg\r\n", "5\nabcde\r\n", "-1\r\n", "\r\n\r\n",
                                 "ffffffffffffffffff\r\nabc", "5 5\r\nabcde\r\n0\r\n\r\n"}) {
    CAPTURE(body);
    RawClient client(server->ports().at(0));
    const auto answer =
        client.ask("POST /p HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + body);
    REQUIRE(answer.has_value());
    CHECK(answer->status == 400);
    CHECK(client.is_closed());
  }
}

TEST_CASE("http: a gzip body is inflated, a broken one is 400", "[net]") {
  std::string received;
  HttpHandlers handlers;
  handlers.on_request = [&](Request request, Respond respond) {
    received = std::move(request.body);
    respond({.status = 200, .body = "{}", .headers = {}});
  };
  auto server = started(test_options(), handlers);
  const std::string plain(100'000, 'z');
  const std::string packed = gzipped(plain);
  const std::string header = "Content-Encoding: gzip\r\n";
  RawClient client(server->ports().at(0));

  CHECK(client.ask(post(packed, header)).value().status == 200);
  CHECK((received == plain));
  CHECK(client.ask(post(packed + packed, header)).value().status == 200);
  CHECK((received == plain + plain));

  for (const std::string& broken : {packed.substr(0, packed.size() - 1), packed + "x",
                                    packed.substr(1), std::string("not gzip")}) {
    RawClient other(server->ports().at(0));
    CHECK(other.ask(post(broken, header)).value().status == 400);
    CHECK(other.is_closed());
  }
}

TEST_CASE("http: answers are gzipped when asked for, large and text", "[net]") {
  HttpHandlers handlers;
  handlers.on_request = [](Request request, Respond respond) {
    Response response;
    response.body = std::string(std::stoul(request.head.segments.at(0)), 'a');
    if (request.head.segments.size() > 1) response.content_type = "application/octet-stream";
    respond(std::move(response));
  };
  auto server = started(test_options(), handlers);
  RawClient client(server->ports().at(0));
  const auto get = [&](const std::string& path, const std::string& encoding) {
    return client
        .ask("GET " + path + " HTTP/1.1\r\nHost: x\r\nAccept-Encoding: " + encoding + "\r\n\r\n")
        .value();
  };

  const auto packed = get("/20000", "deflate, gzip");
  CHECK(packed.header("Content-Encoding") == "gzip");
  CHECK(packed.header("Vary") == "Accept-Encoding");
  CHECK(packed.body.size() < 1000);
  CHECK((net::gzip_inflate(packed.body, 1 << 20).value() == std::string(20'000, 'a')));

  CHECK(get("/20000", "identity").header("Content-Encoding").empty());
  CHECK(get("/20000", "gzip;q=0").body.size() == 20'000);
  CHECK(get("/1000", "gzip").header("Content-Encoding").empty());
  CHECK(get("/20000/binary", "gzip").header("Content-Encoding").empty());
}

TEST_CASE("http: 100-continue is sent only once the head was let pass", "[net]") {
  HttpHandlers handlers = describing_handlers();
  handlers.on_head = [](const RequestHead& head) -> std::optional<Response> {
    if (head.header("authorization")) return std::nullopt;
    return Response{.status = 401, .body = "{}", .headers = {}};
  };
  auto server = started(test_options(), handlers);
  const std::string head =
      "POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\n";

  RawClient allowed(server->ports().at(0));
  CHECK(allowed.ask(head + "Authorization: Bearer k\r\n\r\n").value().status == 100);
  CHECK(allowed.ask("body").value().body == "POST /p body=4");

  RawClient refused(server->ports().at(0));
  CHECK(refused.ask(head + "\r\n").value().status == 401);
  CHECK(refused.is_closed());
}

TEST_CASE("http: a refused head keeps the connection only if nothing follows it", "[net]") {
  std::atomic<int> handled{0};
  HttpHandlers handlers;
  handlers.on_head = [](const RequestHead&) -> std::optional<Response> {
    return Response{.status = 403, .body = "{}", .headers = {}};
  };
  handlers.on_request = [&](Request, Respond) { ++handled; };
  auto server = started(test_options(), handlers);
  RawClient client(server->ports().at(0));

  CHECK(client.ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n").value().status == 403);
  CHECK(client.ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n").value().status == 403);
  const auto last = client.ask(post("abc"));

  REQUIRE(last.has_value());
  CHECK(last->status == 403);
  CHECK(last->header("Connection") == "close");
  CHECK(client.is_closed());
  CHECK(handled == 0);
}

TEST_CASE("http: connections live and end as version and header say", "[net]") {
  auto server = started(test_options(), describing_handlers());

  RawClient old(server->ports().at(0));
  CHECK(old.ask("GET / HTTP/1.0\r\n\r\n").value().header("Connection") == "close");
  CHECK(old.is_closed());

  RawClient kept(server->ports().at(0));
  CHECK(kept.ask("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").value().header("Connection") ==
        "keep-alive");
  CHECK(kept.ask("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").value().status == 200);
  CHECK(kept.is_closed());

  RawClient half(server->ports().at(0));
  REQUIRE(half.send("GET /last HTTP/1.1\r\nHost: x\r\n\r\n"));
  half.finish_sending();
  CHECK(half.receive().value().body == "GET /last body=0");
  CHECK(half.is_closed());
}

TEST_CASE("http: handlers that throw or forget their caller give 500 and harm nobody", "[net]") {
  HttpHandlers handlers;
  handlers.on_request = [](Request request, Respond respond) {
    const std::string what = request.head.segments.empty() ? "" : request.head.segments[0];
    if (what == "throw") throw std::runtime_error("boom");
    if (what == "forget") return;
    if (what == "later") {
      std::thread([respond = std::move(respond)] { std::this_thread::sleep_for(5ms); }).detach();
      return;
    }
    respond(describe(request));
    if (what == "twice") respond({.status = 418, .body = "", .headers = {}});
    if (what == "both") throw std::runtime_error("after the answer");
  };
  auto server = started(test_options(), handlers);
  RawClient client(server->ports().at(0));
  const auto status = [&](const std::string& path) {
    return client.ask("GET /" + path + " HTTP/1.1\r\nHost: x\r\n\r\n").value().status;
  };

  CHECK(status("throw") == 500);
  CHECK(status("forget") == 500);
  CHECK(status("later") == 500);
  CHECK(status("twice") == 200);
  CHECK(status("both") == 200);
  CHECK(status("") == 200);
  // A late Respond's thread may still hold its copy: let it go before the process ends.
  std::this_thread::sleep_for(20ms);
}

TEST_CASE("http: a handler cannot be made to split an answer", "[net]") {
  HttpHandlers handlers;
  handlers.on_request = [](Request, Respond respond) {
    Response response;
    response.content_type = "text/plain\r\nA: 1";
    response.body = "body";
    response.headers = {{"X-Name", "v\r\nEvil: 1\r\n\r\nHTTP/1.1 200 OK"},
                        {"content-length", "0"},
                        {"Transfer-Encoding", "chunked"},
                        {"X-Request-Id", "fake"}};
    respond(std::move(response));
  };
  auto server = started(test_options(), handlers);
  RawClient client(server->ports().at(0));

  const auto answer = client.ask("GET / HTTP/1.1\r\nHost: x\r\nX-Request-Id: mine\r\n\r\n");

  REQUIRE(answer.has_value());
  CHECK(answer->body == "body");
  CHECK(answer->header("X-Name") == "v  Evil: 1    HTTP/1.1 200 OK");
  CHECK(answer->header("Evil").empty());
  CHECK(answer->header("A").empty());
  CHECK(answer->header("Transfer-Encoding").empty());
  CHECK(answer->header("X-Request-Id") == "mine");
}

TEST_CASE("http: 204 has neither body nor length, and the next answer follows", "[net]") {
  HttpHandlers handlers;
  handlers.on_request = [](Request request, Respond respond) {
    respond({.status = request.head.segments.empty() ? 204 : 200, .body = "text", .headers = {}});
  };
  auto server = started(test_options(), handlers);
  RawClient client(server->ports().at(0));

  const auto none = client.ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  const auto some = client.ask("GET /a HTTP/1.1\r\nHost: x\r\n\r\n");

  CHECK(none.value().head.starts_with("HTTP/1.1 204 No Content\r\n"));
  CHECK(none.value().header("Content-Length").empty());
  CHECK(some.value().body == "text");
}
