// The first part of a connection: accepting it, reading heads and bodies.
#include "engine/net/http_connection.h"

#include <algorithm>

#include "engine/limits.h"
#include "engine/net/target.h"

namespace vz::net {
namespace {

using std::chrono::milliseconds;
using ErrorCodeOfAsio = boost::system::error_code;

// The greatest head fits with room to spare, and so does a typical search body.
constexpr std::size_t kInputBytes = 32u << 10;
constexpr std::size_t kBodyStepBytes = 256u << 10;
constexpr std::size_t kBodySpareBytes = 64;             // simdjson reads past the end.
constexpr std::size_t kBodyUnchargedBytes = 64u << 10;  // Bounded by connections_max already.
constexpr int kStepsMax = 64;  // Then other connections of the thread get their turn.
constexpr milliseconds kReserveHeaderTimeout{2'000};

}  // namespace

Connection::Connection(std::shared_ptr<IoThread> io, std::shared_ptr<ServerState> state,
                       Socket socket, Lane lane)
    : io_(std::move(io)),
      state_(std::move(state)),
      socket_(std::move(socket)),
      lane_(lane),
      id_(state_->connections_ever.fetch_add(1, std::memory_order_relaxed) + 1) {}

Connection::~Connection() = default;

void Connection::start() {
  ErrorCodeOfAsio error;
  socket_.non_blocking(true, error);
  socket_.set_option(asio::ip::tcp::no_delay(true), error);
  const auto peer = socket_.remote_endpoint(error);
  if (error) return close();
  auto address = peer.address();
  if (address.is_v6() && address.to_v6().is_v4_mapped())
    address = asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
  peer_address_ = address.to_string();
  peer_is_loopback_ = address.is_loopback();
  // Here, where close_those() finds it: no rule that comes now is missed by both.
  if (state_->handlers.on_connect && !state_->handlers.on_connect(peer_address_)) return close();
  local_port_ = socket_.local_endpoint(error).port();
  in_.resize(kInputBytes);
  enter_head(lane_ == Lane::kReserve
                 ? std::min(kReserveHeaderTimeout, state_->options.header_timeout)
                 : state_->options.header_timeout);
  advance();
}

void Connection::advance() {
  if (advancing_) return;
  advancing_ = true;
  const auto self = shared_from_this();
  int steps = 0;
  try {
    while (step()) {
      if (++steps < kStepsMax) continue;
      io_->post([self] { self->advance(); });
      break;
    }
  } catch (const std::exception&) {
    close();  // Out of memory: this connection pays, the server goes on.
  }
  advancing_ = false;
}

bool Connection::step() {
  switch (phase_) {
    case Phase::kHead:
      return step_head();
    case Phase::kBody:
      return step_body();
    case Phase::kChunks:
      return step_chunks();
    case Phase::kStream:
      return step_stream();
    case Phase::kDispatch:
      return step_dispatch();
    case Phase::kRequest:
      return step_request();
    case Phase::kHandling:
      return step_handling();
    case Phase::kWriting:
      return step_writing();
    case Phase::kLinger:
      return step_linger();
    case Phase::kInLine:
    case Phase::kSinking:
    case Phase::kFetching:
    case Phase::kClosed:
      break;
  }
  return false;
}

// ---- Reading -------------------------------------------------------------------------------

void Connection::enter_head(milliseconds first_byte_within) {
  phase_ = Phase::kHead;
  scanner_.reset();
  head_begun_ = false;
  timed_out_ = false;
  deadline_ = Clock::now() + first_byte_within;
}

void Connection::read_input() {
  if (in_begin_ == in_end_) in_begin_ = in_end_ = 0;
  if (in_end_ == in_.size() && in_begin_ > 0) {
    std::copy(in_.begin() + static_cast<std::ptrdiff_t>(in_begin_), in_.end(), in_.begin());
    in_end_ -= in_begin_;
    in_begin_ = 0;
  }
  socket_.async_read_some(asio::buffer(in_.data() + in_end_, in_.size() - in_end_),
                          [self = shared_from_this()](const ErrorCodeOfAsio& error, std::size_t n) {
                            self->in_end_ += n;
                            self->on_read(error, n);
                          });
}

void Connection::on_read(const ErrorCodeOfAsio& error, std::size_t bytes) {
  if (phase_ == Phase::kClosed) return;
  if (timed_out_ && phase_ != Phase::kLinger) {
    refuse({408, "the request came too slowly"});
  } else if (error) {
    return close();
  }
  body_wire_bytes_ += bytes;
  advance();
}

void Connection::forget_request() {
  head_ = RequestHead();
  head_.request_id = io_->make_request_id();
  framing_ = Framing();
  head_only_ = false;
  http_minor_ = 1;
}

bool Connection::step_head() {
  // A few clients end a body with a stray CRLF (RFC 9112, section 2.2).
  while (!head_begun_ && in_end_ - in_begin_ >= 2 && in_[in_begin_] == '\r' &&
         in_[in_begin_ + 1] == '\n')
    in_begin_ += 2;
  if (in_begin_ == in_end_) {
    if (state_->stopping.load(std::memory_order_relaxed)) {
      close();
      return false;
    }
    read_input();
    return false;
  }
  const bool just_begun = !head_begun_;
  head_begun_ = true;
  const auto size = scanner_.scan({in_.data() + in_begin_, in_end_ - in_begin_});
  if (!size) {
    forget_request();
    refuse(size.error());
  } else if (*size > 0) {
    accept_head(*size);
  } else {
    // The first bytes of a later request on this connection start its own clock.
    if (just_begun && served_) deadline_ = Clock::now() + state_->options.header_timeout;
    read_input();
    return false;
  }
  return true;
}

std::optional<Refusal> Connection::parse(std::string_view bytes) {
  head_ = RequestHead();
  head_.peer_address = peer_address_;
  head_.peer_is_loopback = peer_is_loopback_;
  head_.local_port = local_port_;
  head_.connection_id = id_;
  parser_.emplace();
  http_minor_ = parser_->parse_head(bytes, head_);
  const auto sent_id = head_.header("x-request-id");
  head_.request_id =
      sent_id && is_request_id(*sent_id) ? std::string(*sent_id) : io_->make_request_id();
  head_only_ = head_.method == Method::kHead;
  if (http_minor_ < 0) return Refusal{400, "malformed request head"};
  auto target = parse_target(head_.target);
  if (target) {
    head_.segments = std::move(target->segments);
    head_.query = std::move(target->query);
  }
  const auto& streams_body = state_->handlers.streams_body;
  streams_ = target && streams_body && streams_body(head_);
  auto framing =
      read_framing(head_, http_minor_, streams_ ? limits::kUploadBytesMax : limits::kBodyBytesMax);
  if (!framing) return std::move(framing).error();
  framing_ = *framing;
  if (!target) return Refusal{400, std::move(target).error().message};
  if (lane_ == Lane::kReserve && !may_use_reserve())
    return Refusal{503, "too many connections; come back later"};
  return std::nullopt;
}

bool Connection::may_use_reserve() const {
  if (head_.segments.empty()) return false;
  const bool prefixed = head_.segments.front() == "qdrant" && head_.segments.size() > 1;
  const std::string& first = head_.segments[prefixed ? 1 : 0];
  if (first == "admin") return true;
  const bool reads = head_.method == Method::kGet || head_.method == Method::kHead;
  return reads && (first == "health" || first == "livez" || first == "readyz" ||
                   first == "metrics" || first == "stats");
}

void Connection::accept_head(std::size_t size) {
  framing_ = Framing();
  close_after_ = false;
  auto refusal = parse({in_.data() + in_begin_, size});
  in_begin_ += size;
  if (refusal) return refuse(std::move(*refusal));
  close_after_ = !framing_.keep_alive || lane_ == Lane::kReserve;
  if (state_->handlers.on_head) {
    auto answer = state_->handlers.on_head(head_);
    principal_ = head_.principal;
    if (answer) {
      request_id_ = head_.request_id;
      close_after_ = close_after_ || framing_.has_body();
      phase_ = Phase::kHandling;
      return give_answer(std::move(*answer));
    }
  }
  if (streams_) return enter_stream();
  enter_body();
}

void Connection::enter_body() {
  body_.clear();
  body_received_ = 0;
  phase_ = framing_.chunked              ? Phase::kChunks
           : framing_.content_length > 0 ? Phase::kBody
                                         : Phase::kDispatch;
  if (phase_ == Phase::kDispatch) return;
  if (!charge_body(framing_.content_length)) return;
  body_.reserve(framing_.content_length + kBodySpareBytes);
  body_wire_bytes_ = in_end_ - in_begin_;
  body_started_ = Clock::now();
  if (framing_.expect_continue && in_begin_ == in_end_)
    begin_writing("HTTP/1.1 100 Continue\r\n\r\n", phase_);
}

bool Connection::step_body() {
  const std::size_t expected = framing_.content_length;
  if (body_received_ < expected && in_begin_ < in_end_) {
    const std::size_t bytes = std::min(expected - body_received_, in_end_ - in_begin_);
    body_.append(in_.data() + in_begin_, bytes);
    in_begin_ += bytes;
    body_received_ += bytes;
  }
  if (body_received_ == expected) {
    phase_ = Phase::kDispatch;
    return true;
  }
  // Straight into the body from here on, grown by steps: memory follows what really arrives.
  if (body_received_ == body_.size())
    body_.resize(std::min(expected, body_received_ + kBodyStepBytes));
  socket_.async_read_some(
      asio::buffer(body_.data() + body_received_, body_.size() - body_received_),
      [self = shared_from_this()](const ErrorCodeOfAsio& error, std::size_t bytes) {
        self->body_received_ += bytes;
        self->on_read(error, bytes);
      });
  return false;
}

bool Connection::step_chunks() {
  const std::string_view input(in_.data() + in_begin_, in_end_ - in_begin_);
  const auto fed = parser_->feed_chunks(input, body_, limits::kBodyBytesMax);
  in_begin_ += fed.consumed;
  using ChunkState = MessageParser::ChunkState;
  if (fed.state == ChunkState::kTooLarge) {
    refuse({413, "the body is over " + std::to_string(limits::kBodyBytesMax) + " bytes"});
  } else if (fed.state == ChunkState::kBroken ||
             (fed.state == ChunkState::kMore && in_end_ - in_begin_ == in_.size())) {
    refuse({400, "malformed chunked body"});
  } else if (!charge_body(body_.size())) {
    return true;
  } else if (fed.state == ChunkState::kDone) {
    phase_ = Phase::kDispatch;
  } else {
    read_input();
    return false;
  }
  return true;
}

bool Connection::charge_body(std::size_t bytes) {
  if (bytes <= kBodyUnchargedBytes || bytes <= body_charged_) return true;
  const std::size_t more = bytes - body_charged_;
  const std::size_t before = state_->body_bytes.fetch_add(more, std::memory_order_relaxed);
  body_charged_ = bytes;
  if (before + more <= state_->options.body_bytes_in_flight_max) return true;
  refuse({503, "too many request bytes in flight; come back later"});
  return false;
}

void Connection::discharge_body() {
  if (body_charged_ > 0) state_->body_bytes.fetch_sub(body_charged_, std::memory_order_relaxed);
  body_charged_ = 0;
}

}  // namespace vz::net
