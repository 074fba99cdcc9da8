#include "storage/store/space.h"

#include <fmt/format.h>

#include "storage/store/ballast.h"

namespace vz::store {
namespace {

struct Disk {
  DiskSpace space{};
  std::string directories{};
  std::uint64_t needed = 0;
};

/// What each disk that is too small needs, has and lacks; empty: none is.
Result<std::string> missing_space(Env& env, const std::vector<SpaceNeed>& needs) {
  std::vector<Disk> disks;
  for (const SpaceNeed& need : needs) {
    VZ_TRY_ASSIGN(const DiskSpace space, env.disk_space(need.directory));
    const bool shared = !disks.empty() && disks.back().space.free_bytes == space.free_bytes &&
                        disks.back().space.total_bytes == space.total_bytes;
    if (!shared) disks.push_back({.space = space});
    Disk& disk = disks.back();
    disk.directories += (disk.directories.empty() ? "" : " and ") + need.directory;
    disk.needed += need.bytes;
  }
  std::string missing;
  for (const Disk& disk : disks) {
    if (disk.space.free_bytes >= disk.needed) continue;
    missing += fmt::format(
        "{}{}: up to {} bytes are needed beside the files that are there, and the disk has {}: {} "
        "are missing",
        missing.empty() ? "" : "; ", disk.directories, disk.needed, disk.space.free_bytes,
        disk.needed - disk.space.free_bytes);
  }
  return missing;
}

}  // namespace

Status require_space(Env& env, const std::vector<SpaceNeed>& needs, const std::string& doing,
                     std::string_view advice) {
  VZ_TRY_ASSIGN(std::string missing, missing_space(env, needs));
  if (missing.empty()) return {};
  bool released = false;
  for (const SpaceNeed& need : needs) released = release_ballast(env, {need.directory}) || released;
  if (released) {
    VZ_TRY_ASSIGN(missing, missing_space(env, needs));
    if (missing.empty()) return {};
  }
  return fail(ErrorCode::kNoSpace, fmt::format("{}: {}; {}", doing, missing, advice));
}

}  // namespace vz::store
