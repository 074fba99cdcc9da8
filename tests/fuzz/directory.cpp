// A data directory's log files and the small files that say what else is in it.
#include <algorithm>
#include <cstring>
#include <string>

#include "storage/base/crc32c.h"
#include "storage/format/wal_record.h"
#include "storage/manifest/manifest.h"
#include "storage/store/store.h"
#include "storage/wal/log.h"
#include "storage/wal/log_file.h"
#include "tests/fuzz/target.h"
#include "tests/storage/segment/memory_env.h"

namespace vz::fuzz {
namespace {

constexpr const char* kLogDir = "d/wal";
constexpr Epoch kEpoch = 1;

/// What is fuzzed of a log are the bytes behind the headers of two files, the first one's length in
/// front as a u16. Headers have a target of their own.
struct LogPart {
  std::size_t begin = 0;
  std::size_t size = 0;
  Lsn first_lsn = 0;
  std::uint64_t salt = 0;
  format::BeyondRecords beyond = format::BeyondRecords::kZero;
};

std::array<LogPart, 2> log_parts(ByteSpan bytes) {
  std::uint16_t wanted = 0;
  if (bytes.size() >= sizeof(wanted)) std::memcpy(&wanted, bytes.data(), sizeof(wanted));
  const std::size_t begin = std::min(bytes.size(), sizeof(wanted));
  const std::size_t first = std::min<std::size_t>(wanted, bytes.size() - begin);
  return {LogPart{begin, first, 1, 5, format::BeyondRecords::kAnything},
          LogPart{begin + first, bytes.size() - begin - first, 5, 6, format::BeyondRecords::kZero}};
}

struct SampleRecord {
  Lsn lsn;
  Lsn group_lsn;
};

Bytes sample_records(std::span<const SampleRecord> records, std::uint64_t salt) {
  const Bytes payload(9, std::byte{7});
  Bytes out;
  for (const SampleRecord& one : records) {
    Bytes record;
    format::append_unsigned_wal_record({.lsn = one.lsn,
                                        .group_lsn = one.group_lsn,
                                        .time_us = static_cast<std::int64_t>(one.lsn),
                                        .epoch = kEpoch,
                                        .collection = 3,
                                        .payload = payload},
                                       record);
    format::sign_wal_record(record, format::wal_crc_seed(salt));
    out.insert(out.end(), record.begin(), record.end());
  }
  return out;
}

std::vector<Bytes> seed_log() {
  constexpr SampleRecord kFirst[] = {{1, 1}, {2, 2}, {3, 2}, {4, 4}};
  constexpr SampleRecord kSecond[] = {{5, 5}, {6, 5}, {7, 7}};
  const std::array<LogPart, 2> parts = log_parts({});
  const Bytes first = sample_records(kFirst, parts[0].salt);
  const Bytes second = sample_records(kSecond, parts[1].salt);
  const auto size = static_cast<std::uint16_t>(first.size());
  Bytes whole = bytes_of({reinterpret_cast<const char*>(&size), sizeof(size)});
  whole.insert(whole.end(), first.begin(), first.end());
  whole.insert(whole.end(), second.begin(), second.end());
  Bytes torn(whole.begin(), whole.end() - 5);
  return {whole, torn};
}

void mend_log(Bytes& bytes) {
  for (const LogPart& part : log_parts(bytes)) {
    std::span<std::byte> rest = std::span(bytes).subspan(part.begin, part.size);
    while (rest.size() >= format::kWalRecordHeaderSize) {
      std::uint32_t size = 0;
      std::memcpy(&size, rest.data() + format::wal_record_offset::kPayloadSize, sizeof(size));
      const std::uint64_t whole = format::wal_record_size(size);
      if (whole > rest.size()) break;
      format::sign_wal_record(rest.first(whole), format::wal_crc_seed(part.salt));
      rest = rest.subspan(whole);
    }
  }
}

void run_log(ByteSpan bytes) {
  test::MemoryEnv env;
  for (const LogPart& part : log_parts(bytes)) {
    Bytes file = format::encode_wal_file_header(
        {.epoch = kEpoch, .first_lsn = part.first_lsn, .salt = part.salt, .beyond = part.beyond});
    const ByteSpan records = bytes.subspan(part.begin, part.size);
    file.insert(file.end(), records.begin(), records.end());
    env.put(std::string(kLogDir) + "/" + wal::log_file_name(kEpoch, part.first_lsn),
            std::move(file));
  }
  Lsn next = 1;
  const auto in_order = [&next](const format::WalRecord& record) -> Status {
    require(record.lsn == next && record.group_lsn <= record.lsn, "records come in order");
    ++next;
    return {};
  };
  const auto any = [](const format::WalRecord&) -> Status { return {}; };

  const auto replayed = wal::replay(env, kLogDir, 1, 0, in_order);
  const auto surveyed = wal::survey(env, kLogDir, 1, 0, any);
  require(replayed.has_value() == (surveyed && surveyed->damage.empty()),
          "a start and a check judge a log alike");
  if (!replayed) return;
  require(replayed->records == next - 1 && replayed->last_lsn == next - 1,
          "a log that is read says how far it goes");
  if (!replayed->torn_tail) return;
  require(
      wal::cut_torn_tail(env, *replayed->torn_tail, wal::torn_tail_path("d", *replayed->torn_tail))
          .has_value(),
      "a torn tail can be cut");
  const auto again = wal::replay(env, kLogDir, 1, 0, any);
  require(again && !again->torn_tail && again->last_lsn == replayed->last_lsn,
          "a log whose tail was cut ends where it ended, without one");
}

void run_current(ByteSpan bytes) {
  test::MemoryEnv env;
  env.put("d/CURRENT", Bytes(bytes.begin(), bytes.end()));
  const auto number = manifest::read_current(env, "d");
  if (!number) return;
  const std::string name = manifest::file_name(*number);
  require(as_text(bytes).starts_with(name + " "), "CURRENT names the image that is followed");
}
std::vector<Bytes> seed_current() {
  test::MemoryEnv env;
  require(manifest::publish(env, "d", {.number = 17}).has_value(), "a sample image");
  return {env.content("d/CURRENT")};
}
void mend_current(Bytes& bytes) {
  const std::string text(as_text(bytes));
  const std::string_view name = std::string_view(text).substr(0, text.find(' '));
  char checksum[16];
  std::snprintf(checksum, sizeof checksum, " %08x\n", crc32c(as_bytes(name)));
  bytes = bytes_of(std::string(name) + checksum);
}

void run_format(ByteSpan bytes) {
  const auto identity = store::decode_identity(as_text(bytes));
  if (!identity) return;
  require(store::encode_identity(*identity) == as_text(bytes), "FORMAT is encoded as it was");
}
constexpr std::string_view kFormatTail = ",\"crc32c\":\"";
std::vector<Bytes> seed_format() {
  return {bytes_of(store::encode_identity({.cluster_id = "0b5f0f6a-1111-4222-8333-444444444444",
                                           .node_id = "7c9e6679-7425-40de-944b-e07fc1f90ae7"}))};
}
void mend_format(Bytes& bytes) {
  const std::string text(as_text(bytes));
  const std::string_view body = std::string_view(text).substr(0, text.rfind(kFormatTail));
  char checksum[32];
  std::snprintf(checksum, sizeof checksum, "%s%08x\"}\n", kFormatTail.data(),
                crc32c(as_bytes(body)));
  bytes = bytes_of(std::string(body) + checksum);
}

constexpr Target kTargets[] = {
    {"log_files", run_log, seed_log, mend_log},
    {"current", run_current, seed_current, mend_current},
    {"format_file", run_format, seed_format, mend_format},
};

}  // namespace

std::span<const Target> directory_targets() {
  return kTargets;
}

}  // namespace vz::fuzz
