// RESTORE on bytes alone: what is written reads back, no flipped bit and no cut is accepted, and
// the file of version 1 in tests/compat stays readable.
#include "storage/format/restore_format.h"

#include <cstdlib>
#include <cstring>
#include <fstream>

#include <catch2/catch.hpp>

using namespace vz;
using format::Restore;

namespace {

const std::string kGoldenPath = std::string(VZ_SOURCE_DIR) + "/tests/compat/restore_v1.hex";

Restore example() {
  Restore restore;
  for (int i = 0; i < 40; ++i) restore.manifest.push_back(static_cast<std::byte>(i * 7));
  restore.files = {{"collections/1/0001-00000001.index-3", 12345, {}},
                   {"collections/1/0001-00000001.seg", 1ull << 40, {}}};
  restore.files[0].sha256.fill(0x11);
  restore.files[1].sha256.fill(0xfe);
  return restore;
}

Bytes example_bytes() {
  auto bytes = format::encode(example());
  REQUIRE(bytes);
  return *bytes;
}

/// The checksum made right again after an edit.
Bytes signed_again(Bytes bytes) {
  Sha256 hash;
  const std::size_t body = bytes.size() - format::kRestoreDigestSize;
  hash.update(ByteSpan(bytes).first(body));
  const Sha256Digest digest = hash.finish();
  std::memcpy(bytes.data() + body, digest.data(), digest.size());
  return bytes;
}

ErrorCode refusal(const Bytes& bytes) {
  const auto decoded = format::decode_restore(bytes);
  REQUIRE_FALSE(decoded);
  return decoded.error().code;
}

std::string to_hex_lines(const Bytes& bytes) {
  std::string text = "# A RESTORE file, version 1.\n";
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    char digits[3];
    std::snprintf(digits, sizeof digits, "%02x", std::to_integer<unsigned>(bytes[at]));
    text += digits;
    if (at % 48 == 47 || at + 1 == bytes.size()) text += '\n';
  }
  return text;
}

Bytes golden() {
  std::ifstream in(kGoldenPath);
  REQUIRE(in);
  Bytes bytes;
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line[0] == '#') continue;
    for (std::size_t i = 0; i + 1 < line.size(); i += 2)
      bytes.push_back(static_cast<std::byte>(std::stoul(line.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

}  // namespace

TEST_CASE("restore format: decoding what was encoded gives it back", "[storage][format]") {
  const auto decoded = format::decode_restore(example_bytes());

  REQUIRE(decoded);
  CHECK(*decoded == example());
  const auto empty = format::encode(Restore{});
  REQUIRE(empty);
  CHECK(format::decode_restore(*empty) == Restore{});
}

TEST_CASE("restore format: any flipped bit is corruption", "[storage][format]") {
  const Bytes good = example_bytes();
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    Bytes bad = good;
    bad[bit / 8] ^= std::byte(1u << (bit % 8));

    INFO("flipped bit " << bit);
    REQUIRE(refusal(bad) == ErrorCode::kCorruption);
  }
}

TEST_CASE("restore format: cut short or extended it is corruption", "[storage][format]") {
  const Bytes good = example_bytes();
  for (std::size_t size = 0; size < good.size(); ++size) {
    INFO("kept " << size << " of " << good.size() << " bytes");
    REQUIRE(refusal(Bytes(good.begin(), good.begin() + static_cast<long>(size))) ==
            ErrorCode::kCorruption);
  }
  Bytes longer = good;
  longer.push_back(std::byte{0});
  CHECK(refusal(longer) == ErrorCode::kCorruption);
}

TEST_CASE("restore format: wrong numbers under a right checksum are refused", "[storage][format]") {
  const auto with = [](std::size_t offset, auto value) {
    Bytes bytes = example_bytes();
    store_number(bytes.data() + offset, value);
    return signed_again(std::move(bytes));
  };
  CHECK(refusal(with(8, std::uint32_t{2})) == ErrorCode::kIncompatible);
  CHECK(refusal(with(8, std::uint32_t{0})) == ErrorCode::kCorruption);
  CHECK(refusal(with(12, std::uint32_t{1})) == ErrorCode::kCorruption);
  CHECK(refusal(with(12, std::uint32_t{3})) == ErrorCode::kCorruption);
  CHECK(refusal(with(12, ~std::uint32_t{0})) == ErrorCode::kCorruption);
  CHECK(refusal(with(24, std::uint64_t{39})) == ErrorCode::kCorruption);
  CHECK(refusal(with(24, std::uint64_t{1} << 60)) == ErrorCode::kCorruption);
  CHECK(refusal(with(32 + 40, std::uint32_t{1} << 31)) == ErrorCode::kCorruption);
}

TEST_CASE("restore format: unordered, empty and long paths are not encoded", "[storage][format]") {
  for (const auto& paths : std::vector<std::vector<std::string>>{
           {"b", "a"}, {"a", "a"}, {""}, {std::string(256, 'x')}}) {
    Restore restore;
    for (const auto& path : paths) restore.files.push_back({path, 1, {}});

    const auto encoded = format::encode(restore);

    REQUIRE_FALSE(encoded);
    CHECK(encoded.error().code == ErrorCode::kOutOfRange);
  }
}

TEST_CASE("compatibility: RESTORE of version 1 is read, and written as on its first day",
          "[compat]") {
  CHECK(format::decode_restore(golden()) == example());
  CHECK(to_hex_lines(example_bytes()) == to_hex_lines(golden()));
}

// Makes the golden file, for a new version only: VZ_WRITE_GOLDEN=1 test_storage_format '[.golden]'
TEST_CASE("write the golden RESTORE", "[.golden]") {
  REQUIRE(std::getenv("VZ_WRITE_GOLDEN") != nullptr);
  std::ofstream(kGoldenPath) << to_hex_lines(example_bytes());
}
