#include "storage/segment/payload_block.h"

#include <algorithm>
#include <memory>

#include <zstd.h>

#include "storage/base/crc32c.h"

namespace vz::segment {
namespace {

/// Reading one row decompresses its block: some 20 us of processor time for 16 KiB (zstd 1.5.4,
/// JSON of 200 bytes a row, stored at 22 % of its size). Larger blocks gain ratio and lose that
/// time.
constexpr std::size_t kRawTarget = 16u << 10;
constexpr std::string_view kNoPayload = "{}";
constexpr std::size_t kUuidSize = 16;
constexpr std::size_t kNumberSize = 8;

enum class Codec : std::uint8_t { kStored = 0, kZstd = 1 };  // On disk: never renumber.

tl::unexpected<Error> damaged(const std::string& what) {
  return fail(ErrorCode::kCorruption, "payload block: " + what);
}

struct Head {
  std::uint32_t crc = 0;
  std::uint32_t size = 0;
  std::uint32_t first_row = 0;
  std::uint32_t row_count = 0;
  std::uint32_t number_count = 0;
  std::uint32_t raw_size = 0;
  std::uint8_t codec = 0;
  [[nodiscard]] std::size_t ids_size() const {
    return std::size_t{number_count} * kNumberSize +
           std::size_t{row_count - number_count} * kUuidSize;
  }
};

/// Afterwards every number of the head is within its bounds.
Result<Head> decode_head(ByteSpan bytes) {
  ByteReader in(bytes);
  if (as_text(in.raw(format::kPayloadBlockMagic.size())) != format::kPayloadBlockMagic) {
    return damaged("the magic is missing");
  }
  Head head;
  head.crc = in.number<std::uint32_t>();
  head.size = in.number<std::uint32_t>();
  head.first_row = in.number<std::uint32_t>();
  head.row_count = in.number<std::uint32_t>();
  head.number_count = in.number<std::uint32_t>();
  head.raw_size = in.number<std::uint32_t>();
  head.codec = in.number<std::uint8_t>();
  in.raw(3);
  if (!in.ok() || head.size > bytes.size()) return damaged("it ends early");
  if (head.row_count == 0 || head.row_count > format::kPayloadRowsMax) {
    return damaged("row_count: expected 1 .. " + std::to_string(format::kPayloadRowsMax) +
                   ", found " + std::to_string(head.row_count));
  }
  if (head.number_count > head.row_count) return damaged("more numbers than rows");
  if (head.raw_size > format::kPayloadRawSizeMax ||
      head.raw_size < head.row_count * sizeof(std::uint32_t)) {
    return damaged("raw_size " + std::to_string(head.raw_size) + " is out of bounds");
  }
  if (head.size < format::kPayloadHeadSize + head.ids_size()) return damaged("no room for the ids");
  return head;
}

struct FreeContext {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

/// One context per thread: making one costs more than decompressing a block.
ZSTD_DCtx* decompressor() {
  thread_local const std::unique_ptr<ZSTD_DCtx, FreeContext> context(ZSTD_createDCtx());
  return context.get();
}

Result<Bytes> decode_data(const Head& head, ByteSpan data) {
  if (head.codec == static_cast<std::uint8_t>(Codec::kStored)) {
    if (data.size() != head.raw_size) {
      return damaged("expected " + std::to_string(head.raw_size) + " bytes of data, found " +
                     std::to_string(data.size()));
    }
    return Bytes(data.begin(), data.end());
  }
  if (head.codec != static_cast<std::uint8_t>(Codec::kZstd)) {
    return damaged("unknown codec " + std::to_string(head.codec));
  }
  // The frame says its size too: then a small lie does not make us allocate 64 MiB.
  if (ZSTD_getFrameContentSize(data.data(), data.size()) != head.raw_size) {
    return damaged("the zstd frame has another size than the head says");
  }
  ZSTD_DCtx* context = decompressor();
  if (context == nullptr) return fail(ErrorCode::kInternal, "zstd: out of memory");
  Bytes raw(head.raw_size);
  const std::size_t size =
      ZSTD_decompressDCtx(context, raw.data(), raw.size(), data.data(), data.size());
  if (ZSTD_isError(size) != 0) return damaged(std::string("zstd: ") + ZSTD_getErrorName(size));
  if (size != raw.size()) return damaged("the zstd frame ends early");
  return raw;
}

}  // namespace

struct PayloadBlockBuilder::Compressor {
  ZSTD_CCtx* context = ZSTD_createCCtx();
  Compressor() = default;
  Compressor(const Compressor&) = delete;
  Compressor& operator=(const Compressor&) = delete;
  ~Compressor() { ZSTD_freeCCtx(context); }
};

PayloadBlockBuilder::PayloadBlockBuilder(int zstd_level)
    : zstd_level_(std::clamp(zstd_level, 0, ZSTD_maxCLevel())),
      compressor_(std::make_unique<Compressor>()) {}
PayloadBlockBuilder::~PayloadBlockBuilder() = default;

Status PayloadBlockBuilder::add(const PointId& id, std::string_view text) {
  if (text == kNoPayload) text = {};
  if (text.size() > format::kPayloadSizeMax) {
    return fail(ErrorCode::kTooLarge, "payload of point " + id.to_string() + ": expected at most " +
                                          std::to_string(format::kPayloadSizeMax) +
                                          " bytes, found " + std::to_string(text.size()));
  }
  ByteWriter ids(ids_);
  if (id.is_number()) {
    ++number_count_;
  } else {
    ids.number(id.high);
  }
  ids.number(id.low);
  sizes_.push_back(static_cast<std::uint32_t>(text.size()));
  texts_.append(text);
  return {};
}

bool PayloadBlockBuilder::full() const {
  return texts_.size() + sizes_.size() * sizeof(std::uint32_t) >= kRawTarget ||
         sizes_.size() >= format::kPayloadRowsMax;
}

Result<PayloadBlockBuilder::Data> PayloadBlockBuilder::encode_data() {
  Bytes raw;
  ByteWriter out(raw);
  out.numbers(std::span<const std::uint32_t>(sizes_));
  out.raw(as_bytes(texts_));
  const auto stored = static_cast<std::uint8_t>(Codec::kStored);
  if (zstd_level_ == 0) return Data{stored, std::move(raw)};
  if (compressor_->context == nullptr) return fail(ErrorCode::kInternal, "zstd: out of memory");
  Bytes packed(ZSTD_compressBound(raw.size()));
  const std::size_t size = ZSTD_compressCCtx(compressor_->context, packed.data(), packed.size(),
                                             raw.data(), raw.size(), zstd_level_);
  if (ZSTD_isError(size) != 0) {
    return fail(ErrorCode::kInternal, std::string("zstd: ") + ZSTD_getErrorName(size));
  }
  // If nothing was gained, the reader is spared the work.
  if (size >= raw.size()) return Data{stored, std::move(raw)};
  packed.resize(size);
  return Data{static_cast<std::uint8_t>(Codec::kZstd), std::move(packed)};
}

Result<Bytes> PayloadBlockBuilder::finish(std::uint32_t first_row) {
  VZ_ASSERT(!empty() && sizes_.size() <= format::kPayloadRowsMax);
  VZ_TRY_ASSIGN(const Data data, encode_data());

  Bytes block;
  block.reserve(format::kPayloadHeadSize + ids_.size() + data.bytes.size());
  ByteWriter out(block);
  out.raw(as_bytes(format::kPayloadBlockMagic));
  out.number(std::uint32_t{0});  // The checksum, below.
  out.number(
      static_cast<std::uint32_t>(format::kPayloadHeadSize + ids_.size() + data.bytes.size()));
  out.number(first_row);
  out.number(static_cast<std::uint32_t>(sizes_.size()));
  out.number(number_count_);
  out.number(static_cast<std::uint32_t>(sizes_.size() * sizeof(std::uint32_t) + texts_.size()));
  out.number(data.codec);
  out.pad_to(format::kPayloadHeadSize);
  out.raw(ids_);
  out.raw(data.bytes);
  store_number(block.data() + 4, crc32c(ByteSpan(block).subspan(8)));

  sizes_.clear();
  number_count_ = 0;
  ids_.clear();
  texts_.clear();
  return block;
}

Result<PayloadBlock> PayloadBlock::decode(ByteSpan bytes) {
  VZ_TRY_ASSIGN(const Head head, decode_head(bytes));
  if (head.size != bytes.size()) return damaged("its size is not that of the payload table");
  const ByteSpan ids = bytes.subspan(format::kPayloadHeadSize, head.ids_size());
  PayloadBlock block;
  block.first_row_ = head.first_row;
  block.number_count_ = head.number_count;
  block.ids_.assign(ids.begin(), ids.end());
  VZ_TRY_ASSIGN(block.raw_,
                decode_data(head, bytes.subspan(format::kPayloadHeadSize + ids.size())));
  block.ends_.resize(head.row_count);
  std::uint64_t end = head.row_count * sizeof(std::uint32_t);
  for (std::uint32_t row = 0; row < head.row_count; ++row) {
    end += load_number<std::uint32_t>(block.raw_.data() + row * sizeof(std::uint32_t));
    if (end > head.raw_size) return damaged("its texts are longer than the block");
    block.ends_[row] = static_cast<std::uint32_t>(end);
  }
  if (end != head.raw_size) return damaged("its texts are shorter than the block");
  return block;
}

Result<PayloadBlock> PayloadBlock::salvage(ByteSpan bytes) {
  VZ_TRY_ASSIGN(const Head head, decode_head(bytes));
  const ByteSpan block = bytes.first(head.size);
  if (crc32c(block.subspan(8)) != head.crc) return damaged("wrong crc32c");
  return decode(block);
}

std::string_view PayloadBlock::text(std::uint32_t row) const {
  VZ_ASSERT(row < ends_.size());
  const std::size_t begin = row == 0 ? ends_.size() * sizeof(std::uint32_t) : ends_[row - 1];
  if (ends_[row] == begin) return kNoPayload;
  return as_text(ByteSpan(raw_).subspan(begin, ends_[row] - begin));
}

PointId PayloadBlock::id(std::uint32_t row) const {
  VZ_ASSERT(row < ends_.size());
  if (row < number_count_) {
    return PointId::number(load_number<std::uint64_t>(ids_.data() + row * kNumberSize));
  }
  const std::byte* at =
      ids_.data() + number_count_ * kNumberSize + (row - number_count_) * kUuidSize;
  return PointId::uuid(load_number<std::uint64_t>(at), load_number<std::uint64_t>(at + 8));
}

std::uint64_t PayloadBlock::memory_bytes() const {
  return ids_.capacity() + raw_.capacity() + ends_.capacity() * sizeof(std::uint32_t);
}

}  // namespace vz::segment
