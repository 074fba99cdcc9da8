#include "tests/fault/kill_loop/power_volume.h"

#include <cstdlib>
#include <cstring>
#include <filesystem>

#include <sched.h>
#include <sys/mount.h>

namespace vz::kill_loop {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kVolumeBytes = 512u << 20;  // XFS takes no less than 300 MiB.

/// Paths come from a temporary directory of ours: no quoting but for spaces.
Status run(const std::string& command) {
  const int status = std::system(command.c_str());
  if (status == 0) return {};
  return fail(ErrorCode::kInternal, "`" + command + "` ended with " + std::to_string(status));
}

tl::unexpected<Error> needs(const std::string& what) {
  return fail(ErrorCode::kFailedPrecondition,
              "a power cut needs root, xfsprogs and a loop device: " + what);
}

}  // namespace

Result<std::unique_ptr<PowerVolume>> PowerVolume::make(const std::string& dir) {
  const std::string image = dir + "/volume.xfs", mount_point = dir + "/volume";
  if (::unshare(CLONE_NEWNS) != 0) return needs(std::string("unshare: ") + std::strerror(errno));
  if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
    return needs(std::string("a private mount: ") + std::strerror(errno));
  std::error_code error;
  fs::create_directories(mount_point, error);
  if (!fs::exists(image)) {
    VZ_TRY(run("truncate -s " + std::to_string(kVolumeBytes) + " '" + image + "'"));
    if (auto made = run("mkfs.xfs -q '" + image + "'"); !made) return needs(made.error().message);
  }
  std::unique_ptr<PowerVolume> volume(new PowerVolume(image, mount_point));
  if (auto mounted = volume->mount(); !mounted) return needs(mounted.error().message);
  return volume;
}

PowerVolume::~PowerVolume() {
  ::umount2(mount_point_.c_str(), MNT_DETACH);
}

Status PowerVolume::mount() {
  return run("mount -o loop -t xfs '" + image_ + "' '" + mount_point_ + "'");
}

Status PowerVolume::cut() {
  return run("xfs_io -x -c shutdown '" + mount_point_ + "'");
}

Status PowerVolume::restore() {
  if (::umount(mount_point_.c_str()) != 0)
    return fail(ErrorCode::kInternal, mount_point_ + ": umount: " + std::strerror(errno));
  return mount();
}

}  // namespace vz::kill_loop
