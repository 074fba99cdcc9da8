#include "tools/bench/peer_beast.h"

#include <exception>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

namespace vz::bench {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::size_t kAnswerBytes = 500;

std::string answer_json() {
  std::string body = R"({"result":")";
  body.append(kAnswerBytes - body.size() - 2, 'x');
  return body + "\"}";
}

/// One connection. Its handlers follow one another, so it needs no strand.
class Session : public std::enable_shared_from_this<Session> {
 public:
  explicit Session(tcp::socket socket) : socket_(std::move(socket)) {
    error_code ignored;
    socket_.set_option(tcp::no_delay(true), ignored);
    answer_.set(http::field::content_type, "application/json");
    answer_.body() = answer_json();
    answer_.prepare_payload();
  }

  void read() {
    request_ = {};
    http::async_read(socket_, buffer_, request_,
                     [self = shared_from_this()](error_code error, std::size_t) {
                       if (!error) self->write();
                     });
  }

 private:
  void write() {
    http::async_write(socket_, answer_, [self = shared_from_this()](error_code error, std::size_t) {
      if (!error) self->read();
    });
  }

  tcp::socket socket_;
  boost::beast::flat_buffer buffer_;
  http::request<http::string_body> request_;
  http::response<http::string_body> answer_{http::status::ok, 11};
};

}  // namespace

struct DoNothingServer::State {
  explicit State(unsigned thread_count)
      : context(static_cast<int>(thread_count)),
        acceptor(context, tcp::endpoint(asio::ip::address_v4::loopback(), 0)) {}

  asio::io_context context;
  tcp::acceptor acceptor;
  std::vector<std::jthread> threads;

  void accept() {
    acceptor.async_accept([this](error_code error, tcp::socket socket) {
      if (error) return;
      std::make_shared<Session>(std::move(socket))->read();
      accept();
    });
  }
};

DoNothingServer::DoNothingServer(std::unique_ptr<State> state) : state_(std::move(state)) {}

DoNothingServer::~DoNothingServer() {
  state_->context.stop();
  state_->threads.clear();  // Joins before the sessions die with the context.
}

Result<std::unique_ptr<DoNothingServer>> DoNothingServer::start(unsigned threads) {
  try {
    auto state = std::make_unique<State>(threads);
    state->accept();
    for (unsigned i = 0; i < threads; ++i) {
      state->threads.emplace_back([context = &state->context] { context->run(); });
    }
    return std::unique_ptr<DoNothingServer>(new DoNothingServer(std::move(state)));
  } catch (const std::exception& error) {
    return fail(ErrorCode::kUnavailable, std::string("do-nothing server: ") + error.what());
  }
}

std::uint16_t DoNothingServer::port() const {
  return state_->acceptor.local_endpoint().port();
}

}  // namespace vz::bench
