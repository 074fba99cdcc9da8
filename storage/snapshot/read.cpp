#include "storage/snapshot/read.h"

#include <algorithm>
#include <set>

#include "storage/archive/archive_reader.h"
#include "storage/snapshot/directory_target.h"
#include "storage/snapshot/pack.h"

namespace vz::snapshot {
namespace {

constexpr std::uint64_t kChecksumFileBytesMax = 4096;

/// True if it says something about the archive, not about us or the machine.
bool is_finding(const Error& error) {
  return error.code == ErrorCode::kCorruption || error.code == ErrorCode::kTooLarge;
}

Result<SnapshotContents> read_restore(archive::ArchiveReader& reader) {
  VZ_TRY_ASSIGN(const auto member, reader.next());
  if (!member || member->kind != archive::MemberKind::kRestore) {
    return fail(ErrorCode::kCorruption, "RESTORE expected as the first member, found " +
                                            (member ? member->path : std::string("none")));
  }
  if (member->size_bytes > format::kRestoreBytesMax) {
    return fail(ErrorCode::kTooLarge, "RESTORE says that it has " +
                                          std::to_string(member->size_bytes) + " bytes, at most " +
                                          std::to_string(format::kRestoreBytesMax));
  }
  Bytes bytes;
  Bytes buffer(archive::kArchiveBlockBytes);  // Not the size that it says: it may have no content.
  for (;;) {
    VZ_TRY_ASSIGN(const std::size_t got, reader.read(buffer));
    if (got == 0) break;
    bytes.insert(bytes.end(), buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(got));
  }
  VZ_TRY_ASSIGN(SnapshotContents contents, store::decode_contents(std::move(bytes)));
  if (!member->of_collection) return contents;
  contents.scope = store::SnapshotScope::kCollection;
  if (contents.manifest.collections.size() != 1 || !contents.manifest.aliases.empty())
    return fail(ErrorCode::kCorruption, "RESTORE: one collection and no alias expected");
  return contents;
}

/// One pass over an archive.
class SnapshotPass {
 public:
  SnapshotPass(archive::ArchiveReader& reader, SnapshotTarget* target)
      : reader_(reader), target_(target) {}

  /// Errors: the target's, and those that are no findings.
  Status run(ReadReport& report) {
    auto contents = read_restore(reader_);
    if (!contents) return note_or_fail("RESTORE", contents.error(), report);
    report.summary = summarize(*contents);
    of_collection_ = contents->scope == store::SnapshotScope::kCollection;
    if (target_ != nullptr) VZ_TRY(target_->begin(*contents));
    for (;;) {
      const auto member = reader_.next();
      if (!member) return note_or_fail("archive", member.error(), report);
      if (!*member) break;
      const Status read = read_member(**member, contents->files, report);
      if (!read && target_failed_) return read;
      if (!read) return note_or_fail((*member)->path, read.error(), report);
    }
    for (const auto& file : contents->files) {
      if (!seen_.contains(file.path)) report.findings.push_back({file.path, "it is missing"});
    }
    return {};
  }

 private:
  static Status note_or_fail(const std::string& file, const Error& error, ReadReport& report) {
    if (!is_finding(error)) return tl::unexpected<Error>(error);
    report.findings.push_back({file, error.message + "; nothing behind it was read"});
    return {};
  }

  Status read_member(const archive::Member& member, const std::vector<format::RestoreFile>& files,
                     ReadReport& report) {
    const auto known = std::lower_bound(
        files.begin(), files.end(), member.path,
        [](const format::RestoreFile& file, const std::string& path) { return file.path < path; });
    if (known == files.end() || known->path != member.path ||
        member.of_collection != of_collection_) {
      report.findings.push_back({member.path, "RESTORE does not name it"});
      return {};
    }
    seen_.insert(member.path);
    if (known->size_bytes != member.size_bytes) {
      report.findings.push_back({member.path, std::to_string(known->size_bytes) +
                                                  " bytes expected, found " +
                                                  std::to_string(member.size_bytes)});
      return {};
    }
    VZ_TRY_ASSIGN(const Sha256Digest found, copy_member(*known));
    if (found != known->sha256) {
      report.findings.push_back(
          {member.path, "sha256 " + to_hex(known->sha256) + " expected, found " + to_hex(found)});
      return {};
    }
    ++report.files_checked;
    report.bytes_checked += member.size_bytes;
    return {};
  }

  Result<Sha256Digest> copy_member(const format::RestoreFile& file) {
    if (target_ != nullptr) VZ_TRY(told(target_->begin_file(file)));
    Sha256 hash;
    for (;;) {
      VZ_TRY_ASSIGN(const std::size_t got, reader_.read(buffer_));
      if (got == 0) break;
      const ByteSpan bytes = ByteSpan(buffer_).first(got);
      hash.update(bytes);
      if (target_ != nullptr) VZ_TRY(told(target_->write(bytes)));
    }
    if (target_ != nullptr) VZ_TRY(told(target_->end_file()));
    return hash.finish();
  }

  Status told(Status status) {
    target_failed_ = target_failed_ || !status;
    return status;
  }

  archive::ArchiveReader& reader_;
  SnapshotTarget* target_;
  bool target_failed_ = false;
  bool of_collection_ = false;  ///< what RESTORE is of
  Bytes buffer_ = Bytes(archive::kArchiveBlockBytes);
  std::set<std::string> seen_;
};

Status check_beside(Env& env, const std::string& path, ReadReport& report) {
  const std::string beside = checksum_path(path);
  if (!env.exists(beside)) return {};
  VZ_TRY_ASSIGN(const Bytes bytes, read_file(env, beside, kChecksumFileBytesMax));
  const std::string expected = to_hex(report.archive_sha256);
  const std::string_view text = as_text(bytes);
  if (!text.starts_with(expected + " ")) {
    report.findings.push_back(
        {"archive", "its sha256 is " + expected + ", which is not the one in " + beside});
  }
  return {};
}

}  // namespace

Result<ReadReport> read_snapshot(archive::ByteSource& source, const archive::ArchiveLimits& limits,
                                 SnapshotTarget* target) {
  archive::HashingSource hashed(source);
  VZ_TRY_ASSIGN(const auto reader, archive::ArchiveReader::open(hashed, limits));
  ReadReport report;
  VZ_TRY(SnapshotPass(*reader, target).run(report));
  VZ_TRY_ASSIGN(report.archive_sha256, hashed.finish());
  return report;
}

Result<ReadReport> verify(archive::ByteSource& source, const archive::ArchiveLimits& limits) {
  return read_snapshot(source, limits, nullptr);
}

Result<ReadReport> verify_file(Env& env, const std::string& path,
                               const archive::ArchiveLimits& limits) {
  VZ_TRY_ASSIGN(const auto source, archive::FileSource::open(env, path));
  VZ_TRY_ASSIGN(ReadReport report, verify(*source, limits));
  VZ_TRY(check_beside(env, path, report));
  return report;
}

Result<SnapshotSummary> inspect(archive::ByteSource& source, const archive::ArchiveLimits& limits) {
  VZ_TRY_ASSIGN(const auto reader, archive::ArchiveReader::open(source, limits));
  VZ_TRY_ASSIGN(const SnapshotContents contents, read_restore(*reader));
  return summarize(contents);
}

Result<ReadReport> extract(Env& env, archive::ByteSource& source, const std::string& to,
                           const archive::ArchiveLimits& limits) {
  const bool made = !env.exists(to);
  if (made) {
    VZ_TRY(env.create_directory(to));
  } else {
    VZ_TRY_ASSIGN(const auto entries, env.list(to));
    if (!entries.empty()) {
      return fail(ErrorCode::kFailedPrecondition,
                  to + " is not empty: name a new or an empty directory");
    }
  }
  DirectoryTarget target(env, to, DirectoryTarget::Marker::kWritten);
  auto report = read_snapshot(source, limits, &target);
  if (report && report->sound()) {
    if (auto synced = target.finish(); !synced)
      report = tl::unexpected<Error>(std::move(synced).error());
  }
  if (!report || !report->sound()) {
    remove_content(env, to);
    if (made) (void)env.remove_directory(to);
  }
  return report;
}

}  // namespace vz::snapshot
