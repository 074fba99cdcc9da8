#include "engine/net/gzip.h"

#include <algorithm>

#include <zlib.h>

namespace vz::net {
namespace {

constexpr int kGzipWindowBits = 16 + MAX_WBITS;  // 16: the gzip wrapper, and nothing else.

Bytef* bytes_of(const char* text) {
  return reinterpret_cast<Bytef*>(
      const_cast<char*>(text));  // zlib reads through a mutable pointer.
}

class InflateStream {
 public:
  InflateStream() : ready_(inflateInit2(&stream_, kGzipWindowBits) == Z_OK) {}
  ~InflateStream() {
    if (ready_) inflateEnd(&stream_);
  }
  InflateStream(const InflateStream&) = delete;
  InflateStream& operator=(const InflateStream&) = delete;
  [[nodiscard]] bool ready() const { return ready_; }
  z_stream& get() { return stream_; }

 private:
  z_stream stream_{};
  bool ready_;
};

}  // namespace

Result<std::string> gzip_inflate(std::string_view compressed, std::size_t bytes_max) {
  InflateStream inflater;
  if (!inflater.ready()) return fail(ErrorCode::kInternal, "zlib could not start");
  z_stream& stream = inflater.get();
  stream.next_in = bytes_of(compressed.data());
  stream.avail_in = static_cast<uInt>(compressed.size());
  std::string out;
  std::size_t size = 0;
  while (true) {
    // One byte beyond the limit tells "exactly the limit" from "more".
    if (size == out.size())
      out.resize(std::min(bytes_max + 1, std::max<std::size_t>(compressed.size() * 4, size * 2)));
    stream.next_out = bytes_of(out.data() + size);
    stream.avail_out = static_cast<uInt>(out.size() - size);
    const int code = inflate(&stream, Z_NO_FLUSH);
    size = out.size() - stream.avail_out;
    if (size > bytes_max) return fail(ErrorCode::kTooLarge, "the inflated body is too large");
    if (code == Z_STREAM_END) {
      if (stream.avail_in == 0) break;
      if (inflateReset(&stream) != Z_OK) return fail(ErrorCode::kInternal, "zlib reset failed");
    } else if (code != Z_OK || (stream.avail_in == 0 && stream.avail_out != 0)) {
      return fail(ErrorCode::kInvalidArgument, "the gzip body is broken or cut short");
    }
  }
  out.resize(size);
  return out;
}

class GzipDeflater::Stream {
 public:
  Stream()
      : ready_(deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, kGzipWindowBits, 8,
                            Z_DEFAULT_STRATEGY) == Z_OK) {}
  ~Stream() {
    if (ready_) deflateEnd(&stream);
  }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  [[nodiscard]] bool ready() const { return ready_; }
  z_stream stream{};

 private:
  bool ready_;
};

GzipDeflater::GzipDeflater() = default;
GzipDeflater::~GzipDeflater() = default;

std::string GzipDeflater::deflate(std::string_view plain) {
  if (!stream_) stream_ = std::make_unique<Stream>();
  if (!stream_->ready() || plain.size() > (1u << 30)) return {};
  z_stream& stream = stream_->stream;
  if (deflateReset(&stream) != Z_OK) return {};
  std::string out(plain.size(), '\0');
  stream.next_in = bytes_of(plain.data());
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = bytes_of(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  if (::deflate(&stream, Z_FINISH) != Z_STREAM_END) return {};
  out.resize(out.size() - stream.avail_out);
  return out;
}

}  // namespace vz::net
