#include "storage/snapshot/pack.h"

#include <algorithm>

#include "storage/archive/limits.h"
#include "storage/archive/member_name.h"

namespace vz::snapshot {
namespace {

constexpr std::int64_t kMicrosecondsPerSecond = 1'000'000;

tl::unexpected<Error> wrong_file(const std::string& path, const std::string& what) {
  return fail(ErrorCode::kCorruption,
              path + ": " + what +
                  "; nothing was packed. A derived file (.dead, .index, "
                  ".fields) is made anew by `data repair`, and the last two by an "
                  "index rebuild of a running node");
}

Status pack_file(Env& env, const std::string& path, const format::RestoreFile& file,
                 const std::string& member, archive::ArchiveWriter& writer) {
  auto opened = env.open(path, OpenMode::kRead);
  if (!opened && opened.error().code == ErrorCode::kNotFound) {
    return wrong_file(path, "the image names it, and it is missing");
  }
  if (!opened) return tl::unexpected<Error>(std::move(opened).error());
  VZ_TRY_ASSIGN(const std::uint64_t size, (*opened)->size());
  if (size != file.size_bytes) {
    return wrong_file(
        path, std::to_string(file.size_bytes) + " bytes expected, found " + std::to_string(size));
  }
  VZ_TRY(writer.begin(member, file.size_bytes));
  Sha256 hash;
  Bytes buffer(archive::kArchiveBlockBytes);
  for (std::uint64_t at = 0; at < size;) {
    const std::span chunk =
        std::span(buffer).first(std::min<std::uint64_t>(buffer.size(), size - at));
    VZ_TRY((*opened)->read_at(at, chunk));
    hash.update(chunk);
    VZ_TRY(writer.write(chunk));
    at += chunk.size();
  }
  if (const Sha256Digest found = hash.finish(); found != file.sha256) {
    return wrong_file(path, "sha256 " + to_hex(file.sha256) + " expected, found " + to_hex(found));
  }
  return {};
}

Status write_members(Env& env, const std::string& root, const SnapshotContents& contents,
                     archive::ArchiveFormat format, archive::ByteSink& sink) {
  const std::int64_t time_s = contents.manifest.time_us / kMicrosecondsPerSecond;
  VZ_TRY_ASSIGN(const auto writer, archive::ArchiveWriter::create(sink, format, time_s));
  const std::string prefix = prefix_of(contents.scope);
  VZ_TRY(writer->begin(prefix + std::string(archive::kRestoreName), contents.restore_bytes.size()));
  VZ_TRY(writer->write(contents.restore_bytes));
  for (const format::RestoreFile& file : contents.files)
    VZ_TRY(pack_file(env, root + "/" + file.path, file, prefix + file.path, *writer));
  return writer->finish();
}

/// The unpublished file; a leftover of a crash is replaced.
Result<PackReport> write_temporary(Env& env, const std::string& temporary,
                                   const WriteArchive& write) {
  if (env.exists(temporary)) VZ_TRY(env.remove(temporary));
  VZ_TRY_ASSIGN(const std::unique_ptr<File> file, env.open(temporary, OpenMode::kCreateNew));
  archive::FileSink sink(*file);
  VZ_TRY_ASSIGN(PackReport report, write(sink));
  VZ_TRY(file->sync());
  return report;
}

Status require_absent(Env& env, const std::string& to, Present present) {
  if (present == Present::kReplaced || !env.exists(to)) return {};
  return fail(ErrorCode::kAlreadyExists, to + " exists: name another file, or remove it");
}

/// No archive ever stands beside the checksum of another. A new one has its checksum before its
/// name; one that takes another's place does so in one step, and may lack it after a crash.
Status publish(Env& env, const std::string& temporary, const std::string& to,
               const PackReport& report) {
  const std::string checksum = checksum_path(to);
  const std::string directory = parent_directory(to);
  const std::string line =
      to_hex(report.archive_sha256) + "  " + to.substr(to.rfind('/') + 1) + "\n";
  const bool replaces = env.exists(to);
  if (env.exists(checksum)) {
    VZ_TRY(env.remove(checksum));
    VZ_TRY(env.sync_directory(directory));
  }
  if (!replaces) VZ_TRY(publish_file(env, checksum, as_bytes(line)));
  VZ_TRY(env.rename(temporary, to));
  VZ_TRY(env.sync_directory(directory));
  return replaces ? publish_file(env, checksum, as_bytes(line)) : Status();
}

}  // namespace

Result<PackReport> write_archive(Env& env, const std::string& root,
                                 const SnapshotContents& contents, archive::ArchiveFormat format,
                                 archive::ByteSink& sink) {
  archive::HashingSink hashed(sink);
  VZ_TRY(write_members(env, root, contents, format, hashed));
  return PackReport{summarize(contents), hashed.size_bytes(), hashed.finish()};
}

std::string checksum_path(const std::string& archive_path) {
  return archive_path + ".sha256";
}

Result<PackReport> publish_archive(Env& env, const std::string& to, Present present,
                                   const WriteArchive& write) {
  VZ_TRY(require_absent(env, to, present));
  const std::string temporary = to + ".tmp";
  auto report = write_temporary(env, temporary, write);
  Status done;
  if (report) done = require_absent(env, to, present);
  if (report && done) done = publish(env, temporary, to, *report);
  if (!report || !done) (void)env.remove(temporary);  // Best effort: the next one replaces it.
  VZ_TRY(done);
  return report;
}

}  // namespace vz::snapshot
