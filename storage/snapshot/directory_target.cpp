#include "storage/snapshot/directory_target.h"

#include "storage/archive/member_name.h"
#include "storage/store/space.h"

namespace vz::snapshot {

Status DirectoryTarget::begin(const SnapshotContents& contents) {
  std::uint64_t needed = contents.restore_bytes.size();
  for (const auto& file : contents.files) needed += file.size_bytes;
  VZ_TRY(store::require_space(env_, {{root_, needed}}, "unpacking the snapshot",
                              "free some, or name a directory on a larger disk"));
  manifest_ = contents.manifest;
  if (marker_ == Marker::kWritten) {
    if (contents.scope == store::SnapshotScope::kCollection) {
      root_ += "/" + prefix_of(contents.scope);
      root_.pop_back();
      VZ_TRY(env_.create_directory(root_));
      VZ_TRY(env_.sync_directory(parent_directory(root_)));
    }
    VZ_TRY(publish_file(env_, root_ + "/" + std::string(archive::kRestoreName),
                        contents.restore_bytes));
  }
  const std::string collections = root_ + "/collections";
  VZ_TRY(env_.create_directory(collections));
  directories_.insert(collections);
  return {};
}

Status DirectoryTarget::begin_file(const format::RestoreFile& file) {
  const std::string path = root_ + "/" + file.path;
  const std::string directory = parent_directory(path);
  if (directories_.insert(directory).second) VZ_TRY(env_.create_directory(directory));
  VZ_TRY_ASSIGN(file_, env_.open(path, OpenMode::kCreateNew));
  offset_ = 0;
  return {};
}

Status DirectoryTarget::write(ByteSpan bytes) {
  VZ_TRY(file_->write_at(offset_, bytes));
  offset_ += bytes.size();
  return {};
}

Status DirectoryTarget::end_file() {
  VZ_TRY(file_->sync());
  file_.reset();
  return {};
}

Status DirectoryTarget::finish() {
  for (const std::string& directory : directories_) VZ_TRY(env_.sync_directory(directory));
  return env_.sync_directory(root_);
}

}  // namespace vz::snapshot
