#include "engine/node/snapshot_upload.h"

#include <algorithm>
#include <utility>

#include "engine/limits.h"
#include "storage/base/log.h"
#include "storage/store/ballast.h"

namespace vz::node {
namespace {

tl::unexpected<Error> too_large() {
  return fail(ErrorCode::kTooLarge, "an uploaded snapshot may have at most " +
                                        std::to_string(limits::kUploadBytesMax) + " bytes");
}

}  // namespace

SnapshotUpload::SnapshotUpload(Env& env, UploadsUnderWay& under_way, UploadOptions options)
    : env_(env),
      under_way_(under_way),
      options_(std::move(options)),
      to_come_(options_.length_bytes.value_or(0)) {
  under_way_.bytes_to_come.fetch_add(to_come_);
}

SnapshotUpload::~SnapshotUpload() {
  under_way_.bytes_to_come.fetch_sub(to_come_);
  if (arriving_.file != nullptr) {
    arriving_.file.reset();
    if (const Status removed = env_.remove(arriving_.path); !removed)
      LogEvent(LogLevel::kWarn, "upload_not_removed").with("reason", removed.error().message);
  }
  under_way_.count.fetch_sub(1);
}

Result<std::shared_ptr<SnapshotUpload>> SnapshotUpload::begin(Env& env, snapshot::Folder& folder,
                                                              UploadsUnderWay& under_way,
                                                              UploadOptions options) {
  if (options.length_bytes.value_or(0) > limits::kUploadBytesMax) return too_large();
  if (under_way.count.fetch_add(1) >= limits::kUploadsMax) {
    under_way.count.fetch_sub(1);
    return fail(ErrorCode::kUnavailable, std::to_string(limits::kUploadsMax) +
                                             " uploads are under way already; come back later");
  }
  const std::shared_ptr<SnapshotUpload> upload(
      new SnapshotUpload(env, under_way, std::move(options)));
  VZ_TRY(upload->check_cancelled());
  VZ_TRY(upload->check_room());
  VZ_TRY_ASSIGN(upload->arriving_, folder.begin_arrival());
  return upload;
}

Status SnapshotUpload::check_cancelled() const {
  if (!options_.stop.stop_requested()) return {};
  return fail(ErrorCode::kCancelled, "the node is stopping");
}

Result<DiskSpace> SnapshotUpload::space_beside_reserve() const {
  VZ_TRY_ASSIGN(DiskSpace space, env_.disk_space(options_.data_dir));
  const std::uint64_t reserve =
      options_.disk_reserve_bytes.value_or(store::default_reserve_bytes(space.total_bytes));
  space.free_bytes -= std::min(reserve, space.free_bytes);
  return space;
}

Status SnapshotUpload::check_room() const {
  VZ_TRY_ASSIGN(const DiskSpace space, space_beside_reserve());
  const std::uint64_t length = options_.length_bytes.value_or(0);
  const std::uint64_t needed = under_way_.bytes_to_come.load() + length;  // Of which it is one.
  if (space.free_bytes > 0 && space.free_bytes >= needed) return {};
  return fail(ErrorCode::kNoSpace,
              "the archive of " + std::to_string(length) +
                  " bytes, its content, and other uploads need " + std::to_string(needed) +
                  " bytes; beside its reserve the disk has " + std::to_string(space.free_bytes));
}

Status SnapshotUpload::check_reserve() const {
  VZ_TRY_ASSIGN(const DiskSpace space, space_beside_reserve());
  if (space.free_bytes > 0) return {};
  return fail(ErrorCode::kNoSpace, "the disk is full but for its reserve, " +
                                       std::to_string(size_) + " bytes into the upload");
}

Status SnapshotUpload::write(ByteSpan bytes) {
  VZ_TRY(check_cancelled());
  if (bytes.size() > limits::kUploadBytesMax - size_) return too_large();
  if (size_ - looked_at_ >= limits::kUploadDiskLookBytes) {
    looked_at_ = size_;
    VZ_TRY(check_reserve());
  }
  VZ_TRY(arriving_.file->write_at(size_, bytes));
  size_ += bytes.size();
  const std::uint64_t came = std::min<std::uint64_t>(bytes.size(), to_come_);
  to_come_ -= came;
  under_way_.bytes_to_come.fetch_sub(came);
  return {};
}

}  // namespace vz::node
