#include "storage/env/posix_lock.h"

#include <array>
#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

#include "storage/env/posix_error.h"
#include "storage/env/posix_file.h"

namespace vz {
namespace {

constexpr std::size_t kOwnerBytesMax = 4096;

class PosixLock final : public FileLock {
 public:
  PosixLock(Descriptor fd, LockMode mode) : fd_(std::move(fd)), mode_(mode) {}
  ~PosixLock() override {
    // The name goes before the lock does, so that nobody is named who no longer holds it.
    if (mode_ == LockMode::kExclusive && ::ftruncate(fd_.get(), 0) != 0) return;
  }

 private:
  Descriptor fd_;  // Closing it ends the lock.
  LockMode mode_;
};

struct flock whole_file(LockMode mode) {
  struct flock range {};
  range.l_type = mode == LockMode::kShared ? F_RDLCK : F_WRLCK;
  range.l_whence = SEEK_SET;
  return range;
}

/// The text in the lock file, one line, without control characters.
std::string owner_text(int fd) {
  std::array<char, kOwnerBytesMax> buffer{};
  const ssize_t size = ::pread(fd, buffer.data(), buffer.size(), 0);
  std::string text;
  for (ssize_t at = 0; at < size; ++at) {
    const char letter = buffer[static_cast<std::size_t>(at)];
    if (letter == '\n') break;
    text.push_back(static_cast<unsigned char>(letter) < 0x20 || letter == 0x7f ? '?' : letter);
  }
  return text;
}

tl::unexpected<Error> fail_locked(int fd, const std::string& path, LockMode wanted) {
  struct flock blocker = whole_file(wanted);
  const bool known = ::fcntl(fd, F_OFD_GETLK, &blocker) == 0;
  if (known && blocker.l_type == F_RDLCK) {
    return fail(ErrorCode::kLocked, path + " is locked for reading by another process");
  }
  const std::string owner = owner_text(fd);
  return fail(ErrorCode::kLocked,
              path + " is locked by " + (owner.empty() ? "another process" : owner));
}

/// Overwrites in place, so that a full disk need not give a new block.
Status write_owner(int fd, const std::string& path, const std::string& owner) {
  const std::string line = owner + "\n";
  ssize_t written = 0;
  do {
    written = ::pwrite(fd, line.data(), line.size(), 0);
  } while (written < 0 && errno == EINTR);
  if (written < 0 && errno != ENOSPC && errno != EDQUOT) {
    return fail_errno(errno, "writing the owner into", path);
  }
  // On a full disk the lock counts, not the name: a node must be able to start and delete.
  const bool whole = written == static_cast<ssize_t>(line.size());
  if (::ftruncate(fd, whole ? written : 0) != 0) {
    return fail_errno(errno, "writing the owner into", path);
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<FileLock>> lock_posix_file(const std::string& path, LockMode mode,
                                                  const std::string& owner) {
  if (owner.size() >= kOwnerBytesMax) {
    return fail(ErrorCode::kInvalidArgument,
                path + ": the owner text is longer than " + std::to_string(kOwnerBytesMax - 1));
  }
  const int flags = mode == LockMode::kShared ? O_RDONLY : O_RDWR | O_CREAT;
  VZ_TRY_ASSIGN(Descriptor fd, open_descriptor(path, flags | O_NONBLOCK));
  struct flock range = whole_file(mode);
  while (::fcntl(fd.get(), F_OFD_SETLK, &range) != 0) {
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == EACCES) return fail_locked(fd.get(), path, mode);
    return fail_errno(errno, "locking", path);
  }
  if (mode == LockMode::kExclusive) VZ_TRY(write_owner(fd.get(), path, owner));
  return std::unique_ptr<FileLock>(std::make_unique<PosixLock>(std::move(fd), mode));
}

}  // namespace vz
