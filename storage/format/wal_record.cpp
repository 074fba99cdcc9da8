#include "storage/format/wal_record.h"

#include <string>

#include "storage/base/crc32c.h"

namespace vz::format {

namespace at = wal_record_offset;

std::uint32_t wal_crc_seed(std::uint64_t salt) {
  std::byte bytes[sizeof salt];
  store_number(bytes, salt);
  return crc32c(bytes);
}

void append_unsigned_wal_record(const WalRecord& record, Bytes& out) {
  VZ_ASSERT(record.payload.size() <= kWalPayloadSizeMax);
  const std::size_t start = out.size();
  ByteWriter writer(out);
  writer.number(std::uint32_t{0});  // The checksum.
  writer.number(static_cast<std::uint32_t>(record.payload.size()));
  writer.number(record.lsn);
  writer.number(record.group_lsn);
  writer.number(record.time_us);
  writer.number(record.epoch);
  writer.number(record.collection);
  writer.number(record.kind);
  writer.number(kWalRecordVersion);
  writer.number(std::uint16_t{0});
  VZ_ASSERT(out.size() - start == kWalRecordHeaderSize);
  writer.raw(record.payload);
  out.resize(start + wal_record_size(record.payload.size()));
}

void sign_wal_record(std::span<std::byte> record, std::uint32_t seed) {
  store_number(record.data(), crc32c(record.subspan(at::kPayloadSize), seed));
}

Result<WalRecord> decode_wal_record(ByteSpan bytes, std::uint32_t seed) {
  if (bytes.size() < kWalRecordHeaderSize) {
    return fail(ErrorCode::kCorruption, "expected a record header of 48 bytes, found " +
                                            std::to_string(bytes.size()) + " bytes");
  }
  const std::byte* data = bytes.data();
  const auto payload_size = load_number<std::uint32_t>(data + at::kPayloadSize);
  if (payload_size > kWalPayloadSizeMax || wal_record_size(payload_size) > bytes.size()) {
    return fail(ErrorCode::kCorruption, "expected a record, found a payload size of " +
                                            std::to_string(payload_size) +
                                            ", more than there is room for");
  }
  const auto expected = crc32c(bytes.first(wal_record_size(payload_size)).subspan(4), seed);
  const auto found = load_number<std::uint32_t>(data + at::kCrc);
  if (expected != found) {
    return fail(ErrorCode::kCorruption, "expected record checksum " + std::to_string(expected) +
                                            ", found " + std::to_string(found));
  }
  const WalRecord record{
      .lsn = load_number<Lsn>(data + at::kLsn),
      .group_lsn = load_number<Lsn>(data + at::kGroupLsn),
      .time_us = load_number<std::int64_t>(data + at::kTime),
      .epoch = load_number<Epoch>(data + at::kEpoch),
      .collection = load_number<CollectionId>(data + at::kCollection),
      .kind = load_number<WalRecordKind>(data + at::kKind),
      .payload = bytes.subspan(kWalRecordHeaderSize, payload_size),
  };
  const auto version = load_number<std::uint8_t>(data + at::kVersion);
  if (version > kWalRecordVersion || !is_known(record.kind)) {
    return fail(ErrorCode::kIncompatible,
                "record " + std::to_string(record.lsn) + " has version " + std::to_string(version) +
                    " and kind " + std::to_string(static_cast<unsigned>(record.kind)) +
                    "; this program knows version 1 and kinds up to " +
                    std::to_string(static_cast<unsigned>(kWalRecordKindLast)));
  }
  bool zero = load_number<std::uint16_t>(data + at::kZero) == 0;
  for (std::size_t i = kWalRecordHeaderSize + payload_size; i < wal_record_size(payload_size); ++i)
    zero = zero && data[i] == std::byte{0};
  if (version == 0 || record.kind == WalRecordKind{0} || record.group_lsn == 0 ||
      record.group_lsn > record.lsn || !zero) {
    return fail(ErrorCode::kCorruption,
                "record " + std::to_string(record.lsn) + " has a right checksum over wrong fields");
  }
  return record;
}

}  // namespace vz::format
