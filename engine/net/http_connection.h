// Internal to engine/net: one io thread, and the connections that live on it. A connection belongs
// to one thread for life, so nothing on a request's path takes a lock.
#pragma once

#include <atomic>
#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

// ThreadSanitizer does not know fences, and Asio's only guard what its mutexes guard already.
#ifdef __SANITIZE_THREAD__
#define BOOST_ASIO_DISABLE_FENCED_BLOCK
#endif
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>

#include "engine/net/gzip.h"
#include "engine/net/head_guard.h"
#include "engine/net/http_server.h"
#include "engine/net/message_parser.h"
#include "storage/base/mutex.h"

namespace vz::net {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;
using Executor = asio::io_context::executor_type;
using Socket = asio::basic_stream_socket<asio::ip::tcp, Executor>;
using Timer = asio::basic_waitable_timer<Clock, asio::wait_traits<Clock>, Executor>;

class Connection;

/// What all threads of a server share. Options and handlers are constant after construction.
struct ServerState {
  HttpServerOptions options;
  HttpHandlers handlers;
  std::atomic<std::size_t> connections{0};
  std::atomic<std::size_t> body_bytes{0};
  std::atomic<std::size_t> waiting{0};  ///< requests in the lines of all threads
  std::atomic<std::uint64_t> connections_ever{0};
  std::atomic<bool> stopping{false};
  Mutex mutex;
  ConditionVariable connection_closed;  ///< signalled under `mutex`, only while stopping
};

/// One thread's event loop. Connections and late answers share ownership of it, because a handler
/// may answer after the server is gone.
class IoThread : public std::enable_shared_from_this<IoThread> {
 public:
  IoThread(std::shared_ptr<ServerState> state, unsigned number);

  void run();  ///< the thread's body; returns after finish()
  /// Any thread. Runs `work` on this thread; false (and dropped) once drained.
  template <typename Work>
  bool post(Work work) VZ_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    if (drained_) return false;
    asio::post(context_, std::move(work));
    return true;
  }
  asio::io_context& context() { return context_; }
  [[nodiscard]] std::size_t load() const { return load_.load(std::memory_order_relaxed); }
  void count_connection() { load_.fetch_add(1, std::memory_order_relaxed); }

  [[nodiscard]] bool is_current() const { return std::this_thread::get_id() == thread_id_; }

  // Only on this thread.
  /// Puts a connection's request at the end of the line: it is served when its turn comes. False:
  /// too many wait.
  bool stand_in_line(std::shared_ptr<Connection> connection);
  void adopt(const std::shared_ptr<Connection>& connection);
  void remove(Connection& connection);
  void begin_stop();
  void close_those(const std::function<bool(const ConnectionFacts&)>& must_go);
  void finish();  ///< closes every connection and lets run() return
  std::string make_request_id();
  [[nodiscard]] const std::string& date() const { return date_; }
  GzipDeflater& deflater() { return deflater_; }

  /// After the thread was joined: destroys what was posted too late.
  void drain() VZ_EXCLUDES(mutex_);

 private:
  void tick();
  void work();
  void serve_next();

  std::shared_ptr<ServerState> state_;
  unsigned number_;
  std::thread::id thread_id_;  ///< set before the first event
  asio::io_context context_{1};
  asio::executor_work_guard<Executor> guard_;
  Timer timer_;
  std::chrono::milliseconds tick_interval_;
  std::vector<std::shared_ptr<Connection>> connections_;
  std::deque<std::shared_ptr<Connection>> line_;
  bool finished_ = false;
  std::uint64_t id_state_;
  std::string date_;
  GzipDeflater deflater_;
  std::atomic<std::size_t> load_{0};
  Mutex mutex_;
  bool drained_ VZ_GUARDED_BY(mutex_) = false;
};

/// Accepted beyond connections_max: may only ask for health, numbers and admin, once.
enum class Lane : std::uint8_t { kNormal, kReserve };

/// One connection as a state machine: step() does what can be done without waiting and says whether
/// to go on; every completion calls advance(), which steps until something must be awaited.
/// Only on its IoThread, except where said.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(std::shared_ptr<IoThread> io, std::shared_ptr<ServerState> state, Socket socket,
             Lane lane);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void start();
  void serve();  ///< its turn has come
  void check_deadline(Clock::time_point now);
  void close_if_idle();
  void close();
  [[nodiscard]] ConnectionFacts facts() const { return {id_, peer_address_, principal_}; }
  std::size_t slot = 0;  ///< IoThread's

 private:
  class Ticket;
  enum class Phase : std::uint8_t {
    kHead,
    kBody,
    kChunks,
    kStream,   ///< reading the next piece of a body that goes to a sink
    kSinking,  ///< the sink has it
    kDispatch,
    kInLine,
    kRequest,
    kHandling,
    kWriting,
    kFetching,
    kLinger,
    kClosed
  };

  void advance();
  bool step();
  bool step_head();
  bool step_body();
  bool step_chunks();
  bool step_stream();
  bool step_dispatch();
  bool step_request();
  bool step_handling();
  bool step_writing();
  bool end_writing();
  void fetch_piece();
  void take_piece(Result<std::string> piece);
  bool step_linger();

  void enter_head(std::chrono::milliseconds first_byte_within);
  void forget_request();
  void enter_body();
  void enter_stream();
  bool take_chunks();
  void read_piece();
  bool hand_on_piece();
  BodySink::Done when_sunk();
  void after_sunk(std::optional<Response> refusal);
  void check_stream_deadline(Clock::time_point now);
  void accept_head(std::size_t size);
  std::optional<Refusal> parse(std::string_view bytes);
  /// A request that an operator needs answered when nothing else is.
  [[nodiscard]] bool may_use_reserve() const;
  void refuse(Refusal refusal);
  void give_answer(Response response);
  void begin_writing(std::string head, Phase next);
  void read_input();
  void on_read(const boost::system::error_code& error, std::size_t bytes);
  bool charge_body(std::size_t bytes);
  void discharge_body();

  std::shared_ptr<IoThread> io_;
  std::shared_ptr<ServerState> state_;
  Socket socket_;
  const Lane lane_;
  const std::uint64_t id_;
  std::string peer_address_;
  std::string principal_;
  bool peer_is_loopback_ = false;
  std::uint16_t local_port_ = 0;

  Phase phase_ = Phase::kHead;
  bool advancing_ = false;
  bool timed_out_ = false;
  bool served_ = false;  // At least one request of this connection was answered.
  Clock::time_point deadline_;

  // Input: bytes_[begin, end) were read and not yet used.
  std::vector<char> in_;
  std::size_t in_begin_ = 0;
  std::size_t in_end_ = 0;

  // The request under way.
  HeadScanner scanner_;
  bool head_begun_ = false;
  std::optional<MessageParser> parser_;
  RequestHead head_;
  Framing framing_;
  int http_minor_ = 1;
  std::string body_;
  std::size_t body_received_ = 0;
  std::size_t body_wire_bytes_ = 0;
  Clock::time_point body_started_;
  std::size_t body_charged_ = 0;
  // Of a body that goes to a sink: body_ is the piece that is read, or empty while the sink has it.
  bool streams_ = false;
  std::shared_ptr<BodySink> sink_;
  std::uint64_t streamed_bytes_ = 0;  // That the sink has got.
  bool chunks_ended_ = false;
  Clock::time_point sinking_since_;

  // The answer under way.
  std::string request_id_;
  bool head_only_ = false;
  bool close_after_ = false;
  std::optional<Response> answer_;
  std::string out_head_;
  std::string out_body_;
  std::shared_ptr<BodyStream> stream_;  // What follows out_body_, piece by piece.
  std::uint64_t stream_left_ = 0;
  std::size_t sent_ = 0;
  Phase after_writing_ = Phase::kHead;
};

}  // namespace vz::net
