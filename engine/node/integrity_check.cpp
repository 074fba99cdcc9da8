#include "engine/node/integrity_check.h"

#include <algorithm>
#include <optional>
#include <set>

#include "engine/check/blocks.h"
#include "engine/check/log_check.h"
#include "engine/security/security_file.h"
#include "storage/base/log.h"
#include "storage/wal/log_file.h"

namespace vz::node {
namespace {

using check::Finding;
using check::FindingId;
using check::Level;
using check::NamedFile;
using check::NamedSegment;
using check::Severity;
using segment::FileKind;

Mending::Part part_of(const collection::LiveCollection& live, const manifest::SegmentEntry& entry) {
  const auto parts = live.view().parts;
  for (const auto& part : parts->segments)
    if (part->seq() == entry.seq && part->epoch() == entry.epoch) return part;
  return nullptr;
}

void each_file(const NamedSegment& segment, auto visit) {
  for (NamedFile* file : {segment.seg, segment.dead, segment.index, segment.fields})
    if (file != nullptr) visit(*file);
}

std::uint64_t bytes_of(const manifest::SegmentEntry& entry) {
  std::uint64_t bytes = entry.seg.size_bytes;
  for (const auto* file : {&entry.dead, &entry.index, &entry.fields})
    if (*file) bytes += (*file)->info.size_bytes;
  return bytes;
}

/// Whether the damage is one by what the log is now, after it was read: a start needs the records
/// from `log_lsn` on, and `files` are there. Settles `needed`.
bool still_counts(wal::LogDamage& damage, const std::vector<wal::LogFileName>& files, Lsn log_lsn) {
  const bool let_go = damage.lsn != 0 && damage.lsn < log_lsn;
  if (files.empty() || damage.path == parent_directory(files.front().path)) return !let_go;
  const auto file = std::find_if(files.begin(), files.end(),
                                 [&](const auto& one) { return one.path == damage.path; });
  if (file == files.end()) return false;  // Its name is gone: perhaps it was written over.
  if (damage.lsn < file->first_lsn) return !let_go;  // Of what stood before it.
  damage.needed = file + 1 == files.end() || (file + 1)->first_lsn > log_lsn;
  return true;
}

void log_finding(const IntegrityFinding& finding) {
  const Severity severity = finding.what.severity;
  if (severity == Severity::kNote) return;
  LogEvent(severity == Severity::kError ? LogLevel::kError : LogLevel::kWarn, "integrity_finding")
      .with("id", check::id_text(finding.what.id))
      .with("collection", finding.what.collection)
      .with("file", finding.what.file)
      .with("offset", finding.what.offset)
      .with("corrupt", finding.what.message)
      .with("done", finding.done);
}

}  // namespace

/// What a check reads of one collection: its entry and second names of its files.
struct IntegrityCheck::Files {
  std::unique_ptr<CutFiles> names;
  Publisher::Pinned pinned;
  store::Paths paths{};
  std::deque<NamedFile> files{};
  std::map<std::string, FileKind> kinds{};  ///< by path from the directory
  check::NamedCollection collection{};
};

IntegrityCheck::IntegrityCheck(const Access& access, const IntegrityRequest& request,
                               const Watcher& watcher)
    : access_(access),
      request_(request),
      watcher_(watcher),
      pace_(
          request.limit_rate_bytes,
          [&watcher](std::uint64_t done, std::uint64_t total) {
            watcher.on_progress(static_cast<double>(done) /
                                static_cast<double>(std::max<std::uint64_t>(total, 1)));
          },
          watcher.stop),
      mending_(access.writer, access.publisher, access.housekeeper, watcher.stop) {}

Result<IntegrityReport> IntegrityCheck::run() {
  VZ_TRY(watcher_.may_go_on());
  VZ_TRY_ASSIGN(const auto chosen, choose());
  announce(chosen);
  VZ_TRY(check_directory());
  VZ_TRY(check_log());
  for (const Live& live : chosen) VZ_TRY(check_collection(live));
  tell();
  LogEvent(LogLevel::kInfo, "integrity_check_ended")
      .with("vectors", report_.checked_vectors)
      .with("files", report_.checked_files)
      .with("bytes", report_.checked_bytes)
      .with("errors", report_.errors)
      .with("warnings", report_.warnings)
      .with("took_ms", static_cast<std::int64_t>(report_.duration_seconds * 1'000));
  return std::move(report_);
}

/// By name, each once.
Result<std::vector<IntegrityCheck::Live>> IntegrityCheck::choose() const {
  std::map<std::string, Live> chosen;
  const auto catalog = catalog_of(access_.visibility);
  if (request_.collections.empty())
    chosen = {catalog->collections.begin(), catalog->collections.end()};
  for (const std::string& name : request_.collections) {
    const Live live = catalog->find(name);
    if (live == nullptr)
      return fail(ErrorCode::kNotFound, "collection '" + name + "' does not exist");
    chosen.emplace(live->name(), live);
  }
  std::vector<Live> out;
  for (const auto& [name, live] : chosen) out.push_back(live);
  return out;
}

/// From level 3 on every row is read once more.
std::uint64_t IntegrityCheck::bytes_to_read(const manifest::CollectionEntry& entry) const {
  std::uint64_t bytes = 0;
  for (const auto& segment : entry.segments)
    bytes += bytes_of(segment) + (request_.level >= Level::kContents ? segment.seg.size_bytes : 0);
  return bytes;
}

/// As things are now: what is merged meanwhile makes the progress a little wrong, and nothing else.
void IntegrityCheck::announce(const std::vector<Live>& chosen) {
  for (const Live& live : chosen)
    if (const auto entry = access_.publisher.entry(live->id()))
      pace_.add_total(bytes_to_read(*entry));
  const auto log = check::size_of_log(access_.store.env(), access_.store.paths());
  pace_.add_total(log.bytes);
}

/// FORMAT, CURRENT and the image that it names.
Status IntegrityCheck::check_directory() {
  Env& env = access_.store.env();
  const store::Paths& paths = access_.store.paths();
  check::Findings findings(paths);
  if (const auto identity = store::read_identity(env, paths); !identity) {
    if (is_hindrance(identity.error())) return tl::unexpected<Error>(identity.error());
    const bool missing = identity.error().code == ErrorCode::kNotFound;
    findings.add(missing ? FindingId::kFormatMissing : FindingId::kFormatDamaged, paths.format(),
                 {}, "", identity.error().message);
  }
  for (Finding& finding : findings.take())
    add(std::move(finding), {.done = "the next start would refuse: bring the file back"});
  if (const auto security = security::load(env, paths.root); !security) {
    if (is_hindrance(security.error())) return tl::unexpected<Error>(security.error());
    findings.add(FindingId::kSecurityDamaged, security::file_path(paths.root), {}, "",
                 security.error().message);
    const Status written = access_.publisher.write_security_again();
    const Mended mended{
        .mended = written.has_value(),
        .done = written ? "was written again from memory" : "not: " + written.error().message};
    for (Finding& finding : findings.take()) add(std::move(finding), mended);
  }
  const Status image = access_.publisher.reread();
  if (!image) {
    if (is_hindrance(image.error())) return image;
    const auto current = manifest::read_current(env, paths.root);
    const std::string name = current ? manifest::file_name(*current) : "CURRENT";
    findings.add(current ? FindingId::kImageDamaged : FindingId::kCurrentDamaged,
                 paths.root + "/" + name, {}, "", image.error().message);
    const Mended mended = mending_.image();
    for (Finding& finding : findings.take()) add(std::move(finding), mended);
  }
  tell();
  return {};
}

Status IntegrityCheck::check_log() {
  VZ_TRY(watcher_.may_go_on());
  const store::Paths& paths = access_.store.paths();
  check::Findings findings(paths);
  check::WatchedEnv env(access_.store.env());
  const check::Run run{env, paths, request_.level, findings, pace_};
  // In this order: of what was durable before nothing may be missing in what is read after.
  const Lsn durable = lsn_of(access_.visibility);
  const Lsn first = access_.publisher.log_lsn();
  const auto survey = check::survey_log(run, first, durable);
  VZ_TRY(watcher_.may_go_on());
  if (const auto hindrance = env.hindrance()) return tl::unexpected<Error>(*hindrance);
  if (const auto newer = run.incompatible()) return tl::unexpected<Error>(*newer);
  if (survey) report_log(run, *survey, durable);
  auto found = findings.take();
  const bool damaged = std::any_of(found.begin(), found.end(), [](const Finding& one) {
    return one.severity != Severity::kNote;
  });
  const Mended mended = damaged ? mending_.log(access_.visibility) : Mended{};
  for (Finding& finding : found) {
    const bool note = finding.severity == Severity::kNote;
    add(std::move(finding), note ? Mended{} : mended);
  }
  tell();
  return {};
}

void IntegrityCheck::report_log(const check::Run& run, const wal::LogSurvey& survey, Lsn durable) {
  report_.log_records += survey.summary.records;
  const auto size = check::size_of_log(run.env, run.paths);
  report_.checked_files += size.files;
  report_.checked_bytes += size.bytes;
  const Lsn log_lsn = access_.publisher.log_lsn();
  const auto files = wal::list_log_files(run.env, run.paths.wal());
  for (wal::LogDamage damage : survey.damage) {
    // Beyond what was durable it was written while it was read.
    if (damage.lsn <= durable && files && still_counts(damage, *files, log_lsn))
      check::report_log_damage(run, damage);
  }
}

Status IntegrityCheck::check_collection(const Live& live) {
  VZ_TRY(watcher_.may_go_on());
  Files files;
  VZ_TRY_ASSIGN(files.names, CutFiles::make(access_.store.env(), access_.store.paths()));
  auto pinned = access_.publisher.pin(live->id(), *files.names);
  if (pinned) {
    files.pinned = *std::move(pinned);
    files.paths = {files.names->root()};
    VZ_TRY(check_pinned(live, files));
  } else if (pinned.error().code != ErrorCode::kNotFound) {
    return tl::unexpected<Error>(pinned.error());
  }  // Else nothing of it was sealed yet, or it was dropped.
  if (!live->dropped()) report_.checked_vectors += live->stats().points;
  tell();
  return {};
}

Status IntegrityCheck::check_pinned(const Live& live, Files& files) {
  check::Findings findings(files.paths);
  check::WatchedEnv env(access_.store.env());
  const check::Run run{env, files.paths, request_.level, findings, pace_};
  files.collection =
      check::name_files(files.paths, files.pinned.entry,
                        [&](const std::string& path, FileKind kind, const segment::FileInfo& info) {
                          NamedFile& file = files.files.emplace_back();
                          const std::string name = run.name_of(path);
                          file.path = path;
                          file.kind = kind;
                          file.info = info;
                          file.collection = files.pinned.entry.name;
                          file.present = !files.pinned.missing.contains(name);
                          files.kinds.emplace(name, kind);
                          return &file;
                        });
  check::LiveRows sum{.known = true};
  for (const NamedSegment& segment : files.collection.segments) {
    VZ_TRY(watcher_.may_go_on());
    check_files(run, segment);
    const check::LiveRows rows = check::check_segment(run, files.collection, segment);
    if (const auto hindrance = env.hindrance()) return tl::unexpected<Error>(*hindrance);
    if (const auto newer = run.incompatible()) return tl::unexpected<Error>(*newer);
    conclude(live, segment, files, findings.take());
    sum.known = sum.known && rows.known;
    sum.points += rows.points;
    sum.digest += rows.digest;
    tell();
  }
  VZ_TRY(watcher_.may_go_on());
  if (request_.level < Level::kContents) return {};
  check::check_totals(run, files.collection, sum);
  for (Finding& finding : findings.take())
    add(std::move(finding),
        {.done = "no file of it is known to be wrong: compare with a snapshot"});
  return {};
}

void IntegrityCheck::check_files(const check::Run& run, const NamedSegment& segment) {
  each_file(segment, [&](NamedFile& file) {
    if (!file.present) {
      run.report(file, check::by_kind(file, FindingId::kSegmentMissing, FindingId::kDerivedMissing),
                 {}, "");
      return;
    }
    check::check_ends(run, file);
    if (request_.level >= Level::kContents) {
      check::check_whole(run, file);
    } else {
      for (std::uint64_t task = 0; task < check::block_tasks(file) && !pace_.stopped(); ++task)
        check::check_blocks(run, file, task, [](std::uint64_t) { return true; });
    }
    ++report_.checked_files;
    report_.checked_bytes += file.info.size_bytes;
  });
}

/// Mends the files of one segment, each once, and adds what was found in them.
void IntegrityCheck::conclude(const Live& live, const NamedSegment& segment, const Files& files,
                              std::vector<Finding> findings) {
  std::map<FileKind, Mended> mended;
  const auto mend = [&](const Finding& finding, FileKind kind) -> Mended {
    const Mending::Part part = part_of(*live, *segment.entry);
    if (part == nullptr) return {.done = "it was merged into another segment meanwhile"};
    if (kind == FileKind::kSegment) return mending_.rows(*live, part, finding);
    if (kind == FileKind::kDead) return mending_.deaths(*live, part);
    return mending_.derived(*live, part);
  };
  // The rows first: what is derived from wrong ones need not be made again.
  std::stable_partition(findings.begin(), findings.end(), [&](const Finding& finding) {
    return files.kinds.at(finding.file) == FileKind::kSegment;
  });
  for (Finding& finding : findings) {
    if (finding.severity == Severity::kNote) {
      add(std::move(finding), {});
      continue;
    }
    FileKind kind = files.kinds.at(finding.file);
    if (kind == FileKind::kIndex) access_.damaged_indexes.fetch_add(1, std::memory_order_relaxed);
    if (kind == FileKind::kFields) kind = FileKind::kIndex;  // Both are built by one step.
    auto done = mended.find(kind);
    if (done == mended.end()) done = mended.emplace(kind, mend(finding, kind)).first;
    add(std::move(finding), done->second);
  }
}

void IntegrityCheck::add(Finding finding, const Mended& mended) {
  switch (finding.severity) {
    case Severity::kNote:
      ++report_.notes;
      break;
    case Severity::kWarning:
      ++report_.warnings;
      break;
    case Severity::kError:
      ++report_.errors;
      break;
  }
  if (report_.findings.size() >= limits::kCheckFindingsMax) {
    ++report_.findings_left_out;
    return;
  }
  if (finding.message.size() > limits::kCheckMessageBytesMax)
    finding.message.resize(limits::kCheckMessageBytesMax);
  report_.findings.push_back(
      {.what = std::move(finding), .mended = mended.mended, .done = mended.done});
  log_finding(report_.findings.back());
}

void IntegrityCheck::tell() {
  report_.duration_seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - began_).count();
  watcher_.on_report(report_);
}

}  // namespace vz::node
