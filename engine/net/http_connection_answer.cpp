// The last part of a connection: the handler's turn, the answer, and the end.
#include <algorithm>
#include <array>

#include "engine/limits.h"
#include "engine/net/answer.h"
#include "engine/net/http_connection.h"

namespace vz::net {
namespace {

using std::chrono::milliseconds;
using ErrorCodeOfAsio = boost::system::error_code;

constexpr std::size_t kBodySpareBytes = 64;  // simdjson reads past the end.
constexpr std::size_t kOutputKeptBytes = 32u << 10;
constexpr std::size_t kGzipBytesMin = 1024;
constexpr std::size_t kWriteBytesPerSecondMin = 64u << 10;
constexpr milliseconds kLingerTimeout{2'000};

bool is_compressible(const Response& response) {
  if (response.body.size() < kGzipBytesMin) return false;
  for (const auto& [name, value] : response.headers) {
    if (name == "Content-Encoding" || name == "content-encoding") return false;
  }
  return response.content_type.starts_with("application/json") ||
         response.content_type.starts_with("text/");
}

Response plain_error(int status, const std::string& message) {
  std::string text;
  for (const char c : message) text.push_back(c == '"' || c == '\\' ? '\'' : c);
  Response response{
      .status = status,
      .body = R"({"error":{"code":")" + std::to_string(status) + R"(","message":")" + text + "\"}}",
      .headers = {}};
  if (status == 503) response.headers.emplace_back("Retry-After", "1");
  return response;
}

}  // namespace

/// The right to answer one request once. Held by every copy of its Respond; when the last goes
/// unused the answer is a 500.
class Connection::Ticket {
 public:
  explicit Ticket(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {}
  ~Ticket() {
    if (!used_.load(std::memory_order_acquire)) {
      try {
        send(plain_error(500, "the request was dropped without an answer"));
      } catch (const std::exception&) {
        // Out of memory while refusing: the connection waits for stop() or its peer.
      }
    }
  }
  Ticket(const Ticket&) = delete;
  Ticket& operator=(const Ticket&) = delete;

  /// Any thread.
  void send(Response response) {
    if (used_.exchange(true, std::memory_order_acq_rel)) return;
    Connection* connection = connection_.get();
    // Its own io thread, inside on_request: the loop in advance() takes it from there. Anything
    // else goes through the queue, so that answers given in handlers never nest.
    if (connection->io_->is_current() && connection->advancing_) {
      connection->give_answer(std::move(response));
      return;
    }
    connection->io_->post([self = connection_, answer = std::move(response)]() mutable {
      self->give_answer(std::move(answer));
      self->advance();
    });
  }

 private:
  std::shared_ptr<Connection> connection_;
  std::atomic<bool> used_{false};
};

// ---- Handling ------------------------------------------------------------------------------

bool Connection::step_dispatch() {
  if (may_use_reserve()) {
    phase_ = Phase::kRequest;
    return true;
  }
  phase_ = Phase::kInLine;
  if (io_->stand_in_line(shared_from_this())) return false;
  // The request was read whole, so the connection can stay.
  const bool closes = close_after_;
  refuse({503, "too many requests wait; come back later"});
  close_after_ = closes;
  return true;
}

void Connection::serve() {
  if (phase_ != Phase::kInLine) return;  // Closed while it waited.
  phase_ = Phase::kRequest;
  advance();
}

bool Connection::step_request() {
  parser_.reset();
  if (framing_.gzip && !body_.empty()) {
    auto inflated = gzip_inflate(body_, limits::kBodyBytesMax);
    if (!inflated) {
      refuse({inflated.error().code == ErrorCode::kTooLarge ? 413 : 400, inflated.error().message});
      return true;
    }
    body_ = std::move(*inflated);
    if (!charge_body(body_.size())) return true;
  }
  body_.reserve(body_.size() + kBodySpareBytes);
  request_id_ = head_.request_id;
  answer_.reset();
  phase_ = Phase::kHandling;
  const auto ticket = std::make_shared<Ticket>(shared_from_this());
  try {
    state_->handlers.on_request({std::move(head_), std::move(body_), std::move(sink_)},
                                [ticket](Response answer) { ticket->send(std::move(answer)); });
  } catch (const std::exception&) {
    // The handler's owner logs its own failures; here the caller must get its answer.
    ticket->send(plain_error(500, "internal error"));
  }
  return true;
}

void Connection::refuse(Refusal refusal) {
  timed_out_ = false;
  close_after_ = true;
  head_.peer_address = peer_address_;
  head_.peer_is_loopback = peer_is_loopback_;
  head_.local_port = local_port_;
  request_id_ = head_.request_id;
  phase_ = Phase::kHandling;
  sink_.reset();
  answer_.reset();
  Response answer;
  try {
    answer = state_->handlers.on_error
                 ? state_->handlers.on_error(head_, refusal.status, refusal.message)
                 : plain_error(refusal.status, refusal.message);
  } catch (const std::exception&) {
    answer = plain_error(refusal.status, refusal.message);
  }
  give_answer(std::move(answer));
}

void Connection::give_answer(Response response) {
  if (phase_ == Phase::kHandling && !answer_) answer_ = std::move(response);
}

// ---- Answering -----------------------------------------------------------------------------

bool Connection::step_handling() {
  if (!answer_) return false;
  discharge_body();
  if (state_->stopping.load(std::memory_order_relaxed)) close_after_ = true;
  const bool compressible = is_compressible(*answer_);
  bool compressed = false;
  if (compressible && framing_.accepts_gzip && !head_only_) {
    std::string smaller = io_->deflater().deflate(answer_->body);
    compressed = !smaller.empty();
    if (compressed) answer_->body = std::move(smaller);
  }
  stream_ = head_only_ ? nullptr : answer_->stream;
  stream_left_ = stream_ == nullptr ? 0 : stream_->size_bytes();
  std::string head = std::move(out_head_);  // Keeps its capacity from answer to answer.
  write_answer_head(
      *answer_,
      {.request_id = request_id_,
       .date = io_->date(),
       .content_length = answer_->stream == nullptr
                             ? answer_->body.size()
                             : static_cast<std::size_t>(answer_->stream->size_bytes()),
       .gzip = compressed,
       .gzip_varies = compressible,
       .after = close_after_       ? AfterAnswer::kClose
                : http_minor_ == 0 ? AfterAnswer::kKeepAliveOfHttp10
                                   : AfterAnswer::kKeepAlive},
      head);
  if (head_only_ || !status_allows_body(answer_->status)) answer_->body.clear();
  out_body_ = std::move(answer_->body);
  answer_.reset();
  begin_writing(std::move(head), close_after_ ? Phase::kLinger : Phase::kHead);
  return true;
}

void Connection::begin_writing(std::string head, Phase next) {
  out_head_ = std::move(head);
  sent_ = 0;
  after_writing_ = next;
  phase_ = Phase::kWriting;
  deadline_ = Clock::now() + state_->options.write_timeout +
              std::chrono::seconds(out_body_.size() / kWriteBytesPerSecondMin);
}

bool Connection::step_writing() {
  const std::size_t total = out_head_.size() + out_body_.size();
  while (sent_ < total) {
    const std::size_t head_sent = std::min(sent_, out_head_.size());
    const std::size_t body_sent = sent_ - head_sent;
    const std::array<asio::const_buffer, 2> buffers{
        asio::buffer(out_head_.data() + head_sent, out_head_.size() - head_sent),
        asio::buffer(out_body_.data() + body_sent, out_body_.size() - body_sent)};
    ErrorCodeOfAsio error;
    sent_ += socket_.write_some(buffers, error);
    if (error == asio::error::would_block || error == asio::error::try_again) {
      socket_.async_wait(Socket::wait_write,
                         [self = shared_from_this()](const ErrorCodeOfAsio& failed) {
                           failed ? self->close() : self->advance();
                         });
      return false;
    }
    if (error) {
      close();
      return false;
    }
  }
  out_body_.clear();
  if (stream_left_ > 0) {
    fetch_piece();
    return false;
  }
  return end_writing();
}

void Connection::fetch_piece() {
  phase_ = Phase::kFetching;
  stream_->read([self = shared_from_this()](Result<std::string> piece) {
    self->io_->post([self, taken = std::move(piece)]() mutable {
      self->take_piece(std::move(taken));
      self->advance();
    });
  });
}

void Connection::take_piece(Result<std::string> piece) {
  if (phase_ != Phase::kFetching) return;
  if (!piece || piece->empty() || piece->size() > stream_left_) return close();
  stream_left_ -= piece->size();
  out_body_ = *std::move(piece);
  out_head_.clear();
  begin_writing(std::move(out_head_), after_writing_);
}

bool Connection::end_writing() {
  stream_.reset();
  if (out_body_.capacity() > kOutputKeptBytes) std::string().swap(out_body_);
  if (after_writing_ == Phase::kHead) {
    served_ = true;
    enter_head(state_->options.idle_timeout);
  } else {
    phase_ = after_writing_;
    if (phase_ == Phase::kLinger) {
      ErrorCodeOfAsio ignored;
      socket_.shutdown(Socket::shutdown_send, ignored);
      deadline_ = Clock::now() + kLingerTimeout;
    }
  }
  return true;
}

/// Closing a socket with unread input resets it and may destroy the answer on its way; so what the
/// peer still sends is thrown away until it closes or a short time has passed.
bool Connection::step_linger() {
  in_begin_ = in_end_ = 0;
  read_input();
  return false;
}

// ---- Ending --------------------------------------------------------------------------------

void Connection::check_deadline(Clock::time_point now) {
  switch (phase_) {
    case Phase::kHead:
      if (now < deadline_) return;
      if (!head_begun_) return close();
      forget_request();
      break;
    case Phase::kBody:
    case Phase::kChunks: {
      const auto elapsed = std::chrono::duration_cast<milliseconds>(now - body_started_);
      const auto due = state_->options.body_bytes_per_second_min *
                       static_cast<std::uint64_t>(elapsed.count()) / 1000;
      if (elapsed < state_->options.body_grace || body_wire_bytes_ >= due) return;
      break;
    }
    case Phase::kStream:
      return check_stream_deadline(now);
    case Phase::kWriting:
    case Phase::kLinger:
      if (now >= deadline_) close();
      return;
    default:
      return;
  }
  timed_out_ = true;
  ErrorCodeOfAsio ignored;
  socket_.cancel(ignored);  // on_read goes on with the 408.
}

void Connection::close_if_idle() {
  if (phase_ == Phase::kHead && !head_begun_) close();
}

void Connection::close() {
  if (phase_ == Phase::kClosed) return;
  phase_ = Phase::kClosed;
  stream_.reset();
  sink_.reset();
  discharge_body();
  ErrorCodeOfAsio ignored;
  socket_.close(ignored);
  const auto self = shared_from_this();
  io_->remove(*this);
}

}  // namespace vz::net
