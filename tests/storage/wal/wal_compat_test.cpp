// Log files of every format that was ever released are read for good, and format 1 is still written
// byte for byte. tests/compat/wal_v1.hex: "offset: 16 bytes in hex" for each line that is not zero.
#include <cstdlib>
#include <fstream>
#include <sstream>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "storage/base/crc32c.h"
#include "tests/storage/wal/log_kit.h"

using namespace vz;
using namespace vz::wal;
using namespace vz::wal::test;

namespace {

constexpr std::uint64_t kGoldenSalt = 0xFEDCBA9876543210ull;
const std::string kGoldenPath = std::string(VZ_SOURCE_DIR) + "/tests/compat/wal_v1.hex";

std::string to_hex(const Bytes& bytes) {
  std::string out;
  for (std::size_t at = 0; at < bytes.size(); at += 16) {
    std::string line;
    bool zero = true;
    for (std::size_t i = at; i < std::min(at + 16, bytes.size()); ++i) {
      line += fmt::format(" {:02x}", std::to_integer<unsigned>(bytes[i]));
      zero = zero && bytes[i] == std::byte{0};
    }
    if (!zero) out += fmt::format("{:06x}:{}\n", at, line);
  }
  return out + fmt::format("{:06x}:\n", bytes.size());
}

Bytes from_hex(const std::string& text) {
  Bytes out;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    out.resize(std::stoul(line.substr(0, 6), nullptr, 16));
    std::istringstream values(line.substr(7));
    for (std::string value; values >> value;)
      out.push_back(static_cast<std::byte>(std::stoul(value, nullptr, 16)));
  }
  return out;
}

std::string golden_text() {
  std::ifstream file(kGoldenPath);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

/// Two groups: one record without payload; then one of each kind.
Bytes written_now() {
  FaultEnv env;
  with_directory(env);
  auto writer = start_log(env, 1000, 2,
                          {.file_size_bytes = kFileSize, .make_salt = [] { return kGoldenSalt; }});
  writer->add(format::WalRecordKind::kDropCollection, 17, 1700000000000000, {});
  REQUIRE(writer->commit());
  for (std::uint8_t kind = 1; kind <= 5; ++kind)
    writer->add(static_cast<format::WalRecordKind>(kind), kind, 1700000000000000 + kind,
                payload_of(kind));
  REQUIRE(writer->commit());
  return file_bytes(env, log_path(2, 1000));
}

}  // namespace

TEST_CASE("compatibility: the log of format 1 is written as it was on its first day") {
  CHECK(to_hex(written_now()) == golden_text());
}

TEST_CASE("compatibility: a log file of format 1 is read") {
  FaultEnv env;
  with_directory(env);
  REQUIRE(env.put_file(log_path(2, 1000), from_hex(golden_text())));
  std::vector<std::string> seen;

  const auto summary = replay(env, kDirectory, 1000, 1005, [&](const format::WalRecord& record) {
    const Bytes payload(record.payload.begin(), record.payload.end());
    const bool same =
        record.lsn == 1000 ? payload.empty() : payload == payload_of(record.lsn - 1000);
    seen.push_back(fmt::format("{} {} {} {} {} {}", record.lsn, record.group_lsn, record.epoch,
                               record.collection, static_cast<int>(record.kind),
                               record.time_us - 1700000000000000));
    CHECK(same);
    return Status{};
  });

  REQUIRE(summary);
  CHECK(seen == std::vector<std::string>{"1000 1000 2 17 2 0", "1001 1001 2 1 1 1",
                                         "1002 1001 2 2 2 2", "1003 1001 2 3 3 3",
                                         "1004 1001 2 4 4 4", "1005 1001 2 5 5 5"});
  CHECK(summary->last_lsn == 1005);
  CHECK_FALSE(summary->torn_tail);
}

TEST_CASE("compatibility: a log file of a newer format is incompatible, not damaged", "[compat]") {
  Bytes bytes = from_hex(golden_text());
  bytes[8] = std::byte{2};
  store_number(&bytes[4092], crc32c(ByteSpan(bytes).first(4092)));
  FaultEnv env;
  with_directory(env);
  REQUIRE(env.put_file(log_path(2, 1000), bytes));

  const auto summary = read_back(env, 1000).summary;

  REQUIRE_FALSE(summary);
  CHECK(summary.error().code == ErrorCode::kIncompatible);
}

// Makes the golden file anew, for a new format only: VZ_WRITE_GOLDEN=1 test_storage_wal '[.golden]'
TEST_CASE("write the golden log file", "[.golden]") {
  REQUIRE(std::getenv("VZ_WRITE_GOLDEN") != nullptr);
  std::ofstream(kGoldenPath) << to_hex(written_now());
}
