// What the log, the manifest and RESTORE hold.
#include <cstring>

#include "engine/security/security_json.h"
#include "storage/base/crc32c.h"
#include "storage/base/sha256.h"
#include "storage/format/catalog_record.h"
#include "storage/format/manifest_format.h"
#include "storage/format/points_record.h"
#include "storage/format/restore_format.h"
#include "storage/format/wal_file_header.h"
#include "storage/format/wal_record.h"
#include "storage/manifest/manifest.h"
#include "tests/fuzz/target.h"

namespace vz::fuzz {
namespace {

constexpr std::uint64_t kSalt = 5;

template <typename T>
void put(Bytes& bytes, std::size_t offset, const T& value) {
  if (bytes.size() >= offset + sizeof(T)) std::memcpy(bytes.data() + offset, &value, sizeof(T));
}

Bytes points_payload() {
  const std::array<float, 2> values = {1, -2};
  Bytes out;
  const PointId id = PointId::number(7);
  format::encode(
      format::PutRows{
          .rows = {{.id = id,
                    .vectors = {{.values = std::as_bytes(std::span(values)), .indices = {}}},
                    .payload = R"({"a":1})"}}},
      out);
  format::encode(format::DeleteRows{.ids = {id}}, out);
  format::encode(format::SetPayload{.ids = {id}, .has_key = true, .key = "a", .patch = "{}"}, out);
  format::encode(format::ReplacePayload{.ids = {id}, .payload = "{}"}, out);
  format::encode(format::DeleteKeys{.ids = {id}, .keys = {"a", "b.c"}}, out);
  format::encode(format::DeleteVectors{.ids = {id}, .columns = {0}}, out);
  return out;
}

void run_wal_record(ByteSpan bytes) {
  const std::uint32_t seed = format::wal_crc_seed(kSalt);
  const auto record = format::decode_wal_record(bytes, seed);
  if (!record) return;
  Bytes again;
  format::append_unsigned_wal_record(*record, again);
  format::sign_wal_record(again, seed);
  require(
      again.size() <= bytes.size() && std::memcmp(again.data(), bytes.data(), again.size()) == 0,
      "a log record is encoded as it was");
}
std::vector<Bytes> seed_wal_record() {
  const Bytes payload = points_payload();
  Bytes out;
  format::append_unsigned_wal_record(
      {.lsn = 9, .group_lsn = 8, .time_us = 1, .epoch = 1, .collection = 3, .payload = payload},
      out);
  format::sign_wal_record(out, format::wal_crc_seed(kSalt));
  return {out};
}
void mend_wal_record(Bytes& bytes) {
  if (bytes.size() < format::kWalRecordHeaderSize) return;
  std::uint32_t size = 0;
  std::memcpy(&size, bytes.data() + format::wal_record_offset::kPayloadSize, sizeof(size));
  const std::uint64_t whole = format::wal_record_size(size);
  if (whole > bytes.size()) return;
  format::sign_wal_record(std::span(bytes).first(whole), format::wal_crc_seed(kSalt));
}

void run_wal_file_header(ByteSpan bytes) {
  const auto header = format::decode_wal_file_header(bytes);
  if (!header) return;
  const Bytes again = format::encode_wal_file_header(*header);
  require(std::memcmp(again.data(), bytes.data(), again.size()) == 0,
          "the header of a log file is encoded as it was");
}
std::vector<Bytes> seed_wal_file_header() {
  return {format::encode_wal_file_header({.epoch = 1, .first_lsn = 2, .salt = kSalt})};
}
void mend_wal_file_header(Bytes& bytes) {
  constexpr std::size_t kCrc = format::kWalFileHeaderSize - sizeof(std::uint32_t);
  if (bytes.size() < format::kWalFileHeaderSize) return;
  put(bytes, kCrc, crc32c(ByteSpan(bytes).first(kCrc)));
}

void run_points(ByteSpan bytes) {
  const auto operations = format::decode_points(bytes);
  if (!operations) return;
  Bytes again;
  for (const auto& operation : *operations) format::encode(operation, again);
  const auto twice = format::decode_points(again);
  require(twice && twice->size() == operations->size(), "operations on points come back");
}
std::vector<Bytes> seed_points() {
  return {points_payload()};
}

void run_catalog(ByteSpan bytes) {
  if (const auto record = format::decode_create_collection(bytes)) {
    require(format::decode_create_collection(format::encode(*record)).has_value(),
            "the record of a new collection comes back");
  }
  (void)format::decode_define_collection(bytes);
  if (const auto record = format::decode_aliases(bytes)) {
    require(format::decode_aliases(format::encode(*record)).has_value(),
            "the record of aliases comes back");
  }
  if (const auto record = format::decode_replace_collection(bytes)) {
    require(format::decode_replace_collection(format::encode(*record)).has_value(),
            "the record of a collection that takes a place comes back");
  }
}
std::vector<Bytes> seed_catalog() {
  return {format::encode(format::CreateCollectionRecord{.name = "words", .definition = "{}"}),
          format::encode(format::DefineCollectionRecord{.definition = "{}"}),
          format::encode(format::AliasesRecord{.changes = {{"a", 1}, {"b", 0}}}),
          format::encode(format::ReplaceCollectionRecord{.name = "words"})};
}

security::State sample_security() {
  security::ApiKey key;
  key.id = "ghijklmnopqrstuv";
  key.name = "app";
  key.scopes.add(security::Scope::kRead);
  key.collections = {"docs*"};
  key.cidrs = {*security::parse_cidr("10.0.0.0/8")};
  security::State state = security::applied({}, security::PutKeys{{key}}, 1);
  key.id = "vutsrqponmlkjihg";
  state = security::applied(std::move(state), security::PutKeys{{key}}, 2);
  state = security::applied(std::move(state), security::RevokeKey{key.id}, 3);
  const security::IpRule rule{
      .range = key.cidrs[0], .reason = "scan", .created_at_us = 4, .expires_at_us = 5};
  return security::applied(std::move(state), security::PutIpRules{{rule}}, 4);
}

/// The first byte chooses the kind.
void run_security_record(ByteSpan bytes) {
  if (bytes.empty()) return;
  const auto kind = format::WalRecordKind(static_cast<std::uint8_t>(bytes[0]));
  const auto change = security::decode_change(kind, bytes.subspan(1));
  if (!change) return;
  require(security::kind_of(*change) == kind, "a change of keys or rules is of its record's kind");
  const auto again = security::decode_change(kind, security::encode(*change));
  require(again && *again == *change, "a change of keys or rules comes back");
}
std::vector<Bytes> seed_security_record() {
  const security::State state = sample_security();
  const security::IpRule& rule = state.ip_rules.all().begin()->second;
  std::vector<Bytes> out;
  for (const security::Change& change : std::initializer_list<security::Change>{
           security::PutKeys{{*state.keys.begin()->second}},
           security::RevokeKey{state.keys.begin()->first}, security::PutIpRules{{rule}},
           security::DeleteIpRules{{rule.range}}}) {
    Bytes& bytes = out.emplace_back(1, static_cast<std::byte>(security::kind_of(change)));
    const Bytes payload = security::encode(change);
    bytes.insert(bytes.end(), payload.begin(), payload.end());
  }
  return out;
}

constexpr std::size_t kSecurityDigestAt = 11;             ///< behind {"sha256":"
constexpr std::size_t kSecurityContentAt = 11 + 64 + 12;  ///< behind ","content":

void run_security_file(ByteSpan bytes) {
  const auto checkpoint = security::decode_file(as_text(bytes));
  if (!checkpoint) return;
  const auto again = security::decode_file(security::encode_file(*checkpoint));
  require(again && again->lsn == checkpoint->lsn && again->state == checkpoint->state,
          "the checkpoint of keys and rules comes back");
}
std::vector<Bytes> seed_security_file() {
  return {bytes_of(security::encode_file({.lsn = 9, .state = sample_security()})),
          bytes_of(security::encode_file({}))};
}
void mend_security_file(Bytes& bytes) {
  constexpr std::size_t kTailBytes = 2;
  if (bytes.size() < kSecurityContentAt + kTailBytes) return;
  const std::string digest = to_hex(sha256_of(
      ByteSpan(bytes).subspan(kSecurityContentAt, bytes.size() - kSecurityContentAt - kTailBytes)));
  std::memcpy(bytes.data() + kSecurityDigestAt, digest.data(), digest.size());
}

manifest::Manifest sample_manifest() {
  manifest::Manifest made{.number = 3, .next_seq = 9, .next_file_number = 5, .catalog_lsn = 40};
  made.log_lsn = 41;
  made.epochs = {{1, 1, manifest::EpochKind::kStart}};
  manifest::SegmentEntry segment{.epoch = 1, .seq = 2, .rows = 10, .dead_rows = 1};
  segment.dead = manifest::VersionedFile{.number = 1};
  segment.index = manifest::VersionedFile{.number = 2};
  made.collections = {{.id = 1,
                       .name = "words",
                       .definition_json = "{}",
                       .flushed_lsn = 40,
                       .points = 9,
                       .segments = {segment}}};
  made.aliases = {{"a", 1}};
  return made;
}

void run_manifest(ByteSpan bytes) {
  const auto decoded = manifest::decode(bytes);
  if (!decoded) return;
  require(manifest::check(*decoded).has_value(), "a manifest that is read keeps its bounds");
  const auto again = manifest::decode(manifest::encode(*decoded));
  require(again && *again == *decoded, "a manifest comes back");
}
std::vector<Bytes> seed_manifest() {
  return {manifest::encode(sample_manifest()), manifest::encode({})};
}
void mend_manifest(Bytes& bytes) {
  constexpr std::size_t kEnd = format::kManifestCrcOffset + sizeof(std::uint32_t);
  if (bytes.size() < kEnd) return;
  const ByteSpan all(bytes);
  put(bytes, format::kManifestCrcOffset,
      crc32c(all.subspan(kEnd), crc32c(all.first(format::kManifestCrcOffset))));
}

void run_restore(ByteSpan bytes) {
  const auto restore = format::decode_restore(bytes);
  if (!restore) return;
  const auto again = format::encode(*restore);
  require(again && std::equal(again->begin(), again->end(), bytes.begin(), bytes.end()),
          "RESTORE is encoded as it was");
}
std::vector<Bytes> seed_restore() {
  format::Restore restore;
  restore.manifest = manifest::encode(sample_manifest());
  restore.files = {{.path = "collections/1/1-2.dead-1", .size_bytes = 5},
                   {.path = "collections/1/1-2.seg", .size_bytes = 700}};
  const auto bytes = format::encode(restore);
  require(bytes.has_value(), "the sample of RESTORE is one");
  return {*bytes};
}
void mend_restore(Bytes& bytes) {
  constexpr std::size_t kSizeOffset = 16;
  if (bytes.size() < format::kRestoreHeaderSize + format::kRestoreDigestSize) return;
  put(bytes, kSizeOffset, std::uint64_t{bytes.size()});
  const std::size_t end = bytes.size() - format::kRestoreDigestSize;
  Sha256 hash;
  hash.update(ByteSpan(bytes).first(end));
  put(bytes, end, hash.finish());
}

constexpr Target kTargets[] = {
    {"wal_record", run_wal_record, seed_wal_record, mend_wal_record},
    {"wal_file_header", run_wal_file_header, seed_wal_file_header, mend_wal_file_header},
    {"points_record", run_points, seed_points},
    {"catalog_record", run_catalog, seed_catalog},
    {"security_record", run_security_record, seed_security_record},
    {"security_file", run_security_file, seed_security_file, mend_security_file},
    {"manifest", run_manifest, seed_manifest, mend_manifest},
    {"restore", run_restore, seed_restore, mend_restore},
};

}  // namespace

std::span<const Target> record_targets() {
  return kTargets;
}

}  // namespace vz::fuzz
