// A snapshot's archive while a client sends it: a file of the snapshots' folder that no list shows
// and that goes with the upload.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "storage/base/bytes.h"
#include "storage/env/env.h"
#include "storage/snapshot/folder.h"

namespace vz::node {

/// The uploads of one node: how many, and how much they will still write. Thread-safe.
struct UploadsUnderWay {
  std::atomic<std::size_t> count{0};
  std::atomic<std::uint64_t> bytes_to_come{0};  ///< of those that said how long they are
};

struct UploadOptions {
  std::string data_dir;                             ///< whose disk is asked
  std::optional<std::uint64_t> length_bytes;        ///< of the archive; nothing: it was not said
  std::optional<std::uint64_t> disk_reserve_bytes;  ///< nothing: by the disk's size
  std::stop_token stop = {};                        ///< asked to stop: write() ends
};

/// Not thread-safe: one call at a time. The destructor takes the file away, whose removal may last
/// when it is large.
class SnapshotUpload {
 public:
  /// `env`, `folder` and `under_way` must outlive it. The archive and, when it is put in force, its
  /// content need room, and archives are hardly smaller than their content: twice its length must
  /// be free beside the reserve, and what other uploads will write.
  /// Errors: kUnavailable (limits::kUploadsMax are under way), kTooLarge (limits::kUploadBytesMax),
  /// kNoSpace with the numbers, kIoError, kCancelled: no file is left.
  static Result<std::shared_ptr<SnapshotUpload>> begin(Env& env, snapshot::Folder& folder,
                                                       UploadsUnderWay& under_way,
                                                       UploadOptions options);
  ~SnapshotUpload();
  SnapshotUpload(const SnapshotUpload&) = delete;
  SnapshotUpload& operator=(const SnapshotUpload&) = delete;

  /// All of `bytes`, behind those before. Errors: kTooLarge (limits::kUploadBytesMax), kNoSpace
  /// (the reserve would be touched, as far as a look each limits::kUploadDiskLookBytes tells),
  /// kIoError, kCancelled. After one it may only be destroyed.
  Status write(ByteSpan bytes);

  /// What has arrived; not synced, for nobody needs it after a crash.
  [[nodiscard]] const File& file() const { return *arriving_.file; }
  [[nodiscard]] std::uint64_t size_bytes() const { return size_; }

 private:
  SnapshotUpload(Env& env, UploadsUnderWay& under_way, UploadOptions options);
  [[nodiscard]] Status check_room() const;
  [[nodiscard]] Status check_reserve() const;
  [[nodiscard]] Result<DiskSpace> space_beside_reserve() const;
  [[nodiscard]] Status check_cancelled() const;

  Env& env_;
  UploadsUnderWay& under_way_;
  const UploadOptions options_;
  snapshot::Folder::Arriving arriving_{};
  std::uint64_t size_ = 0;
  std::uint64_t looked_at_ = 0;  ///< the size at the last look at the disk
  std::uint64_t to_come_ = 0;    ///< its part of under_way_.bytes_to_come
};

}  // namespace vz::node
