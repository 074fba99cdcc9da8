#include "storage/archive/decompressor.h"

#include <array>
#include <cstring>
#include <optional>
#include <string>

#include <zlib.h>
#include <zstd.h>

namespace vz::archive {
namespace {

constexpr std::array<std::byte, 2> kGzipMagic = {std::byte{0x1f}, std::byte{0x8b}};
constexpr std::array<std::byte, 4> kZstdMagic = {std::byte{0x28}, std::byte{0xb5}, std::byte{0x2f},
                                                 std::byte{0xfd}};
constexpr int kGzipWindow = 15 + 16;  ///< the largest window; a gzip header and trailer, checked

/// What one call of a codec did.
struct Step {
  std::size_t taken = 0;
  std::size_t made = 0;
  bool ended = false;
};

class Codec {
 public:
  virtual ~Codec() = default;
  /// Errors: kCorruption.
  virtual Result<Step> step(ByteSpan in, std::span<std::byte> out) = 0;
};

class GzipCodec final : public Codec {
 public:
  GzipCodec() { VZ_ASSERT(::inflateInit2(&stream_, kGzipWindow) == Z_OK); }
  ~GzipCodec() override { ::inflateEnd(&stream_); }
  GzipCodec(const GzipCodec&) = delete;
  GzipCodec& operator=(const GzipCodec&) = delete;

  Result<Step> step(ByteSpan in, std::span<std::byte> out) override {
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(in.data()));
    stream_.avail_in = static_cast<uInt>(in.size());
    stream_.next_out = reinterpret_cast<Bytef*>(out.data());
    stream_.avail_out = static_cast<uInt>(out.size());
    const int code = ::inflate(&stream_, Z_NO_FLUSH);
    if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR) {
      return fail(ErrorCode::kCorruption,
                  std::string("damaged gzip stream: ") +
                      (stream_.msg == nullptr ? "it cannot be read" : stream_.msg));
    }
    return Step{in.size() - stream_.avail_in, out.size() - stream_.avail_out, code == Z_STREAM_END};
  }

 private:
  z_stream stream_{};
};

class ZstdCodec final : public Codec {
 public:
  ZstdCodec() : stream_(::ZSTD_createDStream(), ::ZSTD_freeDStream) {
    VZ_ASSERT(stream_ != nullptr);
  }
  Result<Step> step(ByteSpan in, std::span<std::byte> out) override {
    ZSTD_inBuffer from{in.data(), in.size(), 0};
    ZSTD_outBuffer to{out.data(), out.size(), 0};
    const std::size_t code = ::ZSTD_decompressStream(stream_.get(), &to, &from);
    if (::ZSTD_isError(code) != 0) {
      return fail(ErrorCode::kCorruption,
                  std::string("damaged zstd stream: ") + ::ZSTD_getErrorName(code));
    }
    return Step{from.pos, to.pos, code == 0};
  }

 private:
  std::unique_ptr<ZSTD_DStream, std::size_t (*)(ZSTD_DStream*)> stream_;
};

template <std::size_t N>
bool begins_with(ByteSpan bytes, const std::array<std::byte, N>& magic) {
  return bytes.size() >= N && std::memcmp(bytes.data(), magic.data(), N) == 0;
}

}  // namespace

struct Decompressor::State {
  State(ByteSource& from, const ArchiveLimits& bounds) : source(from), limits(bounds) {}

  /// More input into an empty buffer. False at the source's end.
  Result<bool> refill() {
    VZ_TRY_ASSIGN(const std::size_t got, source.read(buffer));
    rest = ByteSpan(buffer).first(got);
    compressed += got;
    return got > 0;
  }

  /// At least the first four bytes, as one span. Fewer if the source ends before.
  Status fill_head() {
    std::size_t have = 0;
    while (have < kZstdMagic.size()) {
      VZ_TRY_ASSIGN(const std::size_t got, source.read(std::span(buffer).subspan(have)));
      if (got == 0) break;
      have += got;
    }
    compressed = have;
    rest = ByteSpan(buffer).first(have);
    return {};
  }

  Status check_limits() const {
    if (plain > limits.plain_bytes) {
      return fail(ErrorCode::kTooLarge, "the archive unpacks to more than " +
                                            std::to_string(limits.plain_bytes) + " bytes");
    }
    if (plain > limits.ratio_from_bytes && plain / limits.ratio > compressed) {
      return fail(ErrorCode::kTooLarge, std::to_string(compressed) + " bytes unpack to more than " +
                                            std::to_string(limits.ratio) +
                                            " times as many: taken for a bomb");
    }
    return {};
  }

  Status require_end() {
    if (rest.empty()) VZ_TRY(refill());
    if (rest.empty()) return {};
    return fail(ErrorCode::kCorruption, "there are bytes behind the end of the compressed stream");
  }

  Result<std::size_t> read(std::span<std::byte> out) {
    std::size_t made = 0;
    while (made < out.size() && !ended) {
      // A codec that filled `out` may hold more than it has shown.
      if (rest.empty() && !pending) {
        VZ_TRY_ASSIGN(const bool more, refill());
        if (!more) {
          return fail(ErrorCode::kCorruption,
                      "the archive is cut short: its compressed stream ends "
                      "after " +
                          std::to_string(compressed) + " bytes");
        }
      }
      VZ_TRY_ASSIGN(const Step step, codec->step(rest, out.subspan(made)));
      rest = rest.subspan(step.taken);
      pending = step.made == out.size() - made;
      made += step.made;
      plain += step.made;
      ended = step.ended;
      VZ_TRY(check_limits());
      if (ended) VZ_TRY(require_end());
    }
    return made;
  }

  ByteSource& source;
  const ArchiveLimits limits;
  std::unique_ptr<Codec> codec;
  Bytes buffer = Bytes(kArchiveBlockBytes);
  ByteSpan rest;  ///< of the buffer, not yet used
  std::uint64_t compressed = 0;
  std::uint64_t plain = 0;
  bool pending = false;
  bool ended = false;
  std::optional<Error> failed;
};

Decompressor::Decompressor(std::unique_ptr<State> state) : state_(std::move(state)) {}
Decompressor::~Decompressor() = default;

Result<std::unique_ptr<Decompressor>> Decompressor::open(ByteSource& source,
                                                         const ArchiveLimits& limits) {
  auto state = std::make_unique<State>(source, limits);
  VZ_TRY(state->fill_head());
  if (begins_with(state->rest, kGzipMagic)) {
    state->codec = std::make_unique<GzipCodec>();
  } else if (begins_with(state->rest, kZstdMagic)) {
    state->codec = std::make_unique<ZstdCodec>();
  } else {
    return fail(ErrorCode::kNoData,
                "this is no snapshot archive: it begins neither as gzip nor as "
                "zstd");
  }
  return std::unique_ptr<Decompressor>(new Decompressor(std::move(state)));
}

Result<std::size_t> Decompressor::read(std::span<std::byte> out) {
  if (state_->failed) return tl::unexpected<Error>(*state_->failed);
  auto got = state_->read(out);
  if (!got) state_->failed = got.error();
  return got;
}

}  // namespace vz::archive
