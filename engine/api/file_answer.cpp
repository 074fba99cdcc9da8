#include "engine/api/file_answer.h"

#include <algorithm>
#include <charconv>

namespace vz::api {
namespace {

constexpr std::size_t kPieceBytes = 256u << 10;

class FileStream final : public net::BodyStream, public std::enable_shared_from_this<FileStream> {
 public:
  FileStream(std::unique_ptr<File> file, ByteRange range, runtime::ThreadPool& pool)
      : file_(std::move(file)), range_(range), at_(range.offset), pool_(pool) {}

  [[nodiscard]] std::uint64_t size_bytes() const override { return range_.size_bytes; }

  void read(Take take) override {
    const auto work = [self = shared_from_this(), take] { take(self->next_piece()); };
    if (Status taken = pool_.submit(work); !taken) take(tl::unexpected<Error>(taken.error()));
  }

 private:
  Result<std::string> next_piece() {
    const std::uint64_t left = range_.offset + range_.size_bytes - at_;
    std::string piece(std::min<std::uint64_t>(left, kPieceBytes), '\0');
    VZ_TRY(file_->read_at(at_, std::as_writable_bytes(std::span(piece))));
    at_ += piece.size();
    return piece;
  }

  const std::unique_ptr<File> file_;
  const ByteRange range_;
  std::uint64_t at_;  ///< one piece is read at a time
  runtime::ThreadPool& pool_;
};

std::optional<std::uint64_t> number_of(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

RangeAsked parse_range(std::string_view header, std::uint64_t file_bytes) {
  constexpr std::string_view kUnit = "bytes=";
  const RangeAsked whole{.range = {0, file_bytes}};
  if (!header.starts_with(kUnit)) return whole;
  header.remove_prefix(kUnit.size());
  const std::size_t dash = header.find('-');
  if (dash == header.npos) return whole;
  const auto first = number_of(header.substr(0, dash));
  const auto last = number_of(header.substr(dash + 1));
  if (dash == 0) {
    if (!last) return whole;
    if (*last == 0 || file_bytes == 0) return {.kind = RangeKind::kUnsatisfiable};
    const std::uint64_t size = std::min(*last, file_bytes);
    return {.kind = RangeKind::kPart, .range = {file_bytes - size, size}};
  }
  const bool open_ended = dash + 1 == header.size();
  if (!first || (!open_ended && (!last || *last < *first))) return whole;
  if (*first >= file_bytes) return {.kind = RangeKind::kUnsatisfiable};
  const std::uint64_t end = open_ended ? file_bytes - 1 : std::min(*last, file_bytes - 1);
  return {.kind = RangeKind::kPart, .range = {*first, end - *first + 1}};
}

net::Response file_response(const net::RequestHead& head, std::unique_ptr<File> file,
                            std::uint64_t file_bytes, std::string_view etag,
                            runtime::ThreadPool& pool) {
  const std::string tag = '"' + std::string(etag) + '"';
  const auto if_range = head.header("if-range");
  const bool ranged = head.method == net::Method::kGet && (!if_range || *if_range == tag);
  const auto asked = parse_range(ranged ? head.header("range").value_or("") : "", file_bytes);
  net::Response response;
  response.content_type = "application/octet-stream";
  response.headers.emplace_back("Accept-Ranges", "bytes");
  response.headers.emplace_back("ETag", tag);
  const std::string of_all = "/" + std::to_string(file_bytes);
  if (asked.kind == RangeKind::kUnsatisfiable) {
    response.status = 416;
    response.headers.emplace_back("Content-Range", "bytes *" + of_all);
    return response;
  }
  if (asked.kind == RangeKind::kPart) {
    response.status = 206;
    const std::uint64_t last = asked.range.offset + asked.range.size_bytes - 1;
    response.headers.emplace_back("Content-Range", "bytes " + std::to_string(asked.range.offset) +
                                                       "-" + std::to_string(last) + of_all);
  }
  response.stream = std::make_shared<FileStream>(std::move(file), asked.range, pool);
  return response;
}

}  // namespace vz::api
