// The real file system behind Env.
#include <algorithm>
#include <cerrno>
#include <cstdio>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "storage/env/env.h"
#include "storage/env/posix_error.h"
#include "storage/env/posix_file.h"
#include "storage/env/posix_lock.h"
#include "storage/env/posix_mapped_file.h"

namespace vz {
namespace {

constexpr std::int64_t kNanosecondsPerSecond = 1'000'000'000;

FileType type_of(mode_t mode) {
  if (S_ISREG(mode)) return FileType::kRegular;
  return S_ISDIR(mode) ? FileType::kDirectory : FileType::kOther;
}

struct CloseDirectory {
  void operator()(DIR* stream) const { ::closedir(stream); }
};

class PosixEnv final : public Env {
 public:
  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override {
    return PosixFile::open(path, mode);
  }
  Result<std::unique_ptr<File>> open_beneath(const std::string& directory,
                                             const std::string& relative) override {
    return PosixFile::open_beneath(directory, relative);
  }
  Result<std::unique_ptr<MappedFile>> map(const std::string& path) override {
    return map_posix_file(path);
  }
  Status rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) == 0) return {};
    return fail_errno(errno, "renaming " + from + " to", to);
  }
  Status link(const std::string& from, const std::string& to) override;
  Status remove(const std::string& path) override {
    if (::unlink(path.c_str()) == 0) return {};
    return fail_errno(errno, "removing", path);
  }
  Status create_directory(const std::string& path) override;
  Status remove_directory(const std::string& path) override {
    if (::rmdir(path.c_str()) == 0) return {};
    const int reason = errno == EEXIST ? ENOTEMPTY : errno;  // POSIX allows both.
    return fail_errno(reason, "removing directory", path);
  }
  Status sync_directory(const std::string& path) override;
  Result<std::vector<DirectoryEntry>> list(const std::string& path) override;
  bool exists(const std::string& path) override {
    struct stat facts {};
    return ::lstat(path.c_str(), &facts) == 0;
  }
  Result<DiskSpace> disk_space(const std::string& path) override;
  Result<std::unique_ptr<FileLock>> lock(const std::string& path, LockMode mode,
                                         const std::string& owner) override {
    return lock_posix_file(path, mode, owner);
  }
};

Status PosixEnv::link(const std::string& from, const std::string& to) {
  if (::link(from.c_str(), to.c_str()) == 0) return {};
  const int reason = errno;
  const bool unsupported = reason == EPERM || reason == EOPNOTSUPP || reason == ENOSYS ||
                           reason == EMLINK || reason == EXDEV;
  auto failed = fail_errno(reason, "linking " + from + " as", to);
  if (unsupported) failed.value().code = ErrorCode::kUnsupported;
  return failed;
}

Status PosixEnv::create_directory(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) == 0) return {};
  const int reason = errno;
  struct stat facts {};
  if (reason == EEXIST && ::stat(path.c_str(), &facts) == 0 && S_ISDIR(facts.st_mode)) return {};
  return fail_errno(reason, "creating directory", path);
}

Status PosixEnv::sync_directory(const std::string& path) {
  VZ_TRY_ASSIGN(const Descriptor fd, open_descriptor(path, O_RDONLY | O_DIRECTORY));
  if (::fsync(fd.get()) != 0) return fail_errno(errno, "syncing directory", path);
  return {};
}

Result<std::vector<DirectoryEntry>> PosixEnv::list(const std::string& path) {
  const std::unique_ptr<DIR, CloseDirectory> stream(::opendir(path.c_str()));
  if (stream == nullptr) return fail_errno(errno, "listing", path);
  std::vector<DirectoryEntry> entries;
  for (;;) {
    errno = 0;
    const dirent* found = ::readdir(stream.get());
    if (found == nullptr && errno != 0) return fail_errno(errno, "listing", path);
    if (found == nullptr) break;
    std::string name = found->d_name;
    if (name == "." || name == "..") continue;
    struct stat facts {};
    if (::fstatat(::dirfd(stream.get()), name.c_str(), &facts, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno == ENOENT) continue;  // Removed since the directory was read.
      return fail_errno(errno, "listing", path + "/" + name);
    }
    const FileType type = type_of(facts.st_mode);
    const auto size = static_cast<std::uint64_t>(facts.st_size);
    const std::int64_t changed_ns =
        facts.st_ctim.tv_sec * kNanosecondsPerSecond + facts.st_ctim.tv_nsec;
    entries.push_back({std::move(name), type, type == FileType::kRegular ? size : 0, changed_ns});
  }
  std::sort(entries.begin(), entries.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  return entries;
}

Result<DiskSpace> PosixEnv::disk_space(const std::string& path) {
  struct statvfs facts {};
  while (::statvfs(path.c_str(), &facts) != 0) {
    if (errno != EINTR) return fail_errno(errno, "reading the free space of", path);
  }
  return DiskSpace{.free_bytes = static_cast<std::uint64_t>(facts.f_bavail) * facts.f_frsize,
                   .total_bytes = static_cast<std::uint64_t>(facts.f_blocks) * facts.f_frsize};
}

}  // namespace

std::unique_ptr<Env> make_posix_env() {
  return std::make_unique<PosixEnv>();
}

}  // namespace vz
