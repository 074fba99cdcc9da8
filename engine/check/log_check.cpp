#include "engine/check/log_check.h"

#include <algorithm>

#include <fmt/format.h>

#include "engine/security/security_json.h"
#include "storage/format/catalog_record.h"
#include "storage/format/points_record.h"
#include "storage/wal/log_file.h"

namespace vz::check {
namespace {

using format::WalRecordKind;

template <typename T>
Status outcome_of(const Result<T>& decoded) {
  if (decoded) return {};
  return tl::unexpected<Error>(decoded.error());
}

}  // namespace

Status decode_payload(const format::WalRecord& record) {
  switch (record.kind) {
    case WalRecordKind::kCreateCollection:
      return outcome_of(format::decode_create_collection(record.payload));
    case WalRecordKind::kDefineCollection:
      return outcome_of(format::decode_define_collection(record.payload));
    case WalRecordKind::kAliases:
      return outcome_of(format::decode_aliases(record.payload));
    case WalRecordKind::kReplaceCollection:
      return outcome_of(format::decode_replace_collection(record.payload));
    case WalRecordKind::kPoints:
      return outcome_of(format::decode_points(record.payload));
    case WalRecordKind::kPutKeys:
    case WalRecordKind::kRevokeKey:
    case WalRecordKind::kPutIpRules:
    case WalRecordKind::kDeleteIpRules:
      return outcome_of(security::decode_change(record.kind, record.payload));
    case WalRecordKind::kDropCollection:
      return {};
  }
  return {};
}

LogSize size_of_log(Env& env, const store::Paths& paths) {
  LogSize size;
  const auto files = wal::list_log_files(env, paths.wal());
  if (!files) return size;
  size.files = files->size();
  for (const auto& file : *files) size.bytes += file.size_bytes;
  return size;
}

std::optional<wal::LogSurvey> survey_log(const Run& run, Lsn from_lsn, Lsn durable_lsn) {
  std::uint64_t spent = 0;
  const auto visit = [&](const format::WalRecord& record) -> Status {
    if (run.pace.stopped()) return fail(ErrorCode::kCancelled, "stopped on request");
    const std::uint64_t size = format::wal_record_size(record.payload.size());
    spent += size;
    run.pace.spend(size);
    if (run.level < Level::kContents) return {};
    if (const Status decoded = decode_payload(record); !decoded) {
      run.findings.add(FindingId::kLogRecord, run.paths.wal(), {}, "",
                       fmt::format("record {}: {}", record.lsn, decoded.error().message));
    }
    return {};
  };
  auto survey = wal::survey(run.env, run.paths.wal(), from_lsn, durable_lsn, visit);
  if (!survey) {
    if (survey.error().code == ErrorCode::kIncompatible) {
      run.report_incompatible(survey.error());
    } else {
      run.findings.add(FindingId::kLogMissing, run.paths.wal(), {}, "", survey.error().message);
    }
    return std::nullopt;
  }
  const LogSize size = size_of_log(run.env, run.paths);
  run.pace.spend(size.bytes - std::min(size.bytes, spent));
  return std::move(*survey);
}

void report_log_damage(const Run& run, const wal::LogDamage& damage) {
  const bool whole_log = damage.path == run.paths.wal();
  const FindingId id = whole_log       ? FindingId::kLogMissing
                       : damage.needed ? FindingId::kLogDamaged
                                       : FindingId::kFlushedLogDamaged;
  run.findings.add(id, damage.path, {damage.offset, 0}, "", damage.message);
}

}  // namespace vz::check
