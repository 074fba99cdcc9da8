// WAL records and file headers on bytes alone: what is written reads back, and nothing else does.
#include "storage/format/wal_record.h"

#include <catch2/catch.hpp>

#include "storage/base/crc32c.h"
#include "storage/format/wal_file_header.h"

using namespace vz;

namespace {

constexpr std::uint64_t kSalt = 0x0123456789ABCDEFull;

Bytes some_bytes(std::size_t size) {
  Bytes out(size);
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<std::byte>(i * 7 + 1);
  return out;
}

Bytes signed_record(ByteSpan payload, std::uint64_t salt = kSalt) {
  Bytes out;
  format::append_unsigned_wal_record({.lsn = 0x1122334455667788,
                                      .group_lsn = 0x1122334455667700,
                                      .time_us = -5,
                                      .epoch = 3,
                                      .collection = 0xA1A2A3A4A5A6A7A8,
                                      .kind = format::WalRecordKind::kAliases,
                                      .payload = payload},
                                     out);
  format::sign_wal_record(out, format::wal_crc_seed(salt));
  return out;
}

/// The record with one field changed and the checksum made right again.
Bytes resigned(Bytes record, std::size_t offset, std::byte value) {
  record[offset] = value;
  format::sign_wal_record(record, format::wal_crc_seed(kSalt));
  return record;
}

}  // namespace

TEST_CASE("wal record: decoding an encoded record gives it back, whatever the payload size") {
  for (std::size_t size = 0; size <= 40; ++size) {
    CAPTURE(size);
    const Bytes payload = some_bytes(size);
    Bytes bytes = signed_record(payload);
    CHECK(bytes.size() == format::wal_record_size(size));
    CHECK(bytes.size() % 8 == 0);
    bytes.resize(bytes.size() + 24, std::byte{0xEE});  // What follows is not looked at.

    const auto record = format::decode_wal_record(bytes, format::wal_crc_seed(kSalt));

    REQUIRE(record);
    CHECK(record->lsn == 0x1122334455667788);
    CHECK(record->group_lsn == 0x1122334455667700);
    CHECK(record->time_us == -5);
    CHECK(record->epoch == 3);
    CHECK(record->collection == 0xA1A2A3A4A5A6A7A8);
    CHECK(record->kind == format::WalRecordKind::kAliases);
    CHECK(Bytes(record->payload.begin(), record->payload.end()) == payload);
  }
}

TEST_CASE("wal record: the bytes stand where the layout says") {
  const Bytes bytes = signed_record(some_bytes(3));

  REQUIRE(bytes.size() == 56);
  CHECK(load_number<std::uint32_t>(&bytes[0]) ==
        crc32c(ByteSpan(bytes).subspan(4), format::wal_crc_seed(kSalt)));
  CHECK(load_number<std::uint32_t>(&bytes[4]) == 3);
  CHECK(load_number<std::uint64_t>(&bytes[8]) == 0x1122334455667788);
  CHECK(load_number<std::uint64_t>(&bytes[16]) == 0x1122334455667700);
  CHECK(load_number<std::int64_t>(&bytes[24]) == -5);
  CHECK(load_number<std::uint32_t>(&bytes[32]) == 3);
  CHECK(load_number<std::uint64_t>(&bytes[36]) == 0xA1A2A3A4A5A6A7A8);
  CHECK(bytes[44] == std::byte{4});
  CHECK(bytes[45] == std::byte{1});
  CHECK(load_number<std::uint16_t>(&bytes[46]) == 0);
  CHECK(bytes[48] == std::byte{1});
  for (std::size_t i = 51; i < 56; ++i) CHECK(bytes[i] == std::byte{0});
}

TEST_CASE("wal record: any flipped bit is corruption, in header, payload and padding") {
  const Bytes good = signed_record(some_bytes(21));
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    Bytes bad = good;
    bad[bit / 8] ^= static_cast<std::byte>(1u << (bit % 8));

    const auto record = format::decode_wal_record(bad, format::wal_crc_seed(kSalt));

    CAPTURE(bit);
    REQUIRE_FALSE(record);
    CHECK(record.error().code == ErrorCode::kCorruption);
  }
}

TEST_CASE("wal record: a record cut short at any byte is corruption") {
  const Bytes good = signed_record(some_bytes(21));
  for (std::size_t size = 0; size < good.size(); ++size) {
    const Bytes cut(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size));

    const auto record = format::decode_wal_record(cut, format::wal_crc_seed(kSalt));

    CAPTURE(size);
    REQUIRE_FALSE(record);
    CHECK(record.error().code == ErrorCode::kCorruption);
  }
}

TEST_CASE("wal record: a record under another salt is corruption, whichever bit differs") {
  const Bytes good = signed_record(some_bytes(21));
  for (unsigned bit = 0; bit < 64; ++bit) {
    const auto seed = format::wal_crc_seed(kSalt ^ (std::uint64_t{1} << bit));

    CAPTURE(bit);
    CHECK_FALSE(format::decode_wal_record(good, seed));
  }
}

TEST_CASE("wal record: wrong fields under a right checksum are told apart from newer ones") {
  const Bytes good = signed_record(some_bytes(21));
  const auto seed = format::wal_crc_seed(kSalt);
  const auto code = [&](std::size_t offset, unsigned value) {
    const auto record =
        format::decode_wal_record(resigned(good, offset, static_cast<std::byte>(value)), seed);
    REQUIRE_FALSE(record);
    return record.error().code;
  };

  CHECK(code(45, 2) == ErrorCode::kIncompatible);    // version
  CHECK(code(44, 200) == ErrorCode::kIncompatible);  // kind
  CHECK(code(45, 0) == ErrorCode::kCorruption);
  CHECK(code(44, 0) == ErrorCode::kCorruption);
  CHECK(code(46, 1) == ErrorCode::kCorruption);     // zero bytes
  CHECK(code(71, 1) == ErrorCode::kCorruption);     // padding
  CHECK(code(23, 0x12) == ErrorCode::kCorruption);  // group_lsn above lsn
}

TEST_CASE("wal file header: what is encoded reads back") {
  const format::WalFileHeader header{.epoch = 7,
                                     .first_lsn = 123456789012345,
                                     .salt = kSalt,
                                     .beyond = format::BeyondRecords::kAnything};

  const Bytes bytes = format::encode_wal_file_header(header);
  const auto decoded = format::decode_wal_file_header(bytes);

  REQUIRE(bytes.size() == 4096);
  REQUIRE(decoded);
  CHECK(decoded->epoch == 7);
  CHECK(decoded->first_lsn == 123456789012345);
  CHECK(decoded->salt == kSalt);
  CHECK(decoded->beyond == format::BeyondRecords::kAnything);
}

TEST_CASE("wal file header: any flipped bit and any cut is corruption") {
  const Bytes good = format::encode_wal_file_header({.epoch = 1, .first_lsn = 1, .salt = kSalt});
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    Bytes bad = good;
    bad[bit / 8] ^= static_cast<std::byte>(1u << (bit % 8));
    const auto decoded = format::decode_wal_file_header(bad);
    if (!decoded && decoded.error().code == ErrorCode::kCorruption) continue;
    FAIL("accepted with bit " << bit << " flipped");
  }
  for (std::size_t size = 0; size < good.size(); ++size) {
    const auto decoded = format::decode_wal_file_header(ByteSpan(good).first(size));
    if (!decoded && decoded.error().code == ErrorCode::kCorruption) continue;
    FAIL("accepted when cut to " << size << " bytes");
  }
}

TEST_CASE("wal file header: a newer version is incompatible, wrong fields are corruption") {
  const Bytes good = format::encode_wal_file_header({.epoch = 1, .first_lsn = 1, .salt = kSalt});
  const auto code = [&](std::size_t offset, unsigned value) {
    Bytes bytes = good;
    bytes[offset] = static_cast<std::byte>(value);
    store_number(&bytes[4092], crc32c(ByteSpan(bytes).first(4092)));
    const auto decoded = format::decode_wal_file_header(bytes);
    REQUIRE_FALSE(decoded);
    return decoded.error().code;
  };

  CHECK(code(8, 2) == ErrorCode::kIncompatible);
  CHECK(code(8, 0) == ErrorCode::kCorruption);
  CHECK(code(12, 0) == ErrorCode::kCorruption);    // epoch 0
  CHECK(code(16, 0) == ErrorCode::kCorruption);    // first lsn 0
  CHECK(code(32, 2) == ErrorCode::kCorruption);    // beyond
  CHECK(code(4000, 1) == ErrorCode::kCorruption);  // zero bytes
}
