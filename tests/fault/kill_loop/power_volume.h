// A file system of its own whose power can be cut: XFS in a file, mounted where no other process
// sees it.
#pragma once

#include <memory>
#include <string>

#include "storage/base/status.h"

namespace vz::kill_loop {

/// Needs root, xfsprogs and a loop device. Not thread-safe.
class PowerVolume {
 public:
  /// Makes `dir`/volume.xfs, unless it is there, and mounts it at `dir`/volume, in a mount
  /// namespace that this process moves to: the mount goes when the process and its children do.
  /// Errors: kFailedPrecondition, naming what is missing.
  static Result<std::unique_ptr<PowerVolume>> make(const std::string& dir);
  ~PowerVolume();  ///< unmounts
  PowerVolume(const PowerVolume&) = delete;
  PowerVolume& operator=(const PowerVolume&) = delete;

  [[nodiscard]] const std::string& mount_point() const { return mount_point_; }

  /// From now on nothing more reaches the disk, and what was not synced never will.
  /// (XFS_IOC_GOINGDOWN without a flush of the log.) Errors: kInternal.
  Status cut();
  /// The power is back: mounts what the disk holds. Nobody may have a file open. Errors: kInternal.
  Status restore();

 private:
  PowerVolume(std::string image, std::string mount_point)
      : image_(std::move(image)), mount_point_(std::move(mount_point)) {}
  Status mount();

  std::string image_;
  std::string mount_point_;
};

}  // namespace vz::kill_loop
