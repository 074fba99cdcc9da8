#include "engine/node/snapshots.h"

#include <algorithm>
#include <filesystem>

#include "engine/node/cut.h"
#include "storage/base/hex.h"
#include "storage/base/log.h"
#include "storage/env/posix_file.h"
#include "storage/store/ballast.h"

namespace vz::node {
namespace {

tl::unexpected<Error> cancelled_error() {
  return fail(ErrorCode::kCancelled, "the node is stopping");
}

/// Passes on what it gets, until it is cancelled.
class CancellableSink final : public archive::ByteSink {
 public:
  CancellableSink(archive::ByteSink& to, std::stop_token stop) : to_(to), stop_(std::move(stop)) {}
  Status write(ByteSpan bytes) override {
    if (stop_.stop_requested()) return cancelled_error();
    return to_.write(bytes);
  }

 private:
  archive::ByteSink& to_;
  const std::stop_token stop_;
};

/// A file from its start, as long as it was when it was opened, until it is cancelled.
class CancellableSource final : public archive::ByteSource {
 public:
  CancellableSource(const File& file, std::uint64_t size, std::stop_token stop)
      : file_(file), size_(size), stop_(std::move(stop)) {}
  Result<std::size_t> read(std::span<std::byte> out) override {
    if (stop_.stop_requested()) return cancelled_error();
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), size_ - at_));
    if (size == 0) return std::size_t{0};
    VZ_TRY(file_.read_at(at_, out.first(size)));
    at_ += size;
    return size;
  }

 private:
  const File& file_;
  const std::uint64_t size_;
  const std::stop_token stop_;
  std::uint64_t at_ = 0;
};

/// The path of a location. Errors: kInvalidArgument.
Result<std::string> path_of(const std::string& location) {
  constexpr std::string_view kFile = "file://";
  std::string path = location;
  if (location.starts_with(kFile)) {
    path.clear();
    const std::string_view rest = std::string_view(location).substr(kFile.size());
    for (std::size_t i = 0; i < rest.size(); ++i) {
      const bool escaped = rest[i] == '%' && i + 2 < rest.size() && hex_digit(rest[i + 1]) >= 0 &&
                           hex_digit(rest[i + 2]) >= 0;
      path += escaped ? static_cast<char>(hex_digit(rest[i + 1]) * 16 + hex_digit(rest[i + 2]))
                      : rest[i];
      if (escaped) i += 2;
    }
  } else if (location.find("://") != std::string::npos) {
    return fail(ErrorCode::kInvalidArgument,
                "location: a path or a file:// URI expected; remote sources are not supported");
  }
  if (!path.starts_with('/') || path.find('\0') != std::string::npos)
    return fail(ErrorCode::kInvalidArgument, "location: an absolute path expected");
  return path;
}

}  // namespace

Result<std::optional<Sha256Digest>> parse_checksum(const std::string& hex) {
  if (hex.empty()) return std::nullopt;
  if (const auto digest = parse_sha256(hex)) return digest;
  return fail(ErrorCode::kInvalidArgument, "checksum: 64 hexadecimal digits of a SHA-256 expected");
}

Snapshots::Snapshots(Env& env, NodeOwner& nodes, SnapshotOptions options)
    : env_(env),
      nodes_(nodes),
      options_(std::move(options)),
      folder_(env, snapshot::folder_of(options_.data_dir)) {}

snapshot::Folder Snapshots::folder(const Of& of) const {
  if (!of) return folder_;
  return {env_, snapshot::folder_of_collection(options_.data_dir, *of)};
}

/// Archives of vectors are hardly smaller than the files: they count in full.
Status Snapshots::check_space(const store::SnapshotContents& contents) const {
  std::uint64_t needed = contents.restore_bytes.size();
  for (const auto& file : contents.files) needed += file.size_bytes;
  VZ_TRY_ASSIGN(const DiskSpace space, env_.disk_space(options_.data_dir));
  const std::uint64_t reserve =
      options_.disk_reserve_bytes.value_or(store::default_reserve_bytes(space.total_bytes));
  if (space.free_bytes >= reserve && space.free_bytes - reserve >= needed) return {};
  return fail(ErrorCode::kNoSpace, "the snapshot may take " + std::to_string(needed) +
                                       " bytes, and " + std::to_string(reserve) +
                                       " must stay free; the disk has " +
                                       std::to_string(space.free_bytes));
}

Result<snapshot::ArchiveInfo> Snapshots::create(const Of& of, archive::ArchiveFormat format) {
  auto made = create_archive(of, format);
  if (!made) failures_.fetch_add(1, std::memory_order_relaxed);
  return made;
}

Result<snapshot::ArchiveInfo> Snapshots::create_archive(const Of& of,
                                                        archive::ArchiveFormat format) {
  const auto begin = std::chrono::steady_clock::now();
  VZ_TRY_ASSIGN(const auto cut, nodes_.cut());
  store::SnapshotContents contents = cut->contents();
  if (of) {
    VZ_TRY_ASSIGN(contents, store::contents_of_collection(contents, *of));
  }
  VZ_TRY(check_space(contents));
  const std::string node_id = nodes_.current()->node_id();
  const auto write = [&](const std::string& name,
                         archive::ByteSink& to) -> Result<snapshot::Folder::Written> {
    CancellableSink sink(to, stop_.get_token());
    VZ_TRY_ASSIGN(auto report, snapshot::write_archive(env_, cut->root(), contents, format, sink));
    std::string json = snapshot_manifest_json(node_id, name, contents, cut->lsn(), report);
    return snapshot::Folder::Written{std::move(report), std::move(json)};
  };
  if (of) VZ_TRY(snapshot::make_collection_folders(env_, options_.data_dir));
  VZ_TRY_ASSIGN(auto made, folder(of).create(format, write));
  LogEvent(LogLevel::kInfo, "snapshot_created")
      .with("name", made.name)
      .with("collection", of.value_or(""))
      .with("lsn", cut->lsn())
      .with("size_bytes", made.size_bytes)
      .with("took_ms", std::chrono::duration_cast<std::chrono::milliseconds>(
                           std::chrono::steady_clock::now() - begin)
                           .count());
  return made;
}

Status Snapshots::remove(const Of& of, std::string_view name) {
  VZ_TRY(folder(of).remove(name));
  LogEvent(LogLevel::kInfo, "snapshot_deleted")
      .with("name", name)
      .with("collection", of.value_or(""));
  return {};
}

Result<std::unique_ptr<File>> Snapshots::open_location(const std::string& location) const {
  VZ_TRY_ASSIGN(const std::string path, path_of(location));
  std::error_code ignored;
  std::vector<std::string> directories = options_.restore_dirs;
  directories.push_back(std::filesystem::absolute(folder_.directory(), ignored));
  std::string allowed;
  for (std::string directory : directories) {
    directory = std::filesystem::path(directory).lexically_normal();
    if (!directory.ends_with('/')) directory += '/';
    allowed += (allowed.empty() ? "" : ", ") + directory;
    if (!path.starts_with(directory) || path.size() == directory.size()) continue;
    auto file = PosixFile::open_trusted(directory.substr(0, directory.size() - 1),
                                        path.substr(directory.size()));
    // A link on the way, or no regular file.
    if (!file && file.error().code == ErrorCode::kIoError)
      return fail(ErrorCode::kInvalidArgument, "location: " + file.error().message);
    return file;
  }
  return fail(ErrorCode::kPermissionDenied,
              "location: only files below " + allowed + " may be restored (storage.restore_dirs)");
}

Status Snapshots::recover(const Of& of, const std::string& location, const std::string& sha256) {
  VZ_TRY_ASSIGN(const auto expected, parse_checksum(sha256));
  VZ_TRY_ASSIGN(const auto file, open_location(location));
  VZ_TRY_ASSIGN(const std::uint64_t size, file->size());
  return put_in_force(of, *file, size, expected, location);
}

Status Snapshots::recover(const Of& of, const SnapshotUpload& upload,
                          const std::optional<Sha256Digest>& expected) {
  return put_in_force(of, upload.file(), upload.size_bytes(), expected, "upload");
}

Status Snapshots::put_in_force(const Of& of, const File& file, std::uint64_t size_bytes,
                               const std::optional<Sha256Digest>& expected,
                               const std::string& from) {
  CancellableSource source(file, size_bytes, stop_.get_token());
  if (of) {
    VZ_TRY_ASSIGN(const Lsn lsn,
                  nodes_.recover_collection(*of, source, expected, stop_.get_token()));
    LogEvent(LogLevel::kInfo, "collection_recovered")
        .with("collection", *of)
        .with("location", from)
        .with("lsn", lsn);
    return {};
  }
  VZ_TRY_ASSIGN(const Recovery recovery, nodes_.recover(source, expected));
  LogEvent(LogLevel::kInfo, "snapshot_recovered")
      .with("location", from)
      .with("epoch", recovery.epoch)
      .with("lsn", recovery.lsn);
  return {};
}

Result<std::shared_ptr<SnapshotUpload>> Snapshots::begin_upload(
    std::optional<std::uint64_t> length_bytes) {
  return SnapshotUpload::begin(env_, folder_, uploads_,
                               {.data_dir = options_.data_dir,
                                .length_bytes = length_bytes,
                                .disk_reserve_bytes = options_.disk_reserve_bytes,
                                .stop = stop_.get_token()});
}

}  // namespace vz::node
