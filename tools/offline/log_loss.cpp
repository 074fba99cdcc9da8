#include "tools/offline/log_loss.h"

#include <algorithm>

#include <fmt/format.h>

#include "storage/wal/log_file.h"
#include "storage/wal/log_scan.h"
#include "tools/offline/log_check.h"

namespace vz::offline {
namespace {

using wal::LogFileName;
using wal::LogFileReader;

/// The highest lsn of valid records behind damage at `from`, in the same file.
Lsn last_behind(const LogFileReader& file, std::uint64_t from, Lsn expected) {
  Lsn last = 0;
  for (;;) {
    const auto beyond =
        wal::scan_beyond(file.bytes(), {from, expected, file.header().epoch}, file.seed());
    if (!beyond.proof) return last;
    std::uint64_t at = beyond.proof->offset;
    expected = beyond.proof->lsn;
    while (at < file.bytes().size()) {
      const auto record = format::decode_wal_record(file.bytes().subspan(at), file.seed());
      if (!record || record->lsn != expected) break;
      last = expected++;
      at += format::wal_record_size(record->payload.size());
    }
    from = at;
  }
}

/// The highest lsn that the headers of a file without a usable header of its own show.
Lsn last_by_headers(Env& env, const LogFileName& name) {
  namespace at = format::wal_record_offset;
  const auto map = env.map(name.path);
  if (!map) return 0;
  const ByteSpan bytes = (*map)->bytes();
  Lsn expected = name.first_lsn;
  std::uint64_t offset = format::kWalFileHeaderSize;
  while (offset + format::kWalRecordHeaderSize <= bytes.size()) {
    const std::byte* record = bytes.data() + offset;
    const auto size =
        format::wal_record_size(load_number<std::uint32_t>(record + at::kPayloadSize));
    if (load_number<Lsn>(record + at::kLsn) != expected || size > bytes.size() - offset) break;
    ++expected;
    offset += size;
  }
  return expected - 1;
}

class Verdict {
 public:
  Verdict(Env& env, const store::Paths& paths, const manifest::Manifest& image)
      : env_(env), paths_(paths), image_(image) {}

  Result<LogVerdict> judge() {
    auto listed = wal::list_log_files(env_, paths_.wal());
    if (!listed && listed.error().code != ErrorCode::kNotFound)
      return tl::unexpected<Error>(listed.error());
    if (listed) files_ = std::move(*listed);
    if (files_.empty()) return without_files();
    Lsn undecodable = 0;
    const auto visit = [&](const format::WalRecord& record) -> Status {
      const Status decoded = check::decode_payload(record);
      if (!decoded && undecodable == 0) undecodable = record.lsn;
      return decoded;
    };
    VZ_TRY_ASSIGN(const auto survey,
                  wal::survey(env_, paths_.wal(), std::max<Lsn>(1, image_.log_lsn),
                              manifest::durable_lsn(image_), visit));
    const auto first = std::find_if(survey.damage.begin(), survey.damage.end(),
                                    [](const wal::LogDamage& damage) { return damage.needed; });
    if (first == survey.damage.end()) {
      verdict_.torn_tail = survey.summary.torn_tail;
      verdict_.last_kept = survey.summary.last_lsn;
      return verdict_;
    }
    VZ_TRY(cut_at(*first, undecodable));
    return verdict_;
  }

 private:
  Result<LogVerdict> without_files() {
    const bool restored = !image_.epochs.empty() &&
                          image_.epochs.back().kind == manifest::EpochKind::kRestore &&
                          image_.epochs.back().first_lsn == image_.log_lsn;
    const bool clean_and_flushed = image_.clean_lsn != 0 && image_.clean_lsn < image_.log_lsn;
    if (image_.clean_lsn == 0 && (image_.catalog_lsn == 0 || restored)) return verdict_;
    LogCut cut{.message = "expected at least one log file, found none",
               .first_lost = image_.log_lsn,
               .last_lost = std::max(manifest::durable_lsn(image_), image_.log_lsn),
               .records = 1,
               .count_is_known = false};
    cut.records = cut.last_lost - image_.log_lsn + 1;
    if (image_.clean_lsn != 0) {
      cut.count_is_known = true;
      cut.last_lost = image_.clean_lsn;
      cut.records = clean_and_flushed ? 0 : image_.clean_lsn - image_.log_lsn + 1;
    }
    verdict_.cut = std::move(cut);
    return verdict_;
  }

  Status cut_at(const wal::LogDamage& damage, Lsn undecodable) {
    const auto at = std::find_if(files_.begin(), files_.end(),
                                 [&](const LogFileName& file) { return file.path == damage.path; });
    VZ_ASSERT(at != files_.end());
    LogCut cut{.message = damage.message, .first_lost = damage.lsn};
    std::uint64_t offset = damage.offset;
    const bool hole = damage.offset == 0 && damage.lsn < at->first_lsn;
    auto reader = LogFileReader::open(env_, *at);
    if (!hole && reader) {
      // Where the damage says, or in front of a record that it could not decode.
      const bool payload = undecodable != 0 && undecodable + 1 == damage.lsn;
      if (payload) cut.first_lost = undecodable;
      while (reader->next_lsn() < cut.first_lost) {
        const auto record = reader->next();
        if (!record || !*record) break;
      }
      offset = reader->offset();
      cut.last_lost = payload ? undecodable : 0;
      cut.last_lost = std::max(cut.last_lost, last_behind(*reader, offset, cut.first_lost));
      if (payload) {
        const Lsn behind = last_readable(*reader, undecodable);
        cut.last_lost = std::max(cut.last_lost, behind);
      }
    } else {
      cut.last_lost = last_by_headers(env_, *at);
      offset = 0;
    }
    std::size_t from = static_cast<std::size_t>(at - files_.begin());
    if (offset > 0) {
      cut.path = at->path;
      cut.offset = offset;
      ++from;
    } else if (at != files_.begin()) {
      end_with(*std::prev(at), cut);
    }
    for (std::size_t i = from; i < files_.size(); ++i) {
      cut.removed.push_back(files_[i].path);
      raise(cut, last_of(files_[i]));
    }
    raise(cut, manifest::durable_lsn(image_));
    const Lsn first_needed = std::max(cut.first_lost, image_.log_lsn);
    cut.records = cut.last_lost >= first_needed ? cut.last_lost - first_needed + 1 : 0;
    // Of the last file nothing tells how many records it held, once its head is damaged.
    if (offset == 0 && !hole && at + 1 == files_.end() && image_.clean_lsn == 0) {
      cut.count_is_known = false;
      cut.records = std::max<std::uint64_t>(cut.records, 1);
      raise(cut, first_needed);
    }
    // What was not read shows no records behind it either.
    if (damage.code == ErrorCode::kIoError) {
      cut.count_is_known = false;
      cut.records = std::max<std::uint64_t>(cut.records, 1);
      raise(cut, first_needed);
    }
    verdict_.last_kept = cut.first_lost - 1;
    verdict_.cut = std::move(cut);
    return {};
  }

  /// The file becomes the last one: what stands behind its records must not look like a write that
  /// was cut short.
  void end_with(const LogFileName& file, LogCut& cut) {
    auto reader = LogFileReader::open(env_, file);
    if (!reader) return;
    last_readable(*reader, 0);
    if (const auto tail = wal::torn_tail_of(*reader)) {
      cut.path = tail->path;
      cut.offset = tail->offset;
    }
  }

  static void raise(LogCut& cut, Lsn lsn) { cut.last_lost = std::max(cut.last_lost, lsn); }

  /// Reads on from where the reader stands.
  static Lsn last_readable(LogFileReader& reader, Lsn from) {
    Lsn last = from;
    for (;;) {
      const auto record = reader.next();
      if (!record || !*record) return last;
      last = (*record)->lsn;
    }
  }

  Lsn last_of(const LogFileName& name) {
    const Lsn by_name = name.first_lsn - 1;
    auto reader = LogFileReader::open(env_, name);
    if (!reader) return std::max(by_name, last_by_headers(env_, name));
    const Lsn read = last_readable(*reader, by_name);
    return std::max(read, last_behind(*reader, reader->offset(), reader->next_lsn()));
  }

  Env& env_;
  const store::Paths& paths_;
  const manifest::Manifest& image_;
  std::vector<LogFileName> files_;
  LogVerdict verdict_;
};

}  // namespace

Result<LogVerdict> judge_log(Env& env, const store::Paths& paths, const manifest::Manifest& image) {
  return Verdict(env, paths, image).judge();
}

Status each_kept_record(Env& env, const store::Paths& paths, Lsn from_lsn,
                        const LogVerdict& verdict, const wal::RecordVisitor& visitor) {
  auto files = wal::list_log_files(env, paths.wal());
  if (!files && files.error().code == ErrorCode::kNotFound) return {};
  VZ_TRY(files);
  for (const LogFileName& name : *files) {
    const auto& cut = verdict.cut;
    if (cut && std::find(cut->removed.begin(), cut->removed.end(), name.path) != cut->removed.end())
      break;
    auto reader = LogFileReader::open(env, name);
    if (!reader && reader.error().code != ErrorCode::kCorruption)
      return tl::unexpected<Error>(reader.error());
    if (!reader) continue;  // Nobody needs it: judge_log() would have cut here.
    for (;;) {
      if (cut && cut->path == name.path && reader->offset() >= cut->offset) break;
      const auto record = reader->next();
      if (!record && record.error().code != ErrorCode::kCorruption)
        return tl::unexpected<Error>(record.error());
      if (!record || !*record) break;
      if ((*record)->lsn >= from_lsn) VZ_TRY(visitor(**record));
    }
    // Behind a cut nothing was read.
    if (!cut || cut->path != name.path) VZ_TRY(reader->readable());
  }
  return {};
}

}  // namespace vz::offline
