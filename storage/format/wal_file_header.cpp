#include "storage/format/wal_file_header.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "storage/base/crc32c.h"

namespace vz::format {
namespace {

constexpr std::string_view kMagic = "vzwalog\n";
constexpr std::size_t kFieldsSize = 36;
constexpr std::size_t kCrcOffset = kWalFileHeaderSize - sizeof(std::uint32_t);
static_assert(kMagic.size() == 8);
static_assert(kMagic.size() + 4 + sizeof(Epoch) + sizeof(Lsn) + 8 + sizeof(BeyondRecords) ==
              kFieldsSize);

}  // namespace

Bytes encode_wal_file_header(const WalFileHeader& header) {
  Bytes out;
  out.reserve(kWalFileHeaderSize);
  ByteWriter writer(out);
  writer.raw(as_bytes(kMagic));
  writer.number(kWalFileVersion);
  writer.number(header.epoch);
  writer.number(header.first_lsn);
  writer.number(header.salt);
  writer.number(header.beyond);
  VZ_ASSERT(out.size() == kFieldsSize);
  out.resize(kCrcOffset);
  writer.number(crc32c(out));
  return out;
}

Result<WalFileHeader> decode_wal_file_header(ByteSpan bytes) {
  if (bytes.size() < kWalFileHeaderSize) {
    return fail(ErrorCode::kCorruption, "expected a log file header of 4096 bytes, found " +
                                            std::to_string(bytes.size()) + " bytes");
  }
  bytes = bytes.first(kWalFileHeaderSize);
  ByteReader reader(bytes);
  if (as_text(reader.raw(kMagic.size())) != kMagic)
    return fail(ErrorCode::kCorruption, "expected the magic of a log file, found other bytes");
  const std::uint32_t expected = crc32c(bytes.first(kCrcOffset));
  const auto found = load_number<std::uint32_t>(bytes.data() + kCrcOffset);
  if (expected != found) {
    return fail(ErrorCode::kCorruption, "expected log file header checksum " +
                                            std::to_string(expected) + ", found " +
                                            std::to_string(found));
  }
  const auto version = reader.number<std::uint32_t>();
  if (version > kWalFileVersion) {
    return fail(ErrorCode::kIncompatible, "log file format " + std::to_string(version) +
                                              "; this program knows formats up to 1");
  }
  WalFileHeader header;
  header.epoch = reader.number<Epoch>();
  header.first_lsn = reader.number<Lsn>();
  header.salt = reader.number<std::uint64_t>();
  header.beyond = reader.number<BeyondRecords>();
  const ByteSpan zero = bytes.subspan(kFieldsSize, kCrcOffset - kFieldsSize);
  if (version == 0 || header.epoch == 0 || header.first_lsn == 0 ||
      header.beyond > BeyondRecords::kAnything ||
      std::any_of(zero.begin(), zero.end(), [](std::byte b) { return b != std::byte{0}; })) {
    return fail(ErrorCode::kCorruption, "log file header with a right checksum over wrong fields");
  }
  return header;
}

}  // namespace vz::format
