// The scanner and the framing rules on bytes alone.
#include "engine/net/head_guard.h"

#include <catch2/catch.hpp>

#include "engine/limits.h"

using namespace vz;
using namespace std::string_literals;
using net::Framing;
using net::HeadScanner;
using net::RequestHead;

namespace {
int status_of(const std::string& bytes) {
  HeadScanner scanner;
  const auto size = scanner.scan(bytes);
  return size ? 0 : size.error().status;
}
int framing_status(std::vector<std::pair<std::string, std::string>> headers, int minor = 1) {
  RequestHead head;
  head.headers = std::move(headers);
  const auto framing = net::read_framing(head, minor);
  return framing ? 0 : framing.error().status;
}
}  // namespace

TEST_CASE("head: its end is found at the same byte however it arrives", "[net]") {
  const std::string head = "POST /a HTTP/1.1\r\nHost: x\r\nA:  b c \r\nEmpty:\r\n\r\n";
  const std::string bytes = head + "body\r\n\r\n";

  for (std::size_t step = 1; step <= bytes.size(); ++step) {
    CAPTURE(step);
    HeadScanner scanner;
    std::size_t found = 0;
    for (std::size_t size = step; found == 0 && size < bytes.size() + step; size += step) {
      const auto scanned = scanner.scan(std::string_view(bytes).substr(0, size));
      REQUIRE(scanned.has_value());
      found = *scanned;
    }
    CHECK(found == head.size());
  }
}

TEST_CASE("head: every malformed line is refused with 400", "[net]") {
  const std::string good = "GET / HTTP/1.1\r\nHost: x\r\n";
  REQUIRE(status_of(good + "\r\n") == 0);
  for (const std::string& lines : std::vector<std::string>{
           "A: b\n\r\n", "A: b\r\n C: d\r\n", "A: b\r\n\tC: d\r\n", "A : b\r\n", "A\t: b\r\n",
           ": b\r\n", "A b\r\n", "A\r\n", "A: b\rC: d\r\n", "A: b\0c\r\n"s, "A: b\x01\r\n",
           "A: b\x7F\r\n", "A(: b\r\n", "\xC3\xA9: b\r\n", "A: b\r\n\n"}) {
    CAPTURE(lines);
    CHECK(status_of(good + lines + "\r\n") == 400);
  }
  for (const std::string& line : std::vector<std::string>{
           "GET /\r\n", "GET  HTTP/1.1\r\n", "GET / HTTP/2.0\r\n", "GET / HTTP/1.1 \r\n",
           "GET / http/1.1\r\n", "GET /\t HTTP/1.1\r\n", "GET /a b HTTP/1.1\r\n",
           "GET / HTTP/1.1\n", " GET / HTTP/1.1\r\n", "G\x01T / HTTP/1.1\r\n",
           "GET /a\0b HTTP/1.1\r\n"s, "GET /\x7F HTTP/1.1\r\n", "\x16\x03\x01\r\n",
           "GET /\rX: y HTTP/1.1\r\n"}) {
    CAPTURE(line);
    CHECK(status_of(line + "Host: x\r\n\r\n") == 400);
  }
}

TEST_CASE("head: its bounds are met exactly", "[net]") {
  const auto with_target = [](std::size_t size) {
    return "GET /" + std::string(size - 1, 'a') + " HTTP/1.1\r\nHost: x\r\n\r\n";
  };
  CHECK(status_of(with_target(limits::kUriBytesMax)) == 0);
  CHECK(status_of(with_target(limits::kUriBytesMax + 1)) == 414);
  CHECK(status_of("GET /" + std::string(limits::kUriBytesMax + 100, 'a')) == 414);

  const auto with_fields = [](std::size_t count) {
    std::string head = "GET / HTTP/1.1\r\n";
    for (std::size_t i = 0; i < count; ++i) head += "A: b\r\n";
    return head + "\r\n";
  };
  CHECK(status_of(with_fields(limits::kHeadersMax)) == 0);
  CHECK(status_of(with_fields(limits::kHeadersMax + 1)) == 431);

  const auto with_bytes = [](std::size_t bytes) {  // "A: " + value + CRLF + CRLF
    return "GET / HTTP/1.1\r\nA: " + std::string(bytes - 7, 'v') + "\r\n\r\n";
  };
  CHECK(status_of(with_bytes(limits::kHeaderBytesMax)) == 0);
  CHECK(status_of(with_bytes(limits::kHeaderBytesMax + 1)) == 431);
  CHECK(status_of("GET / HTTP/1.1\r\nA: " + std::string(limits::kHeaderBytesMax, 'v')) == 431);
}

TEST_CASE("framing: a body whose length could be read in two ways is refused", "[net]") {
  CHECK(framing_status({{"host", "x"}, {"content-length", "5"}}) == 0);
  CHECK(framing_status({{"host", "x"}, {"transfer-encoding", "Chunked"}}) == 0);
  CHECK(framing_status(
            {{"host", "x"}, {"content-length", "5"}, {"transfer-encoding", "chunked"}}) == 400);
  CHECK(framing_status({{"host", "x"}, {"content-length", "5"}, {"content-length", "6"}}) == 400);
  CHECK(framing_status({{"host", "x"}, {"content-length", "5"}, {"content-length", "5"}}) == 400);
  for (const std::string length : {"", "+5", "-5", "5 ", "0x5", "5,5", "5, 6", "five", "5.0"}) {
    CAPTURE(length);
    CHECK(framing_status({{"host", "x"}, {"content-length", length}}) == 400);
  }
  for (const std::string coding :
       {"", "gzip", "gzip, chunked", "chunked, chunked", "identity", "xchunked", "chunked;q=1"}) {
    CAPTURE(coding);
    CHECK(framing_status({{"host", "x"}, {"transfer-encoding", coding}}) == 400);
  }
  CHECK(framing_status({{"transfer-encoding", "chunked"}}, 0) == 400);
  CHECK(framing_status({}) == 400);
  CHECK(framing_status({{"host", "x"}, {"host", "x"}}) == 400);
  CHECK(framing_status({}, 0) == 0);
}

TEST_CASE("framing: bodies, encodings and expectations beyond ours are named", "[net]") {
  CHECK(framing_status({{"host", "x"}, {"content-length", "33554432"}}) == 0);
  CHECK(framing_status({{"host", "x"}, {"content-length", "33554433"}}) == 413);
  CHECK(framing_status({{"host", "x"}, {"content-length", "99999999999999999999999"}}) == 413);
  CHECK(framing_status({{"host", "x"}, {"content-encoding", "br"}}) == 415);
  CHECK(framing_status({{"host", "x"}, {"expect", "200-ok"}}) == 417);
}

TEST_CASE("framing: gzip is used for answers only if the caller asks", "[net]") {
  const auto accepts = [](const std::string& value) {
    RequestHead head;
    head.headers = {{"host", "x"}, {"accept-encoding", value}};
    return net::read_framing(head, 1)->accepts_gzip;
  };
  CHECK(accepts("gzip"));
  CHECK(accepts("deflate, GZIP;q=0.5, br"));
  CHECK(accepts("gzip;q=1"));
  CHECK_FALSE(accepts(""));
  CHECK_FALSE(accepts("br, deflate"));
  CHECK_FALSE(accepts("gzip;q=0"));
  CHECK_FALSE(accepts("gzip; q=0.00"));
  CHECK_FALSE(accepts("*"));
}

TEST_CASE("framing: keep-alive follows the version and the Connection header", "[net]") {
  const auto keeps = [](const std::string& connection, int minor) {
    RequestHead head;
    head.headers = {{"host", "x"}, {"connection", connection}};
    return net::read_framing(head, minor)->keep_alive;
  };
  CHECK(keeps("", 1));
  CHECK_FALSE(keeps("close", 1));
  CHECK_FALSE(keeps("Upgrade, Close", 1));
  CHECK_FALSE(keeps("", 0));
  CHECK(keeps("Keep-Alive", 0));
}

TEST_CASE("request id: only what is safe in a log line is taken over", "[net]") {
  CHECK(net::is_request_id("aZ09._-"));
  CHECK(net::is_request_id(std::string(64, 'a')));
  CHECK_FALSE(net::is_request_id(std::string(65, 'a')));
  CHECK_FALSE(net::is_request_id(""));
  CHECK_FALSE(net::is_request_id("a b"));
  CHECK_FALSE(net::is_request_id("a\nb"));
  CHECK_FALSE(net::is_request_id("\xC3\xA9"));
}
