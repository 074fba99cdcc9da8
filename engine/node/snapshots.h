// Snapshots of a running node: made, listed, handed out, and put in force.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "engine/node/node_owner.h"
#include "engine/node/snapshot_upload.h"
#include "storage/snapshot/folder.h"

namespace vz::node {

struct SnapshotOptions {
  std::string data_dir;
  /// Where recover() may take archives from, besides the node's own snapshots/. Absolute.
  std::vector<std::string> restore_dirs = {"/tmp", "/backups"};
  std::optional<std::uint64_t> disk_reserve_bytes = std::nullopt;  ///< nothing: by the disk's size
};

/// Thread-safe. create() and recover() last as long as the data is large: on a thread that may
/// wait, one of them at a time.
class Snapshots {
 public:
  /// Both must outlive it.
  Snapshots(Env& env, NodeOwner& nodes, SnapshotOptions options);

  /// What a call is about: the whole node, or one collection of it, by its name, no alias. Each has
  /// its own folder. A collection's outlasts it: by its archives it can come back.
  using Of = std::optional<std::string>;
  static constexpr std::nullopt_t kNode = std::nullopt;

  /// An archive, all of it as of one lsn, with checksum and manifest beside it.
  /// Errors: those of NodeOwner::cut; kNotFound (collection); kNoSpace with the numbers, before
  /// anything was written; kIoError, kCorruption (a file that rotted); kCancelled. Nothing of it is
  /// to be seen then.
  Result<snapshot::ArchiveInfo> create(const Of& of, archive::ArchiveFormat format);

  Result<std::vector<snapshot::ArchiveInfo>> list(const Of& of) const { return folder(of).list(); }
  Result<snapshot::OpenedFile> open(const Of& of, std::string_view name) const {
    return folder(of).open(name);
  }
  Status remove(const Of& of, std::string_view name);

  /// Puts the archive at `location` in force, as the whole node or as one collection beside all
  /// others, which need not exist: an absolute path, or a file:// URI, in snapshots/ or
  /// one of the restore_dirs; a regular file that nobody but root and we could have written, opened
  /// once and without following links. sha256: hexadecimal; "" is not compared.
  /// Errors: kInvalidArgument (location, sha256, archive), kPermissionDenied (another directory, or
  /// another user's file), kNotFound; those of NodeOwner::recover and recover_collection();
  /// kCancelled.
  Status recover(const Of& of, const std::string& location, const std::string& sha256);

  /// A file for an archive that a client sends; limits::kUploadsMax of them at once.
  /// length_bytes: of the archive, nothing if that is not known.
  /// Errors: kUnavailable (too many arrive already), kTooLarge, kNoSpace with the numbers, all
  /// before anything was written; kIoError, kCancelled. Nothing is left then.
  Result<std::shared_ptr<SnapshotUpload>> begin_upload(std::optional<std::uint64_t> length_bytes);

  /// The same as recover() above of what has arrived whole, which stays the caller's.
  /// Errors: as there.
  Status recover(const Of& of, const SnapshotUpload& upload,
                 const std::optional<Sha256Digest>& expected);

  /// Calls of create() that made none, since the start of the process.
  [[nodiscard]] std::uint64_t failures() const { return failures_.load(); }

  /// Ends create(), recover() and uploads at the next piece, for good.
  void cancel() { stop_.request_stop(); }

 private:
  [[nodiscard]] snapshot::Folder folder(const Of& of) const;
  Result<snapshot::ArchiveInfo> create_archive(const Of& of, archive::ArchiveFormat format);
  Result<std::unique_ptr<File>> open_location(const std::string& location) const;
  Status check_space(const store::SnapshotContents& contents) const;
  Status put_in_force(const Of& of, const File& file, std::uint64_t size_bytes,
                      const std::optional<Sha256Digest>& expected, const std::string& from);

  Env& env_;
  NodeOwner& nodes_;
  const SnapshotOptions options_;
  snapshot::Folder folder_;  ///< of the whole node's; uploads arrive there too
  std::stop_source stop_;
  UploadsUnderWay uploads_;
  std::atomic<std::uint64_t> failures_{0};
};

/// A SHA-256 as clients write it; "" is none. Errors: kInvalidArgument.
Result<std::optional<Sha256Digest>> parse_checksum(const std::string& hex);

/// The manifest beside an archive: {"node","lsn","epoch","created_at","archive","collections",
/// "files"}, with the keys of GET /collections in its collections.
std::string snapshot_manifest_json(const std::string& node_id, const std::string& name,
                                   const store::SnapshotContents& contents, Lsn lsn,
                                   const snapshot::PackReport& report);

}  // namespace vz::node
