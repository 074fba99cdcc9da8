// The middle part of a connection: a body that goes to a sink piece by piece. One piece is in
// memory at a time, and while the sink has it nothing is read: the client is slowed down by TCP.
#include <algorithm>
#include <utility>

#include "engine/limits.h"
#include "engine/net/http_connection.h"

namespace vz::net {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kPieceBytes = 256u << 10;

}  // namespace

void Connection::enter_stream() {
  body_.clear();
  body_received_ = 0;
  streamed_bytes_ = 0;
  chunks_ended_ = false;
  if (framing_.gzip) return refuse({415, "no Content-Encoding is understood here"});
  auto opened = state_->handlers.open_body(
      head_, framing_.chunked ? std::nullopt : std::optional(framing_.content_length));
  if (!opened) {
    request_id_ = head_.request_id;
    close_after_ = close_after_ || framing_.has_body();
    phase_ = Phase::kHandling;
    return give_answer(std::move(opened).error());
  }
  sink_ = *std::move(opened);
  phase_ = Phase::kSinking;
  sink_->begin(when_sunk());
}

/// For another thread. It holds the sink, which a connection that closes meanwhile lets go.
BodySink::Done Connection::when_sunk() {
  sinking_since_ = Clock::now();
  return [self = shared_from_this(), sink = sink_](std::optional<Response> refusal) {
    self->io_->post([self, taken = std::move(refusal)]() mutable {
      self->after_sunk(std::move(taken));
      self->advance();
    });
  };
}

void Connection::after_sunk(std::optional<Response> refusal) {
  if (phase_ != Phase::kSinking) return;
  if (refusal) {
    sink_.reset();
    request_id_ = head_.request_id;
    const bool whole =
        framing_.chunked ? chunks_ended_ : streamed_bytes_ == framing_.content_length;
    close_after_ = close_after_ || !whole;
    answer_.reset();
    phase_ = Phase::kHandling;
    return give_answer(*std::move(refusal));
  }
  const bool begins = streamed_bytes_ == 0;
  phase_ = Phase::kStream;
  if (begins) {
    body_wire_bytes_ = in_end_ - in_begin_;
    body_started_ = Clock::now();
    if (framing_.expect_continue && framing_.has_body() && in_begin_ == in_end_)
      begin_writing("HTTP/1.1 100 Continue\r\n\r\n", phase_);
  } else {
    body_started_ += Clock::now() - sinking_since_;  // It was not the client who was slow.
  }
}

bool Connection::step_stream() {
  if (framing_.chunked && !chunks_ended_ && !take_chunks()) return true;
  const std::uint64_t expected = framing_.content_length - streamed_bytes_;  // If not chunked.
  const bool ended = framing_.chunked ? chunks_ended_ : expected == 0;
  if (ended && body_.empty()) {
    phase_ = Phase::kRequest;  // It passes the line: what has arrived is not thrown away.
    return true;
  }
  if (framing_.chunked) {
    body_received_ = body_.size();
    if (ended || body_received_ >= kPieceBytes) return hand_on_piece();
    read_input();
    return false;
  }
  body_.resize(static_cast<std::size_t>(std::min<std::uint64_t>(expected, kPieceBytes)));
  const std::size_t here = std::min(body_.size() - body_received_, in_end_ - in_begin_);
  std::copy_n(in_.data() + in_begin_, here, body_.data() + body_received_);
  in_begin_ += here;
  body_received_ += here;
  if (body_received_ == body_.size()) return hand_on_piece();
  read_piece();
  return false;
}

/// Decodes what has been read. False: it refused the request.
bool Connection::take_chunks() {
  const std::string_view input(in_.data() + in_begin_, in_end_ - in_begin_);
  const auto fed = parser_->feed_chunks(input, body_, limits::kUploadBytesMax - streamed_bytes_);
  in_begin_ += fed.consumed;
  using ChunkState = MessageParser::ChunkState;
  chunks_ended_ = fed.state == ChunkState::kDone;
  if (fed.state == ChunkState::kTooLarge) {
    refuse({413, "the body is over " + std::to_string(limits::kUploadBytesMax) + " bytes"});
    return false;
  }
  if (fed.state == ChunkState::kBroken ||
      (fed.state == ChunkState::kMore && in_end_ - in_begin_ == in_.size())) {
    refuse({400, "malformed chunked body"});
    return false;
  }
  return true;
}

/// Straight into the piece.
void Connection::read_piece() {
  socket_.async_read_some(
      asio::buffer(body_.data() + body_received_, body_.size() - body_received_),
      [self = shared_from_this()](const boost::system::error_code& error, std::size_t bytes) {
        self->body_received_ += bytes;
        self->on_read(error, bytes);
      });
}

bool Connection::hand_on_piece() {
  streamed_bytes_ += body_received_;
  body_received_ = 0;
  phase_ = Phase::kSinking;
  const auto sink = sink_;
  sink->write(std::exchange(body_, std::string()), when_sunk());
  return false;
}

/// Each window counts by itself: a body that stops after a fast start is noticed.
void Connection::check_stream_deadline(Clock::time_point now) {
  const auto elapsed = std::chrono::duration_cast<milliseconds>(now - body_started_);
  if (elapsed < state_->options.stream_window) return;
  const auto due = state_->options.body_bytes_per_second_min *
                   static_cast<std::uint64_t>(elapsed.count()) / 1000;
  const bool fast_enough = body_wire_bytes_ >= due;
  body_started_ = now;
  body_wire_bytes_ = 0;
  if (fast_enough) return;
  timed_out_ = true;
  boost::system::error_code ignored;
  socket_.cancel(ignored);  // on_read goes on with the 408.
}

}  // namespace vz::net
