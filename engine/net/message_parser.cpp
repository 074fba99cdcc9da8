#include "engine/net/message_parser.h"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>

namespace vz::net {
namespace {

namespace http = boost::beast::http;
using boost::beast::error_code;
using BeastView = boost::beast::string_view;

Method method_of(http::verb verb) {
  switch (verb) {
    case http::verb::get:
      return Method::kGet;
    case http::verb::head:
      return Method::kHead;
    case http::verb::post:
      return Method::kPost;
    case http::verb::put:
      return Method::kPut;
    case http::verb::patch:
      return Method::kPatch;
    case http::verb::delete_:
      return Method::kDelete;
    case http::verb::options:
      return Method::kOptions;
    default:
      return Method::kOther;
  }
}

std::string lower_case(BeastView text) {
  std::string out(text.data(), text.size());
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

}  // namespace

class MessageParser::Impl final : public http::basic_parser<true> {
 public:
  Impl() {
    // Both bounds were checked by HeadScanner and are checked again by append_body.
    header_limit(1u << 20);
    body_limit(boost::none);
  }

  RequestHead* head = nullptr;
  std::string* body = nullptr;
  std::size_t body_bytes_max = 0;
  int http_minor = -1;
  bool too_large = false;

 private:
  void on_request_impl(http::verb verb, BeastView, BeastView target, int version,
                       error_code&) override {
    head->method = method_of(verb);
    head->target.assign(target.data(), target.size());
    http_minor = version % 10;
  }
  void on_field_impl(http::field, BeastView name, BeastView value, error_code&) override {
    if (head == nullptr) return;  // A trailer.
    head->headers.emplace_back(lower_case(name), std::string(value.data(), value.size()));
  }
  std::size_t on_chunk_body_impl(std::uint64_t, BeastView bytes, error_code& ec) override {
    return append_body(bytes, ec);
  }
  std::size_t on_body_impl(BeastView bytes, error_code& ec) override {
    return append_body(bytes, ec);
  }
  void on_chunk_header_impl(std::uint64_t size, BeastView, error_code& ec) override {
    if (size > body_bytes_max - body->size()) refuse_size(ec);
  }
  void on_response_impl(int, BeastView, int, error_code&) override {}
  void on_header_impl(error_code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  void on_finish_impl(error_code&) override {}

  std::size_t append_body(BeastView bytes, error_code& ec) {
    if (bytes.size() > body_bytes_max - body->size()) {
      refuse_size(ec);
      return 0;
    }
    body->append(bytes.data(), bytes.size());
    return bytes.size();
  }
  void refuse_size(error_code& ec) {
    too_large = true;
    ec = http::error::body_limit;
  }
};

MessageParser::MessageParser() : impl_(std::make_unique<Impl>()) {}
MessageParser::~MessageParser() = default;
MessageParser::MessageParser(MessageParser&&) noexcept = default;
MessageParser& MessageParser::operator=(MessageParser&&) noexcept = default;

int MessageParser::parse_head(std::string_view bytes, RequestHead& head) {
  error_code ec;
  head.headers.reserve(8);
  impl_->head = &head;
  const std::size_t used = impl_->put(boost::asio::buffer(bytes.data(), bytes.size()), ec);
  impl_->head = nullptr;
  return ec || used != bytes.size() || !impl_->is_header_done() ? -1 : impl_->http_minor;
}

MessageParser::Fed MessageParser::feed_chunks(std::string_view bytes, std::string& body,
                                              std::size_t body_bytes_max) {
  error_code ec;
  impl_->body = &body;
  impl_->body_bytes_max = body_bytes_max;
  impl_->eager(true);
  Fed fed;
  if (!bytes.empty())
    fed.consumed = impl_->put(boost::asio::buffer(bytes.data(), bytes.size()), ec);
  if (impl_->too_large) {
    fed.state = ChunkState::kTooLarge;
  } else if (ec && ec != http::error::need_more) {
    fed.state = ChunkState::kBroken;
  } else if (impl_->is_done()) {
    fed.state = ChunkState::kDone;
  }
  return fed;
}

}  // namespace vz::net
