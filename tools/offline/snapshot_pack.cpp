#include "tools/offline/snapshot_pack.h"

#include <algorithm>

#include "storage/archive/limits.h"
#include "storage/archive/member_name.h"
#include "storage/store/directory_state.h"
#include "storage/store/store.h"
#include "tools/offline/data_directory.h"
#include "tools/offline/unflushed.h"

namespace vz::offline {
namespace {

constexpr std::int64_t kMicrosecondsPerSecond = 1'000'000;

/// Errors: kFailedPrecondition with their number; those of count_unflushed.
Status require_all_flushed(Env& env, const store::Paths& paths,
                           const manifest::Manifest& manifest) {
  VZ_TRY_ASSIGN(const UnflushedRecords unflushed, count_unflushed(env, paths, manifest));
  if (unflushed.records == 0) return {};
  return fail(ErrorCode::kFailedPrecondition,
              "the log of " + paths.root + " holds " + std::to_string(unflushed.records) +
                  " records that no segment holds: start the node once and stop it with SIGTERM, "
                  "which seals them, then pack again");
}

/// Errors: kNotFound, kNoData, kFailedPrecondition, those of reading.
Result<SnapshotContents> read_directory(Env& env, const store::Paths& paths) {
  VZ_TRY(store::read_identity(env, paths));
  VZ_TRY(require_no_swap(env, paths));
  auto manifest = manifest::load(env, paths.root);
  if (!manifest && manifest.error().code == ErrorCode::kNotFound) {
    return fail(ErrorCode::kCorruption, paths.root + "/CURRENT is missing");
  }
  if (!manifest) return tl::unexpected<Error>(std::move(manifest).error());
  VZ_TRY(require_all_flushed(env, paths, *manifest));
  return make_contents(std::move(*manifest));
}

tl::unexpected<Error> wrong_file(const std::string& path, const std::string& what) {
  return fail(ErrorCode::kCorruption, path + ": " + what +
                                          "; nothing was packed. A derived file (.dead, .index, "
                                          ".fields) is rebuilt by a start of the node");
}

Status pack_file(Env& env, const std::string& path, const format::RestoreFile& file,
                 archive::ArchiveWriter& writer) {
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
  VZ_TRY(writer.begin(file.path, file.size_bytes));
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

Status write_members(Env& env, const store::Paths& paths, const SnapshotContents& contents,
                     archive::ArchiveFormat format, archive::ByteSink& sink) {
  const std::int64_t time_s = contents.manifest.time_us / kMicrosecondsPerSecond;
  VZ_TRY_ASSIGN(const auto writer, archive::ArchiveWriter::create(sink, format, time_s));
  VZ_TRY(writer->begin(std::string(archive::kRestoreName), contents.restore_bytes.size()));
  VZ_TRY(writer->write(contents.restore_bytes));
  for (const format::RestoreFile& file : contents.files)
    VZ_TRY(pack_file(env, paths.root + "/" + file.path, file, *writer));
  return writer->finish();
}

Result<std::unique_ptr<FileLock>> lock_directory(Env& env, const store::Paths& paths) {
  VZ_TRY(require_directory(env, paths));
  VZ_TRY_ASSIGN(const auto state, store::inspect(env, paths));
  if (state == store::DirectoryState::kFresh) {
    return fail(ErrorCode::kNoData, paths.root + " holds no data yet: there is nothing to pack");
  }
  return lock_shared(env, paths);
}

/// The unpublished file; a leftover of a crash is replaced.
Result<PackReport> pack_to_temporary(Env& env, const std::string& data_dir,
                                     archive::ArchiveFormat format, const std::string& temporary) {
  if (env.exists(temporary)) VZ_TRY(env.remove(temporary));
  VZ_TRY_ASSIGN(const std::unique_ptr<File> file, env.open(temporary, OpenMode::kCreateNew));
  archive::FileSink sink(*file);
  VZ_TRY_ASSIGN(PackReport report, pack(env, data_dir, format, sink));
  VZ_TRY(file->sync());
  return report;
}

}  // namespace

std::string checksum_path(const std::string& archive_path) {
  return archive_path + ".sha256";
}

Result<PackReport> pack(Env& env, const std::string& data_dir, archive::ArchiveFormat format,
                        archive::ByteSink& sink) {
  const store::Paths paths = paths_of(data_dir);
  VZ_TRY_ASSIGN(const auto lock, lock_directory(env, paths));
  VZ_TRY_ASSIGN(const SnapshotContents contents, read_directory(env, paths));
  archive::HashingSink hashed(sink);
  VZ_TRY(write_members(env, paths, contents, format, hashed));
  return PackReport{summarize(contents), hashed.size_bytes(), hashed.finish()};
}

Result<PackReport> pack_to_file(Env& env, const std::string& data_dir,
                                archive::ArchiveFormat format, const std::string& to) {
  const std::string temporary = to + ".tmp";
  auto report = pack_to_temporary(env, data_dir, format, temporary);
  if (!report) {
    (void)env.remove(temporary);  // Best effort: the next pack replaces it.
    return report;
  }
  // First the old checksum goes: a crash must not leave it beside the new archive.
  const std::string checksum = checksum_path(to);
  if (env.exists(checksum)) VZ_TRY(env.remove(checksum));
  VZ_TRY(env.sync_directory(parent_directory(to)));
  VZ_TRY(env.rename(temporary, to));
  VZ_TRY(env.sync_directory(parent_directory(to)));
  const std::string line =
      to_hex(report->archive_sha256) + "  " + to.substr(to.rfind('/') + 1) + "\n";
  VZ_TRY(publish_file(env, checksum, as_bytes(line)));
  return report;
}

}  // namespace vz::offline
