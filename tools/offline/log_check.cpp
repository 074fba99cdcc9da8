#include "tools/offline/log_check.h"

#include <algorithm>

#include <fmt/format.h>

#include "storage/wal/log_file.h"

namespace vz::offline {
namespace {

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

void report_torn_tail(const Run& run, const wal::TornTail& tail) {
  run.findings.add(check::FindingId::kTornTail, tail.path, {tail.offset, tail.size}, "",
                   fmt::format("expected record {} or zeros, found what a write that was cut short "
                               "leaves: nobody was told that it succeeded",
                               tail.lsn));
}

}  // namespace

LogFacts check_log(const Run& run, const Layout& layout) {
  const Lsn durable_lsn = layout.in_force ? manifest::durable_lsn(*layout.image) : 0;
  const auto survey =
      check::survey_log(run, std::max<Lsn>(1, first_needed(run, layout)), durable_lsn);
  if (!survey) return {};
  for (const wal::LogDamage& damage : survey->damage) check::report_log_damage(run, damage);
  if (survey->summary.torn_tail) report_torn_tail(run, *survey->summary.torn_tail);
  // The writer always has a file: a node that has taken a record leaves at least that one.
  const bool empty = survey->summary.first_lsn == 0 && survey->damage.empty();
  if (empty && layout.image != nullptr && layout.image->catalog_lsn != 0 &&
      !is_restored_and_not_started(*layout.image)) {
    run.findings.add(check::FindingId::kLogMissing, run.paths.wal(), {}, "",
                     "expected at least one log file, found none");
  }
  return {survey->summary.records, survey->summary.last_lsn};
}

}  // namespace vz::offline
