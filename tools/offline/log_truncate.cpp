#include "tools/offline/log_truncate.h"

#include <algorithm>

#include <fmt/format.h>

#include "storage/store/restoration.h"
#include "storage/wal/log_file.h"
#include "storage/wal/log_scan.h"
#include "tools/offline/data_directory.h"
#include "tools/offline/quarantine.h"

namespace vz::offline {
namespace {

using manifest::Manifest;
using wal::LogFileName;
using wal::LogFileReader;

/// The last lsn that segments and catalog are as of: the log cannot be shorter.
Lsn least_of(const Manifest& image) {
  Lsn least = std::max(image.catalog_lsn, image.clean_lsn);
  for (const auto& entry : image.collections) least = std::max(least, entry.flushed_lsn);
  return least;
}

/// The last valid record behind the damage or the end at which `reader` stands; 0 if there is none.
Lsn last_behind(const LogFileReader& reader) {
  const ByteSpan bytes = reader.bytes();
  wal::InvalidRecord invalid{reader.offset(), reader.next_lsn(), reader.header().epoch};
  Lsn last = 0;
  while (const auto proof = wal::scan_beyond(bytes, invalid, reader.seed()).proof) {
    std::uint64_t offset = proof->offset;
    for (Lsn expected = proof->lsn;; ++expected) {
      const auto record = format::decode_wal_record(bytes.subspan(offset), reader.seed());
      if (!record || record->lsn != expected) break;
      last = expected;
      offset += format::wal_record_size(record->payload.size());
    }
    invalid = {offset, last + 1, reader.header().epoch};
  }
  return last;
}

/// What is in one file, by one pass over it.
struct FileReading {
  LogFileName name{};
  bool header_sound = false;
  Lsn end = 0;  ///< where its unbroken records end: of the one expected next
  /// The last record known to have been in it, also behind damage; first_lsn - 1 if there is none.
  Lsn last = 0;
  std::uint64_t cut_offset = 0;  ///< behind its records up to `at`
};

/// Errors: kIncompatible, kIoError.
Result<FileReading> read_records(Env& env, const LogFileName& name, Lsn at) {
  FileReading out{.name = name, .end = name.first_lsn, .last = name.first_lsn - 1};
  auto reader = LogFileReader::open(env, name);
  if (!reader && reader.error().code != ErrorCode::kCorruption)
    return tl::unexpected<Error>(reader.error());
  if (!reader) {
    // How many records it holds nobody knows: each takes its header's room at least.
    const std::uint64_t room = name.size_bytes / format::kWalRecordHeaderSize;
    out.last += std::max<std::uint64_t>(1, room);
    return out;
  }
  out.header_sound = true;
  out.cut_offset = reader->offset();
  for (;;) {
    const auto record = reader->next();
    if (!record && record.error().code == ErrorCode::kIncompatible)
      return tl::unexpected<Error>(record.error());
    if (!record || !*record) break;
    out.last = (*record)->lsn;
    if (out.last <= at) out.cut_offset = reader->offset();
  }
  out.end = reader->next_lsn();
  out.last = std::max(out.last, last_behind(*reader));
  VZ_TRY(reader->readable());
  return out;
}

/// The lsn up to which a start could read, if nothing lay behind it.
Lsn readable_to(const std::vector<FileReading>& files, Lsn log_lsn) {
  std::size_t i = files.size() - 1;
  while (i > 0 && files[i].name.first_lsn > log_lsn) --i;
  Lsn readable = files[i].name.first_lsn - 1;
  for (const std::size_t first = i; i < files.size(); ++i) {
    const bool gap = i > first && files[i].name.epoch != files[i - 1].name.epoch &&
                     files[i].name.first_lsn > readable;
    const bool follows = i == first || gap || files[i].name.first_lsn == readable + 1;
    if (!follows || !files[i].header_sound) break;
    readable = files[i].end - 1;
    if (files[i].last > readable) break;
  }
  return readable;
}

class Truncation {
 public:
  Truncation(Env& env, const store::Paths& paths, const Manifest& image,
             const TruncateOptions& options)
      : env_(env), paths_(paths), image_(image), options_(options), next_(image) {}

  /// What will be done.
  Result<TruncateReport> plan() {
    VZ_TRY_ASSIGN(const auto names, wal::list_log_files(env_, paths_.wal()));
    for (const LogFileName& name : names) {
      VZ_TRY_ASSIGN(FileReading one, read_records(env_, name, options_.at));
      // A file is begun only when every record before it is durable: also those that are damaged.
      if (!files_.empty() && files_.back().name.epoch == name.epoch)
        files_.back().last = name.first_lsn - 1;
      files_.push_back(std::move(one));
    }
    TruncateReport report{.at = options_.at, .least = least_of(image_)};
    report.readable = files_.empty() ? 0 : readable_to(files_, image_.log_lsn);
    for (const FileReading& file : files_) {
      report.last = std::max(report.last, file.last);
      const Lsn kept = std::max(options_.at, file.name.first_lsn - 1);
      if (file.last > kept) report.records_lost += file.last - kept;
    }
    VZ_TRY(require_possible(report));
    report.allowed = report.records_lost <= options_.loss_allowed;
    if (report.records_lost == 0) return report;

    while (cut_ + 1 < files_.size() && files_[cut_ + 1].name.first_lsn <= options_.at) ++cut_;
    for (std::size_t i = cut_; i < files_.size(); ++i) {
      report.files.push_back(files_[i].name.path.substr(paths_.root.size() + 1));
      report.bytes_kept_aside += files_[i].name.size_bytes;
    }
    VZ_TRY_ASSIGN(const auto epoch, begin_epoch(report.last));
    report.epoch = epoch.epoch;
    report.first_lsn = epoch.first_lsn;
    if (!files_[cut_].header_sound) {  // Not even a header stays of the log: it begins anew.
      next_.log_lsn = report.first_lsn;
      next_.clean_lsn = 0;
    }
    return report;
  }

  /// Does what plan() said. Errors: kIoError, kNoSpace.
  Status apply(store::Store& store, const TruncateReport& report) {
    if (next_ != image_) {
      ++next_.number;
      VZ_TRY(store.publish(next_));
    }
    const FileReading& file = files_[cut_];
    QuarantineRecord record{
        .name = fmt::format("truncated-{:04}", report.epoch),
        .kind = "log",
        .why = fmt::format("cut behind record {}, as `data wal truncate` was told", report.at),
        .first_lsn = report.at + 1,
        .last_lsn = report.last,
        .tool = options_.tool};
    const auto add = [&](const FileReading& one, bool moved) {
      record.files.push_back({.name = one.name.path.substr(one.name.path.rfind('/') + 1),
                              .from = one.name.path.substr(paths_.root.size() + 1),
                              .moved = moved});
    };
    for (std::size_t i = files_.size(); i-- > cut_ + 1;) add(files_[i], true);
    add(file, !file.header_sound);
    VZ_TRY(keep_in_quarantine(env_, paths_, std::move(record)));
    if (!file.header_sound) return {};
    VZ_TRY_ASSIGN(const auto opened, env_.open(file.name.path, OpenMode::kReadWrite));
    VZ_TRY(opened->truncate(file.cut_offset));
    return opened->sync();
  }

 private:
  Status require_possible(const TruncateReport& report) const {
    if (report.at < report.least) {
      return fail(
          ErrorCode::kFailedPrecondition,
          fmt::format("--at {}: segments and manifest hold everything up to {}: expected an "
                      "lsn from there on; to go further back, restore a snapshot",
                      report.at, report.least));
    }
    if (report.at <= report.readable || report.last <= report.readable) return {};
    return fail(ErrorCode::kFailedPrecondition,
                fmt::format("--at {}: the log can be read up to {}, and is damaged there: expected "
                            "an lsn from {} to {}",
                            report.at, report.readable, report.least, report.readable));
  }

  /// The one that a run that was killed has begun, if nothing was written in it; else a new one.
  Result<manifest::EpochEntry> begin_epoch(Lsn last) {
    const bool begun = !image_.epochs.empty() &&
                       image_.epochs.back().kind == manifest::EpochKind::kRestore &&
                       image_.epochs.back().first_lsn > last &&
                       files_.back().name.epoch < image_.epochs.back().epoch;
    if (begun) return image_.epochs.back();
    VZ_TRY_ASSIGN(const store::SeenHere seen, store::look_around(env_, paths_));
    return store::begin_epoch(next_, seen, last);
  }

  Env& env_;
  const store::Paths& paths_;
  const Manifest& image_;
  const TruncateOptions& options_;
  Manifest next_;  ///< what will be published
  std::vector<FileReading> files_;
  std::size_t cut_ = 0;  ///< the file that `at` is in; those behind it go
};

}  // namespace

Result<TruncateReport> truncate_log(Env& env, const std::string& directory,
                                    const TruncateOptions& options) {
  if (options.run == TruncateOptions::Run::kPlan) {
    VZ_TRY_ASSIGN(const DataDirectory data, open_for_reading(env, directory));
    return Truncation(env, data.paths, data.image, options).plan();
  }
  VZ_TRY_ASSIGN(const auto store, open_for_writing(env, directory));
  Truncation truncation(env, store->paths(), store->opened_manifest(), options);
  VZ_TRY_ASSIGN(TruncateReport report, truncation.plan());
  if (!report.allowed || report.records_lost == 0) return report;
  VZ_TRY(truncation.apply(*store, report));
  report.truncated = true;
  return report;
}

}  // namespace vz::offline
