// What the tests of the log share: a small log in a FaultEnv, and reading it back.
#pragma once

#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "storage/env/fault_env.h"
#include "storage/wal/log.h"
#include "storage/wal/log_file.h"

namespace vz::wal::test {

inline const std::string kDirectory = "/data/wal";
inline constexpr std::uint64_t kFileSize = 8192;  // A header and 4 KiB of records.

/// The payload of record `lsn`: known from the lsn alone, of 0 to 200 bytes.
inline Bytes payload_of(Lsn lsn) {
  Bytes out((lsn * 37) % 201);
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::byte>(lsn * 31 + i + 1);
  return out;
}

inline void add_record(LogWriter& writer) {
  const Lsn lsn = writer.next_lsn();
  const Lsn given = writer.add(format::WalRecordKind::kPoints, lsn % 3,
                               static_cast<std::int64_t>(lsn * 10), payload_of(lsn));
  REQUIRE(given == lsn);
}

/// One group of `records` records.
inline Status commit_group(LogWriter& writer, std::size_t records) {
  for (std::size_t i = 0; i < records; ++i) add_record(writer);
  return writer.commit();
}

/// A log read back; `problem` says which record is not what payload_of and add_record made.
struct ReadBack {
  Result<ReplaySummary> summary = ReplaySummary{};
  std::vector<Lsn> lsns;
  std::string problem;
};

inline ReadBack read_back(Env& env, Lsn from_lsn = 1, Lsn durable_lsn = 0) {
  ReadBack out;
  out.summary =
      replay(env, kDirectory, from_lsn, durable_lsn, [&](const format::WalRecord& record) {
        out.lsns.push_back(record.lsn);
        const Bytes expected = payload_of(record.lsn);
        const bool same = std::equal(expected.begin(), expected.end(), record.payload.begin(),
                                     record.payload.end()) &&
                          record.collection == record.lsn % 3 &&
                          record.time_us == static_cast<std::int64_t>(record.lsn * 10) &&
                          record.kind == format::WalRecordKind::kPoints;
        if (!same)
          out.problem = "record " + std::to_string(record.lsn) + " is not what was written";
        return Status{};
      });
  return out;
}

inline std::vector<Lsn> lsns_between(Lsn first, Lsn last) {
  std::vector<Lsn> out;
  for (Lsn lsn = first; lsn <= last; ++lsn) out.push_back(lsn);
  return out;
}

inline std::unique_ptr<LogWriter> start_log(Env& env, Lsn next_lsn = 1, Epoch epoch = 1,
                                            LogOptions options = {.file_size_bytes = kFileSize}) {
  auto writer = LogWriter::start(env, kDirectory, epoch, next_lsn, std::move(options));
  INFO((writer ? std::string() : writer.error().message));
  REQUIRE(writer);
  return std::move(*writer);
}

inline Bytes file_bytes(Env& env, const std::string& path) {
  auto bytes = read_file(env, path, 1u << 30);
  REQUIRE(bytes);
  return std::move(*bytes);
}

inline std::string log_path(Epoch epoch, Lsn first_lsn) {
  return kDirectory + "/" + log_file_name(epoch, first_lsn);
}

inline std::vector<LogFileName> log_files(Env& env) {
  auto files = list_log_files(env, kDirectory);
  REQUIRE(files);
  return std::move(*files);
}

/// Offset and lsn of every record of a file that is sound.
struct Place {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
  Lsn lsn = 0;
  Lsn group_lsn = 0;
};
inline std::vector<Place> places(Env& env, const LogFileName& name) {
  auto reader = LogFileReader::open(env, name);
  REQUIRE(reader);
  std::vector<Place> out;
  for (;;) {
    const std::uint64_t begin = reader->offset();
    const auto record = reader->next();
    REQUIRE(record);
    if (!*record) return out;
    out.push_back({begin, reader->offset() - begin, (*record)->lsn, (*record)->group_lsn});
  }
}

inline FaultEnv& with_directory(FaultEnv& env) {
  REQUIRE(env.make_directory(kDirectory));
  return env;
}

}  // namespace vz::wal::test
