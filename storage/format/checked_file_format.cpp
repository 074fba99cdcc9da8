#include "storage/format/checked_file_format.h"

#include <algorithm>
#include <string>

#include "storage/base/crc32c.h"

namespace vz::format {
namespace {

constexpr std::size_t kCrcOffset = kCheckedTrailerSize - sizeof(std::uint32_t);

/// "trailer: content_size: expected 5, found 7"
tl::unexpected<Error> wrong(std::string_view field, std::uint64_t expected, std::uint64_t found) {
  return fail(ErrorCode::kCorruption, "trailer: " + std::string(field) + ": expected " +
                                          std::to_string(expected) + ", found " +
                                          std::to_string(found));
}

}  // namespace

CheckedTrailerBytes encode(const CheckedTrailer& trailer) {
  Bytes bytes;
  bytes.reserve(kCheckedTrailerSize);
  ByteWriter out(bytes);
  out.raw(as_bytes(kCheckedFileMagic));
  out.number(kCheckedContainerNewest);
  out.number(trailer.version);
  out.number(trailer.kind);
  out.pad_to(16);
  out.number(trailer.content_size);
  out.number(checked_file_size(trailer.content_size));
  out.number(checked_block_count(trailer.content_size));
  out.number(static_cast<std::uint32_t>(kCheckedBlockSize));
  out.number(trailer.table_crc32c);
  while (out.size() < kCrcOffset) out.number(std::uint8_t{0});
  out.number(crc32c(bytes));

  CheckedTrailerBytes fixed{};
  std::copy(bytes.begin(), bytes.end(), fixed.begin());
  return fixed;
}

Result<CheckedTrailer> decode_checked_trailer(ByteSpan bytes, std::uint64_t file_size) {
  if (bytes.size() != kCheckedTrailerSize) return wrong("size", kCheckedTrailerSize, bytes.size());
  ByteReader in(bytes);
  if (as_text(in.raw(kCheckedFileMagic.size())) != kCheckedFileMagic) {
    return fail(ErrorCode::kCorruption,
                "trailer: the magic is missing: not a file of ours, or its end is lost");
  }
  CheckedTrailer trailer;
  const auto container = in.number<std::uint16_t>();
  trailer.version = in.number<std::uint16_t>();
  trailer.kind = in.number<std::uint8_t>();
  in.raw(3);
  trailer.content_size = in.number<std::uint64_t>();
  const auto recorded_size = in.number<std::uint64_t>();
  const auto block_count = in.number<std::uint64_t>();
  const auto block_size = in.number<std::uint32_t>();
  trailer.table_crc32c = in.number<std::uint32_t>();
  trailer.trailer_crc32c = load_number<std::uint32_t>(bytes.data() + kCrcOffset);

  const std::uint32_t computed = crc32c(bytes.first(kCrcOffset));
  if (computed != trailer.trailer_crc32c) return wrong("crc32c", trailer.trailer_crc32c, computed);
  if (container > kCheckedContainerNewest) {
    return fail(ErrorCode::kIncompatible, "container format " + std::to_string(container) +
                                              " is newer than this program's " +
                                              std::to_string(kCheckedContainerNewest));
  }
  if (container != kCheckedContainerNewest) {
    return wrong("container", kCheckedContainerNewest, container);
  }
  if (trailer.content_size > kCheckedContentSizeMax) {
    return wrong("content_size: at most", kCheckedContentSizeMax, trailer.content_size);
  }
  if (block_size != kCheckedBlockSize) return wrong("block_size", kCheckedBlockSize, block_size);
  if (block_count != checked_block_count(trailer.content_size)) {
    return wrong("block_count", checked_block_count(trailer.content_size), block_count);
  }
  if (recorded_size != checked_file_size(trailer.content_size)) {
    return wrong("file_size", checked_file_size(trailer.content_size), recorded_size);
  }
  if (recorded_size != file_size) return wrong("length of the file", recorded_size, file_size);
  return trailer;
}

}  // namespace vz::format
