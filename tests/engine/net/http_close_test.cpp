// Connections that others decide about: who may connect at all, and who is to go.
#include "tests/engine/net/raw_client.h"

using namespace vz;
using namespace vz::net::test;
using net::BodyStream;
using net::ConnectionFacts;
using net::HttpHandlers;
using net::RequestHead;
using net::Response;

namespace {

constexpr const char* kGet = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

std::string get_as(const std::string& principal) {
  return "GET / HTTP/1.1\r\nHost: x\r\nUser: " + principal + "\r\n\r\n";
}

/// Says on whose behalf a request is what its header User says.
HttpHandlers with_principals() {
  HttpHandlers handlers = describing_handlers();
  handlers.on_head = [](RequestHead& head) -> std::optional<Response> {
    head.principal = head.header("user").value_or("");
    return std::nullopt;
  };
  return handlers;
}

/// A body without an end in sight.
class Endless final : public BodyStream {
 public:
  explicit Endless(std::atomic<int>& alive) : alive_(alive) { ++alive_; }
  ~Endless() override { --alive_; }
  [[nodiscard]] std::uint64_t size_bytes() const override { return std::uint64_t{1} << 40; }
  void read(Take take) override { take(std::string(64u << 10, 'x')); }

 private:
  std::atomic<int>& alive_;
};

}  // namespace

TEST_CASE("close: the connections of one principal go, and no others", "[net]") {
  const auto server = started(test_options(), with_principals());
  const std::uint16_t port = server->ports()[0];
  std::vector<RawClient> clients;
  for (const std::string principal : {"a", "b", "a", ""}) {
    clients.emplace_back(port);
    REQUIRE(clients.back().ask(get_as(principal)));
  }

  server->close_connections(
      [](const ConnectionFacts& connection) { return connection.principal == "a"; });

  CHECK(clients[0].is_closed());
  CHECK(clients[2].is_closed());
  CHECK(clients[1].ask(get_as("b")));
  CHECK(clients[3].ask(kGet));
}

TEST_CASE("close: it is the newest request that says on whose behalf a connection is", "[net]") {
  const auto server = started(test_options(), with_principals());
  RawClient client(server->ports()[0]);
  REQUIRE(client.ask(get_as("a")));
  REQUIRE(client.ask(get_as("b")));

  server->close_connections(
      [](const ConnectionFacts& connection) { return connection.principal == "a"; });

  CHECK(client.ask(get_as("b")));
}

TEST_CASE("close: by address and by number, each of which is told apart", "[net]") {
  const auto server = started(test_options(), with_principals());
  const std::uint16_t port = server->ports()[0];
  RawClient first(port);
  RawClient second(port);
  REQUIRE(first.ask(kGet));
  REQUIRE(second.ask(kGet));
  std::atomic<std::uint64_t> least{~std::uint64_t{0}};
  std::atomic<int> asked{0};
  server->close_connections([&](const ConnectionFacts& connection) {
    std::uint64_t now = least.load();
    while (connection.id < now && !least.compare_exchange_weak(now, connection.id)) {
    }
    if (connection.peer_address == "127.0.0.1") ++asked;
    return false;
  });
  REQUIRE(eventually([&] { return asked == 2; }));

  server->close_connections(
      [&](const ConnectionFacts& connection) { return connection.id == least; });

  CHECK(first.is_closed());
  CHECK(second.ask(kGet));
}

TEST_CASE("close: an answer that is being sent ends there", "[net]") {
  std::atomic<int> alive{0};
  HttpHandlers handlers = with_principals();
  handlers.on_request = [&](net::Request, net::Respond respond) {
    Response response;
    response.stream = std::make_shared<Endless>(alive);
    respond(std::move(response));
  };
  const auto server = started(test_options(), std::move(handlers));
  RawClient client(server->ports()[0]);
  REQUIRE(client.send(get_as("a")));
  REQUIRE(client.receive(false));
  REQUIRE(eventually([&] { return alive == 1; }));

  server->close_connections(
      [](const ConnectionFacts& connection) { return connection.principal == "a"; });

  CHECK(eventually([&] { return alive == 0; }));
  CHECK(eventually([&] { return server->connections() == 0; }));
}

TEST_CASE("connect: a peer that may not gets no byte, and costs no connection", "[net]") {
  std::atomic<bool> open{false};
  HttpHandlers handlers = describing_handlers();
  handlers.on_connect = [&](const std::string& peer) { return peer == "127.0.0.1" && open.load(); };
  const auto server = started(test_options(), std::move(handlers));

  CHECK(RawClient(server->ports()[0]).is_closed());
  CHECK(eventually([&] { return server->connections() == 0; }));
  open = true;
  CHECK(RawClient(server->ports()[0]).ask(kGet));
}
