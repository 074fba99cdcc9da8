#include "tools/offline/log_check.h"

#include <algorithm>

#include <fmt/format.h>

#include "storage/format/catalog_record.h"
#include "storage/format/points_record.h"
#include "storage/format/wal_record.h"
#include "storage/wal/log.h"
#include "storage/wal/log_file.h"

namespace vz::offline {
namespace {

using format::WalRecordKind;

template <typename T>
Status outcome_of(const Result<T>& decoded) {
  if (decoded) return {};
  return tl::unexpected<Error>(decoded.error());
}

/// The first lsn that recovery needs. The spare image may know an older one than the log still has,
/// and without an image whatever is there counts.
Lsn first_needed(const Run& run, const Layout& layout) {
  if (layout.in_force) return layout.image->log_lsn;
  const auto files = wal::list_log_files(run.env, run.paths.wal());
  const Lsn first = files && !files->empty() ? files->front().first_lsn : 1;
  return layout.image != nullptr ? std::max(first, layout.image->log_lsn) : first;
}

/// A restore begins an epoch without a log; the first start makes one.
bool is_restored_and_not_started(const manifest::Manifest& image) {
  if (image.epochs.empty()) return false;
  const manifest::EpochEntry& epoch = image.epochs.back();
  return epoch.kind == manifest::EpochKind::kRestore && epoch.first_lsn == image.log_lsn;
}

void report_damage(const Run& run, const wal::LogSurvey& survey) {
  for (const wal::LogDamage& damage : survey.damage) {
    const bool whole_log = damage.path == run.paths.wal();
    const check::FindingId id = whole_log       ? check::FindingId::kLogMissing
                                : damage.needed ? check::FindingId::kLogDamaged
                                                : check::FindingId::kFlushedLogDamaged;
    run.findings.add(id, damage.path, {damage.offset, 0}, "", damage.message);
  }
  if (const auto& tail = survey.summary.torn_tail) {
    run.findings.add(check::FindingId::kTornTail, tail->path, {tail->offset, tail->size}, "",
                     fmt::format("expected record {} or zeros, found what a write that was cut "
                                 "short leaves: nobody was told that it succeeded",
                                 tail->lsn));
  }
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
    case WalRecordKind::kPoints:
      return outcome_of(format::decode_points(record.payload));
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

LogFacts check_log(const Run& run, const Layout& layout) {
  std::uint64_t spent = 0;
  const auto visit = [&](const format::WalRecord& record) -> Status {
    const std::uint64_t size = format::wal_record_size(record.payload.size());
    spent += size;
    run.pace.spend(size);
    if (run.options.level < check::Level::kContents) return {};
    if (const Status decoded = decode_payload(record); !decoded) {
      run.findings.add(check::FindingId::kLogRecord, run.paths.wal(), {}, "",
                       fmt::format("record {}: {}", record.lsn, decoded.error().message));
    }
    return {};
  };
  const Lsn durable_lsn = layout.in_force ? manifest::durable_lsn(*layout.image) : 0;
  const auto survey = wal::survey(run.env, run.paths.wal(),
                                  std::max<Lsn>(1, first_needed(run, layout)), durable_lsn, visit);
  if (!survey) {
    if (survey.error().code == ErrorCode::kIncompatible) {
      run.report_incompatible(survey.error());
    } else {
      run.findings.add(check::FindingId::kLogMissing, run.paths.wal(), {}, "",
                       survey.error().message);
    }
    return {};
  }
  report_damage(run, *survey);
  // The writer always has a file: a node that has taken a record leaves at least that one.
  const bool empty = survey->summary.first_lsn == 0 && survey->damage.empty();
  if (empty && layout.image != nullptr && layout.image->catalog_lsn != 0 &&
      !is_restored_and_not_started(*layout.image)) {
    run.findings.add(check::FindingId::kLogMissing, run.paths.wal(), {}, "",
                     "expected at least one log file, found none");
  }
  const LogSize size = size_of_log(run.env, run.paths);
  run.pace.spend(size.bytes - std::min(size.bytes, spent));
  return {survey->summary.records, survey->summary.last_lsn};
}

}  // namespace vz::offline
