#include "engine/net/http_server.h"

#include <cerrno>
#include <ctime>
#include <functional>
#include <random>
#include <thread>

#include <pthread.h>

#include "engine/limits.h"
#include "engine/net/answer.h"
#include "engine/net/http_connection.h"
#include "storage/base/log.h"

namespace vz::net {
namespace {

using std::chrono::milliseconds;
using tcp = asio::ip::tcp;
using Acceptor = asio::basic_socket_acceptor<tcp, Executor>;
using ErrorCodeOfAsio = boost::system::error_code;

constexpr milliseconds kAcceptPause{100};
constexpr int kBacklogMax = 4096;
constexpr int kEventsPerTurn = 256;  ///< then a request gets its turn, whatever else comes in
constexpr unsigned kThreadsMax = 256;

std::string http_date(std::time_t seconds) {
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char text[40];
  // The C locale's names: nothing of ours calls setlocale.
  const std::size_t size = std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &utc);
  return {text, size};
}

/// A quarter of the shortest timeout, so that none is late by more than that.
milliseconds tick_interval(const HttpServerOptions& options) {
  const milliseconds shortest =
      std::min({options.header_timeout, options.idle_timeout, options.write_timeout,
                std::max(options.body_grace, milliseconds(100))});
  return std::clamp(shortest / 4, milliseconds(10), milliseconds(250));
}

}  // namespace

// ---- IoThread ------------------------------------------------------------------------------

IoThread::IoThread(std::shared_ptr<ServerState> state, unsigned number)
    : state_(std::move(state)),
      number_(number),
      guard_(asio::make_work_guard(context_)),
      timer_(context_),
      tick_interval_(tick_interval(state_->options)),
      id_state_((std::uint64_t{std::random_device{}()} << 32) | std::random_device{}()),
      date_(http_date(std::time(nullptr))) {}

void IoThread::run() {
  pthread_setname_np(pthread_self(), ("vz-io-" + std::to_string(number_)).c_str());
  thread_id_ = std::this_thread::get_id();
  tick();
  while (true) {
    try {
      work();
      return;
    } catch (const std::exception& error) {
      // advance() lets nothing through but a failed allocation outside it; the loop must go on.
      LogEvent(LogLevel::kError, "io_thread_exception").with("what", error.what());
    }
  }
}

/// Between two requests in line, everything that has come in is read: so a request for health waits
/// for one search at most, however many are in line.
void IoThread::work() {
  while (true) {
    if (line_.empty() && context_.run_one() == 0) return;
    for (int i = 0; i < kEventsPerTurn && context_.poll_one() > 0; ++i) continue;
    if (!line_.empty()) serve_next();
  }
}

void IoThread::serve_next() {
  const auto connection = std::move(line_.front());
  line_.pop_front();
  state_->waiting.fetch_sub(1, std::memory_order_relaxed);
  connection->serve();
}

bool IoThread::stand_in_line(std::shared_ptr<Connection> connection) {
  const std::size_t before = state_->waiting.fetch_add(1, std::memory_order_relaxed);
  if (before >= state_->options.requests_waiting_max) {
    state_->waiting.fetch_sub(1, std::memory_order_relaxed);
    return false;
  }
  line_.push_back(std::move(connection));
  return true;
}

void IoThread::tick() {
  const auto now = Clock::now();
  // A closing connection swaps the last one into its slot: going backwards visits each once.
  for (std::size_t i = connections_.size(); i-- > 0;) {
    if (i >= connections_.size()) continue;
    const auto connection = connections_[i];
    connection->check_deadline(now);
  }
  date_ = http_date(std::time(nullptr));
  timer_.expires_after(tick_interval_);
  timer_.async_wait([this](const ErrorCodeOfAsio& error) {
    if (!error && !finished_) tick();
  });
}

void IoThread::adopt(const std::shared_ptr<Connection>& connection) {
  connection->slot = connections_.size();
  connections_.push_back(connection);
  if (state_->stopping.load()) return connection->close();
  connection->start();
}

void IoThread::remove(Connection& connection) {
  const auto last = connections_.back();
  last->slot = connection.slot;
  connections_[connection.slot] = last;
  connections_.pop_back();
  load_.fetch_sub(1, std::memory_order_relaxed);
  state_->connections.fetch_sub(1);
  if (state_->stopping.load()) {
    MutexLock lock(state_->mutex);
    state_->connection_closed.notify_all();
  }
}

void IoThread::begin_stop() {
  for (std::size_t i = connections_.size(); i-- > 0;) {
    if (i >= connections_.size()) continue;
    const auto connection = connections_[i];
    connection->close_if_idle();
  }
}

void IoThread::close_those(const std::function<bool(const ConnectionFacts&)>& must_go) {
  for (std::size_t i = connections_.size(); i-- > 0;) {
    if (i >= connections_.size()) continue;
    const auto connection = connections_[i];
    if (must_go(connection->facts())) connection->close();
  }
}

void IoThread::finish() {
  finished_ = true;  // A tick that is queued already cannot be cancelled; it must not rearm.
  while (!connections_.empty()) {
    const auto connection = connections_.back();
    connection->close();
  }
  timer_.cancel();
  guard_.reset();
}

void IoThread::drain() {
  {
    MutexLock lock(mutex_);
    drained_ = true;
  }
  context_.restart();
  context_.poll();
}

std::string IoThread::make_request_id() {
  // splitmix64: every state gives another value. 13 letters stay within the string itself.
  std::uint64_t z = (id_state_ += 0x9E3779B97F4A7C15u);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  z ^= z >> 31;
  std::string id(13, '0');
  for (char& c : id) {
    c = "0123456789abcdefghijklmnopqrstuv"[z & 31];
    z >>= 5;
  }
  return id;
}

// ---- Server --------------------------------------------------------------------------------

namespace {

class AsioHttpServer final : public HttpServer {
 public:
  AsioHttpServer(HttpServerOptions options, HttpHandlers handlers)
      : state_(std::make_shared<ServerState>()) {
    state_->options = std::move(options);
    state_->handlers = std::move(handlers);
    for (unsigned i = 0; i < state_->options.threads; ++i)
      io_.push_back(std::make_shared<IoThread>(state_, i));
    accept_timer_ = std::make_unique<Timer>(io_[0]->context());
  }
  ~AsioHttpServer() override { stop(milliseconds(0)); }
  AsioHttpServer(const AsioHttpServer&) = delete;
  AsioHttpServer& operator=(const AsioHttpServer&) = delete;

  Status bind(const Listener& listener);
  void run();

  [[nodiscard]] std::vector<std::uint16_t> ports() const override { return ports_; }
  void stop(milliseconds grace) override;
  [[nodiscard]] std::size_t connections() const override { return state_->connections.load(); }
  [[nodiscard]] std::size_t waiting() const override { return state_->waiting.load(); }
  void close_connections(std::function<bool(const ConnectionFacts&)> must_go) override {
    for (const auto& io : io_) io->post([io, must_go] { io->close_those(must_go); });
  }

 private:
  void accept(Acceptor& acceptor);
  void on_accept(Acceptor& acceptor, const std::shared_ptr<IoThread>& io, Socket socket,
                 const ErrorCodeOfAsio& error);
  void take(const std::shared_ptr<IoThread>& io, Socket socket);
  void turn_away(Socket socket);
  [[nodiscard]] const std::shared_ptr<IoThread>& least_loaded() const;
  [[nodiscard]] bool shares_port_with_ipv4(const Listener& listener) const;

  std::shared_ptr<ServerState> state_;
  std::vector<std::shared_ptr<IoThread>> io_;
  std::vector<std::thread> threads_;
  std::vector<std::unique_ptr<Acceptor>> acceptors_;  // On io_[0] once it runs.
  std::unique_ptr<Timer> accept_timer_;               // On io_[0].
  std::vector<std::uint16_t> ports_;
  Mutex stop_mutex_;
  bool stopped_ VZ_GUARDED_BY(stop_mutex_) = false;
};

bool AsioHttpServer::shares_port_with_ipv4(const Listener& listener) const {
  for (const Listener& other : state_->options.listeners) {
    if (other.port == listener.port && other.address.find(':') == std::string::npos) return true;
  }
  return false;
}

Status AsioHttpServer::bind(const Listener& listener) {
  const std::string name =
      (listener.address.find(':') == std::string::npos ? listener.address
                                                       : '[' + listener.address + ']') +
      ':' + std::to_string(listener.port);
  ErrorCodeOfAsio error;
  const auto address = asio::ip::make_address(listener.address, error);
  if (error) return fail(ErrorCode::kInvalidArgument, "listener " + name + ": not an IP address");
  const tcp::endpoint endpoint(address, listener.port);
  auto acceptor = std::make_unique<Acceptor>(io_[0]->context());
  acceptor->open(endpoint.protocol(), error);
  if (!error) acceptor->set_option(Acceptor::reuse_address(true), error);
  // "::" takes IPv4 too, unless an IPv4 listener of the same port is there for it.
  if (!error && address.is_v6())
    acceptor->set_option(asio::ip::v6_only(shares_port_with_ipv4(listener)), error);
  if (!error) acceptor->bind(endpoint, error);
  if (!error) acceptor->listen(kBacklogMax, error);
  if (!error) acceptor->non_blocking(true, error);
  if (!error) ports_.push_back(acceptor->local_endpoint(error).port());
  if (error) {
    const bool in_use = error == asio::error::address_in_use;
    return fail(in_use ? ErrorCode::kUnavailable : ErrorCode::kIoError,
                "cannot listen on " + name + ": " + error.message());
  }
  acceptors_.push_back(std::move(acceptor));
  return {};
}

void AsioHttpServer::run() {
  for (auto& acceptor : acceptors_) accept(*acceptor);
  for (const auto& io : io_) threads_.emplace_back([io] { io->run(); });
}

const std::shared_ptr<IoThread>& AsioHttpServer::least_loaded() const {
  const auto less = [](const auto& a, const auto& b) { return a->load() < b->load(); };
  return *std::min_element(io_.begin(), io_.end(), less);
}

void AsioHttpServer::accept(Acceptor& acceptor) {
  const auto& io = least_loaded();
  acceptor.async_accept(io->context(),
                        [this, &acceptor, io](const ErrorCodeOfAsio& error, Socket socket) {
                          on_accept(acceptor, io, std::move(socket), error);
                        });
}

void AsioHttpServer::on_accept(Acceptor& acceptor, const std::shared_ptr<IoThread>& io,
                               Socket socket, const ErrorCodeOfAsio& error) {
  if (state_->stopping.load() || !acceptor.is_open()) return;
  if (!error) {
    take(io, std::move(socket));
  } else if (error.value() == EMFILE || error.value() == ENFILE || error.value() == ENOBUFS ||
             error.value() == ENOMEM) {
    LogEvent(LogLevel::kWarn, "accept_failed").with("error", error.message());
    accept_timer_->expires_after(kAcceptPause);
    accept_timer_->async_wait([this, &acceptor](const ErrorCodeOfAsio&) {
      if (!state_->stopping.load()) accept(acceptor);
    });
    return;
  }
  accept(acceptor);
}

void AsioHttpServer::take(const std::shared_ptr<IoThread>& io, Socket socket) {
  const auto& options = state_->options;
  const std::size_t before = state_->connections.fetch_add(1);
  if (before >= options.connections_max + options.connections_reserve) {
    turn_away(std::move(socket));
    state_->connections.fetch_sub(1);
    return;
  }
  const Lane lane = before >= options.connections_max ? Lane::kReserve : Lane::kNormal;
  io->count_connection();
  auto connection = std::make_shared<Connection>(io, state_, std::move(socket), lane);
  io->post([io, connection = std::move(connection)] { io->adopt(connection); });
}

/// Beyond the reserve too: one attempt to say so, without reading or waiting.
void AsioHttpServer::turn_away(Socket socket) {
  const Response response{
      .status = 503,
      .body = R"({"error":{"code":"unavailable","message":"too many connections"}})",
      .headers = {{"Retry-After", "1"}}};
  std::string bytes;
  const std::string id = io_[0]->make_request_id();
  write_answer_head(response,
                    {.request_id = id,
                     .date = io_[0]->date(),
                     .content_length = response.body.size(),
                     .after = AfterAnswer::kClose},
                    bytes);
  bytes += response.body;
  ErrorCodeOfAsio ignored;
  socket.non_blocking(true, ignored);
  socket.write_some(asio::buffer(bytes), ignored);
  socket.shutdown(Socket::shutdown_send, ignored);
  char unread[4096];  // Input left unread would turn the close into a reset.
  socket.read_some(asio::buffer(unread), ignored);
}

void AsioHttpServer::stop(milliseconds grace) {
  MutexLock stop_lock(stop_mutex_);
  if (stopped_) return;
  stopped_ = true;
  state_->stopping.store(true);
  io_[0]->post([this] {
    ErrorCodeOfAsio ignored;
    for (auto& acceptor : acceptors_) acceptor->close(ignored);
    accept_timer_->cancel();
  });
  for (const auto& io : io_) io->post([io] { io->begin_stop(); });
  {
    const auto end = Clock::now() + grace;
    MutexLock lock(state_->mutex);
    while (!threads_.empty() && state_->connections.load() > 0 && Clock::now() < end)
      state_->connection_closed.wait_for(state_->mutex, end - Clock::now());
  }
  for (const auto& io : io_) io->post([io] { io->finish(); });
  for (auto& thread : threads_) thread.join();
  for (const auto& io : io_) io->drain();
  acceptors_.clear();
  accept_timer_.reset();
}

Status check(const HttpServerOptions& options, const HttpHandlers& handlers) {
  if (options.threads == 0 || options.threads > kThreadsMax)
    return fail(ErrorCode::kInvalidArgument, "io threads must be 1 to " +
                                                 std::to_string(kThreadsMax) + ", not " +
                                                 std::to_string(options.threads));
  if (options.listeners.empty())
    return fail(ErrorCode::kInvalidArgument, "at least one listener is needed");
  if (!handlers.on_request) return fail(ErrorCode::kInvalidArgument, "on_request is needed");
  return {};
}

}  // namespace

Result<std::unique_ptr<HttpServer>> HttpServer::start(HttpServerOptions options,
                                                      HttpHandlers handlers) {
  VZ_TRY(check(options, handlers));
  try {
    const std::vector<Listener> listeners = options.listeners;
    auto server = std::make_unique<AsioHttpServer>(std::move(options), std::move(handlers));
    for (const Listener& listener : listeners) VZ_TRY(server->bind(listener));
    server->run();
    return Result<std::unique_ptr<HttpServer>>(std::move(server));
  } catch (const std::exception& error) {
    return fail(ErrorCode::kIoError, std::string("starting the HTTP server: ") + error.what());
  }
}

}  // namespace vz::net
