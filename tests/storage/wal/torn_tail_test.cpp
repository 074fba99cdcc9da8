// Where the log ends: a torn tail is cut, damage with proof that it was durable is corruption (P3).
#include <algorithm>
#include <chrono>

#include <catch2/catch.hpp>

#include "storage/base/crc32c.h"
#include "storage/wal/crc_ranges.h"
#include "storage/wal/log_scan.h"
#include "tests/storage/wal/log_kit.h"

using namespace vz;
using namespace vz::wal;
using namespace vz::wal::test;

namespace {

const std::string kKeep = "/data/quarantine/tail";

/// One file of six groups of three records; records 16 .. 18 are the last group.
struct SmallLog {
  FaultEnv env;
  std::string path = log_path(1, 1);
  Bytes bytes;
  std::vector<Place> records;

  SmallLog() {
    with_directory(env);
    REQUIRE(env.make_directory("/data/quarantine"));
    auto writer = start_log(env);
    for (int group = 0; group < 6; ++group) REQUIRE(commit_group(*writer, 3));
    bytes = file_bytes(env, path);
    records = places(env, log_files(env).front());
    REQUIRE(records.size() == 18);
  }
  [[nodiscard]] std::uint64_t end() const { return records.back().offset + records.back().size; }
  [[nodiscard]] std::uint64_t last_group() const { return records[15].offset; }
};

void zero(Bytes& bytes, std::uint64_t from, std::uint64_t to) {
  for (std::uint64_t i = from; i < to; ++i) bytes[i] = std::byte{0};
}

/// Cuts what replay reports and checks that the log goes on.
void cut_and_go_on(FaultEnv& env, const ReadBack& read) {
  const TornTail& tail = *read.summary->torn_tail;
  const Bytes before = file_bytes(env, tail.path);
  REQUIRE(cut_torn_tail(env, tail, kKeep));
  CHECK(file_bytes(env, kKeep) ==
        Bytes(before.begin() + static_cast<std::ptrdiff_t>(tail.offset),
              before.begin() + static_cast<std::ptrdiff_t>(tail.offset + tail.size)));
  CHECK(file_bytes(env, tail.path).size() == tail.offset);
  REQUIRE(cut_torn_tail(env, tail, kKeep));  // Again, as after a crash: nothing more happens.
  CHECK(file_bytes(env, kKeep).size() == tail.size);

  const auto cut = read_back(env);
  REQUIRE(cut.summary);
  CHECK(cut.lsns == read.lsns);
  CHECK_FALSE(cut.summary->torn_tail);
  const Lsn next = cut.summary->last_lsn + 1;
  REQUIRE(commit_group(*start_log(env, next), 2));
  const auto again = read_back(env);
  REQUIRE(again.summary);
  CHECK(again.lsns == lsns_between(1, next + 1));
  REQUIRE(env.remove(log_path(1, next)));
}

}  // namespace

TEST_CASE("torn tail: the last group cut at any byte leaves the records before the cut") {
  SmallLog log;
  for (std::uint64_t cut = log.last_group(); cut <= log.end(); ++cut) {
    CAPTURE(cut);
    Lsn last = 15;
    while (last < 18 && log.records[last].offset + log.records[last].size <= cut) ++last;
    Bytes zeroed = log.bytes;
    zero(zeroed, cut, log.end());
    Bytes shortened(log.bytes.begin(), log.bytes.begin() + static_cast<std::ptrdiff_t>(cut));
    for (const Bytes& bytes : {zeroed, shortened}) {
      REQUIRE(log.env.put_file(log.path, bytes));

      const auto read = read_back(log.env);

      REQUIRE(read.summary);
      // Zero padding may stand for itself: then a record is whole although its end was cut off.
      REQUIRE(read.summary->last_lsn >= last);
      CHECK(read.lsns == lsns_between(1, read.summary->last_lsn));
      CHECK(read.problem.empty());
      if (cut == log.last_group() || cut == log.end()) CHECK_FALSE(read.summary->torn_tail);
      if (!read.summary->torn_tail) continue;
      CHECK(read.summary->torn_tail->lsn == read.summary->last_lsn + 1);
      CHECK(read.summary->torn_tail->path == log.path);
      if (cut % 16 == 0) cut_and_go_on(log.env, read);
    }
  }
}

TEST_CASE("torn tail: sectors of the last group that arrived without earlier ones are cut too") {
  SmallLog log;
  for (std::size_t lost = 15; lost < 18; ++lost) {
    CAPTURE(lost);
    Bytes bytes = log.bytes;
    zero(bytes, log.records[lost].offset, log.records[lost].offset + 40);
    REQUIRE(log.env.put_file(log.path, bytes));

    const auto read = read_back(log.env);

    REQUIRE(read.summary);
    CHECK(read.lsns == lsns_between(1, lost));
    REQUIRE(read.summary->torn_tail);
    CHECK(read.summary->torn_tail->offset == log.records[lost].offset);
    CHECK(read.summary->torn_tail->lsn == lost + 1);
    CHECK(read.summary->torn_tail->offset + read.summary->torn_tail->size <= log.end());
    cut_and_go_on(log.env, read);
  }
}

TEST_CASE("corruption: any damaged byte before the last group is refused, naming the place") {
  SmallLog log;
  for (std::size_t index = 0; index < 15; ++index) {
    const Place& record = log.records[index];
    for (std::uint64_t byte = 0; byte < record.size; ++byte) {
      Bytes bytes = log.bytes;
      bytes[record.offset + byte] ^= static_cast<std::byte>(1u << (byte % 8));
      REQUIRE(log.env.put_file(log.path, bytes));

      const auto read = read_back(log.env);

      CAPTURE(index, byte);
      REQUIRE_FALSE(read.summary);
      REQUIRE(read.summary.error().code == ErrorCode::kCorruption);
      const std::string& message = read.summary.error().message;
      CHECK(message.find(log.path + " at " + std::to_string(record.offset)) != std::string::npos);
      CHECK(message.find("expected record " + std::to_string(record.lsn)) != std::string::npos);
    }
  }
}

TEST_CASE("corruption: whole groups zeroed before the last one are refused") {
  SmallLog log;
  for (std::size_t from = 0; from < 15; from += 3) {
    for (std::size_t to = from + 3; to <= 15; to += 3) {
      CAPTURE(from, to);
      Bytes bytes = log.bytes;
      zero(bytes, log.records[from].offset, log.records[to].offset);
      REQUIRE(log.env.put_file(log.path, bytes));

      const auto read = read_back(log.env);

      REQUIRE_FALSE(read.summary);
      CHECK(read.summary.error().code == ErrorCode::kCorruption);
    }
  }
}

TEST_CASE("corruption: after a clean shutdown damage in the last group is refused too") {
  SmallLog log;
  for (std::uint64_t byte = log.last_group(); byte < log.end(); ++byte) {
    CAPTURE(byte);
    Bytes bytes = log.bytes;
    bytes[byte] ^= std::byte{0x10};
    REQUIRE(log.env.put_file(log.path, bytes));

    CHECK(read_back(log.env).summary);
    const auto read = read_back(log.env, 1, 18);
    REQUIRE_FALSE(read.summary);
    CHECK(read.summary.error().code == ErrorCode::kCorruption);
  }
}

TEST_CASE("corruption: a damaged last group of a file is refused when a later file exists") {
  SmallLog log;
  REQUIRE(commit_group(*start_log(log.env, 19), 1));
  for (std::uint64_t byte = log.last_group(); byte < log.end(); ++byte) {
    CAPTURE(byte);
    Bytes bytes = log.bytes;
    bytes[byte] ^= std::byte{0x10};
    REQUIRE(log.env.put_file(log.path, bytes));
    const auto read = read_back(log.env);
    REQUIRE_FALSE(read.summary);
    CHECK(read.summary.error().code == ErrorCode::kCorruption);
  }

  // A file is begun only when all before it is durable: its mere presence is the proof.
  REQUIRE(log.env.remove(log_path(1, 19)));
  REQUIRE(log.env.put_file(log.path, log.bytes));
  { auto writer = start_log(log.env, 19); }
  CHECK(read_back(log.env).lsns == lsns_between(1, 18));
  REQUIRE(log.env.flip_bit(log.path, log.last_group() + 9, 3));
  CHECK(read_back(log.env).summary.error().code == ErrorCode::kCorruption);
}

TEST_CASE("corruption: a gap before a new epoch does not hide damage") {
  SmallLog log;
  REQUIRE(commit_group(*start_log(log.env, 100, 2), 1));
  REQUIRE(read_back(log.env).summary);

  REQUIRE(log.env.flip_bit(log.path, log.records[4].offset + 9, 3));

  CHECK(read_back(log.env).summary.error().code == ErrorCode::kCorruption);
}

TEST_CASE("corruption: a missing, renamed, swapped or headless file is refused") {
  FaultEnv env;
  with_directory(env);
  auto writer = start_log(env);
  for (int group = 0; group < 60; ++group) REQUIRE(commit_group(*writer, 3));
  const auto files = log_files(env);
  REQUIRE(files.size() >= 4);
  std::vector<Bytes> good;
  for (const auto& file : files) good.push_back(file_bytes(env, file.path));
  const auto code = [&] {
    const auto read = read_back(env);
    return read.summary ? std::string("read")
                        : std::string(error_code_name(read.summary.error().code));
  };

  for (std::size_t i = 0; i < files.size(); ++i) {
    CAPTURE(i);
    const bool is_last = i + 1 == files.size();
    REQUIRE(env.remove(files[i].path));
    // Without a clean shutdown's lsn nobody can know of the last file.
    CHECK(code() == (is_last ? "read" : "corruption"));
    CHECK(read_back(env, 1, 180).summary.error().code == ErrorCode::kCorruption);
    for (const std::uint64_t size : {0, 1, 4095}) {
      REQUIRE(env.put_file(files[i].path, ByteSpan(good[i]).first(size)));
      CHECK(code() == "corruption");
    }
    REQUIRE(env.put_file(files[i].path, Bytes(kFileSize)));
    CHECK(code() == "corruption");
    REQUIRE(env.put_file(files[i].path, good[(i + 1) % files.size()]));
    CHECK(code() == "corruption");
    REQUIRE(env.put_file(files[i].path, good[i]));
    for (const std::uint64_t offset : {0, 8, 13, 17, 25, 32, 40, 4095}) {
      REQUIRE(env.flip_bit(files[i].path, offset, 1));
      CHECK(code() == "corruption");
      REQUIRE(env.flip_bit(files[i].path, offset, 1));
    }
    CHECK(code() == "read");
  }
}

TEST_CASE("corruption: a valid record that cannot stand at its place is refused") {
  SmallLog log;
  Bytes bytes = log.bytes;  // Record 18 once more, behind the end.
  const Place& last = log.records.back();
  std::copy_n(log.bytes.begin() + static_cast<std::ptrdiff_t>(last.offset), last.size,
              bytes.begin() + static_cast<std::ptrdiff_t>(log.end()));
  REQUIRE(log.env.put_file(log.path, bytes));

  const auto read = read_back(log.env);

  REQUIRE_FALSE(read.summary);
  CHECK(read.summary.error().code == ErrorCode::kCorruption);
  CHECK(read.summary.error().message.find("expected record 19") != std::string::npos);
}

TEST_CASE("salt: a payload that imitates a later record proves nothing without the salt") {
  const std::uint64_t salt = 0xC0FFEE;
  for (const std::uint64_t guess : {std::uint64_t{0}, std::uint64_t{1}, salt}) {
    CAPTURE(guess);
    FaultEnv env;
    with_directory(env);
    auto writer =
        start_log(env, 1, 1, {.file_size_bytes = kFileSize, .make_salt = [&] { return salt; }});
    REQUIRE(commit_group(*writer, 2));
    Bytes fake;  // What a client sends as record 3: the image of record 5, group 5.
    format::append_unsigned_wal_record({.lsn = 5, .group_lsn = 5, .epoch = 1}, fake);
    format::sign_wal_record(fake, format::wal_crc_seed(guess));
    Bytes payload(256);
    std::copy(fake.begin(), fake.end(), payload.begin() + 128);
    writer->add(format::WalRecordKind::kPoints, 1, 0, payload);
    REQUIRE(writer->commit());
    const auto record = places(env, log_files(env).front()).back();
    REQUIRE(env.flip_bit(log_path(1, 1), record.offset + 60, 0));  // Its write was torn.

    const auto read = read_back(env);

    if (guess == salt) {  // The control: with the salt it would be believed.
      REQUIRE_FALSE(read.summary);
      CHECK(read.summary.error().code == ErrorCode::kCorruption);
    } else {
      REQUIRE(read.summary);
      CHECK(read.lsns == lsns_between(1, 2));
      CHECK(read.summary->torn_tail->lsn == 3);
    }
  }
}

TEST_CASE("salt: each file has another one") {
  FaultEnv env;
  with_directory(env);
  auto writer = start_log(env);
  for (int group = 0; group < 60; ++group) REQUIRE(commit_group(*writer, 3));
  std::vector<std::uint64_t> salts;
  for (const auto& file : log_files(env))
    salts.push_back(LogFileReader::open(env, file)->header().salt);
  std::sort(salts.begin(), salts.end());
  CHECK(salts.size() >= 4);
  CHECK(std::adjacent_find(salts.begin(), salts.end()) == salts.end());
}

TEST_CASE("recycled file: a torn group is reported, a former life's bytes are not") {
  FaultEnv env;
  with_directory(env);
  REQUIRE(env.make_directory("/data/quarantine"));
  auto writer = start_log(env);
  while (log_files(env).size() < 3) REQUIRE(commit_group(*writer, 3));
  REQUIRE(writer->remove_below(writer->next_lsn()));
  while (log_files(env).size() < 2) REQUIRE(commit_group(*writer, 3));
  const auto file = log_files(env).back();
  REQUIRE(LogFileReader::open(env, file)->header().beyond == format::BeyondRecords::kAnything);
  REQUIRE(commit_group(*writer, 3));
  const Lsn from = log_files(env).front().first_lsn;
  REQUIRE_FALSE(read_back(env, from).summary->torn_tail);
  const auto records = places(env, file);
  const auto& lost = records[records.size() - 2];
  const auto& after = records[records.size() - 1];

  REQUIRE(env.flip_bit(file.path, lost.offset + 44, 6));
  const auto read = read_back(env, from);

  REQUIRE(read.summary);
  REQUIRE(read.summary->torn_tail);
  CHECK(read.summary->torn_tail->lsn == lost.lsn);
  CHECK(read.summary->torn_tail->offset == lost.offset);
  CHECK(read.summary->torn_tail->size == lost.size + after.size);
  REQUIRE(cut_torn_tail(env, *read.summary->torn_tail, kKeep));
  REQUIRE(commit_group(*start_log(env, lost.lsn), 4));
  const auto again = read_back(env, from);
  REQUIRE(again.summary);
  CHECK(again.lsns == lsns_between(from, lost.lsn + 3));
}

TEST_CASE("cut: a description that does not fit the log changes nothing") {
  SmallLog log;
  REQUIRE(commit_group(*start_log(log.env, 19), 1));
  const TornTail wrong{log.path, log.records[10].offset, 100, log.records[10].lsn};

  const auto cut = cut_torn_tail(log.env, wrong, kKeep);

  REQUIRE_FALSE(cut);
  CHECK(cut.error().code == ErrorCode::kFailedPrecondition);
  CHECK(read_back(log.env).lsns == lsns_between(1, 19));
  CHECK_FALSE(log.env.exists(kKeep));
}

TEST_CASE("crc ranges: equal to the checksum of the bytes, for every range and seed") {
  Bytes bytes(1500);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i * i + 3 * i);
  const CrcRanges ranges(bytes);
  for (std::size_t begin = 0; begin <= bytes.size(); begin += 13) {
    for (std::size_t end = begin; end <= bytes.size(); end += 37) {
      for (const std::uint32_t seed : {0u, 1u, 0xFFFFFFFFu, 0x12345678u}) {
        if (ranges.crc(begin, end, seed) ==
            crc32c(ByteSpan(bytes).subspan(begin, end - begin), seed))
          continue;
        FAIL("range " << begin << " .. " << end << " seed " << seed);
      }
    }
  }
}

TEST_CASE("scan: neither empty space nor hostile bytes make it slow") {
  const auto seconds = [](const Bytes& file) {
    const auto begin = std::chrono::steady_clock::now();
    const Beyond beyond = scan_beyond(file, {4096, 10, 1}, 42);
    CHECK_FALSE(beyond.proof);
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  };
  const double empty = seconds(Bytes(64u << 20));
  // Every 48 bytes a header that claims the rest of the file: 100 GB, were each one read through.
  Bytes hostile(4u << 20);
  for (std::size_t at = 4104; at + 48 <= hostile.size(); at += 48) {
    Bytes header;
    format::append_unsigned_wal_record({.lsn = 11, .group_lsn = 11, .epoch = 1}, header);
    store_number(&header[4], static_cast<std::uint32_t>(hostile.size() - at - 48));
    std::copy(header.begin(), header.end(), hostile.begin() + static_cast<std::ptrdiff_t>(at));
  }
  const double crafted = seconds(hostile);

  CAPTURE(empty, crafted);
  CHECK(empty < 5.0);  // 0.02 s in a release build; the bound is for a sanitizer's build.
  CHECK(crafted < 10.0);
}
