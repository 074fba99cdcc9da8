#include "storage/env/posix_file.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>
#include <optional>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/env/posix_error.h"

namespace vz {
namespace {

constexpr std::size_t kZeroChunkBytes = 1u << 20;
constexpr std::size_t kCallBytesMax = 1u << 30;  // Linux moves at most 2 GiB - 4 KiB in one call.
constexpr std::uint64_t kFileSizeMax = std::numeric_limits<off_t>::max();

int flags_of(OpenMode mode) {
  // O_NONBLOCK: opening a FIFO that somebody put here must not hang; regular files ignore it.
  switch (mode) {
    case OpenMode::kRead:
      return O_RDONLY | O_NONBLOCK;
    case OpenMode::kReadWrite:
      return O_RDWR | O_NONBLOCK;
    case OpenMode::kCreateNew:
      return O_RDWR | O_CREAT | O_EXCL;
  }
  return O_RDONLY | O_NONBLOCK;
}

Result<std::unique_ptr<File>> regular_file(Descriptor fd, const std::string& path) {
  struct stat facts {};
  if (::fstat(fd.get(), &facts) != 0) return fail_errno(errno, "reading the type of", path);
  if (!S_ISREG(facts.st_mode)) {
    return fail(ErrorCode::kIoError, "opening " + path + ": not a regular file");
  }
  return std::unique_ptr<File>(std::make_unique<PosixFile>(std::move(fd), path));
}

Status check_range(std::uint64_t offset, std::uint64_t size, const std::string& path) {
  if (offset <= kFileSizeMax && size <= kFileSizeMax - offset) return {};
  return fail(ErrorCode::kIoError, path + ": offset " + std::to_string(offset) + " + " +
                                       std::to_string(size) + " bytes is beyond any file's end");
}

/// What the last name leads to, no link followed on the way.
Result<Descriptor> descriptor_beneath(const std::string& directory, const std::string& relative) {
  const std::string path = directory + "/" + relative;
  VZ_TRY_ASSIGN(Descriptor root, open_descriptor(directory, O_RDONLY | O_DIRECTORY));
  std::optional<Descriptor> at(std::move(root));
  for (std::size_t begin = 0;;) {
    const std::size_t slash = relative.find('/', begin);
    const std::string name = relative.substr(begin, slash - begin);
    if (name.empty() || name == "." || name == "..") {
      return fail(ErrorCode::kInvalidArgument, "opening " + path + ": plain names expected");
    }
    const bool last = slash == std::string::npos;
    const int kind = last ? flags_of(OpenMode::kRead) : O_RDONLY | O_DIRECTORY;
    int fd = -1;
    do {
      fd = ::openat(at->get(), name.c_str(), kind | O_NOFOLLOW | O_CLOEXEC);
    } while (fd < 0 && errno == EINTR);
    if (fd < 0) return fail_errno(errno, "opening", path);
    Descriptor next(fd);
    if (last) return next;
    at.emplace(std::move(next));
    begin = slash + 1;
  }
}

}  // namespace

Descriptor::~Descriptor() {
  if (fd_ >= 0) ::close(fd_);
}

Result<Descriptor> open_descriptor(const std::string& path, int flags) {
  for (;;) {
    const int fd = ::open(path.c_str(), flags | O_CLOEXEC, 0600);
    if (fd >= 0) return Descriptor(fd);
    if (errno != EINTR) return fail_errno(errno, "opening", path);
  }
}

Result<std::unique_ptr<File>> PosixFile::open(const std::string& path, OpenMode mode) {
  VZ_TRY_ASSIGN(Descriptor fd, open_descriptor(path, flags_of(mode)));
  return regular_file(std::move(fd), path);
}

Result<std::unique_ptr<File>> PosixFile::open_beneath(const std::string& directory,
                                                      const std::string& relative) {
  VZ_TRY_ASSIGN(Descriptor fd, descriptor_beneath(directory, relative));
  return regular_file(std::move(fd), directory + "/" + relative);
}

Result<std::unique_ptr<File>> PosixFile::open_trusted(const std::string& directory,
                                                      const std::string& relative) {
  const std::string path = directory + "/" + relative;
  VZ_TRY_ASSIGN(Descriptor fd, descriptor_beneath(directory, relative));
  struct stat facts {};
  if (::fstat(fd.get(), &facts) != 0) return fail_errno(errno, "reading the owner of", path);
  const bool owner = facts.st_uid == 0 || facts.st_uid == ::geteuid();
  const bool group =
      (facts.st_mode & S_IWGRP) == 0 || facts.st_gid == 0 || facts.st_gid == ::getegid();
  if (!owner || !group || (facts.st_mode & S_IWOTH) != 0) {
    return fail(ErrorCode::kPermissionDenied,
                path +
                    ": another user owns it or may write it: chown it to the user that the node "
                    "runs as, and chmod go-w");
  }
  return regular_file(std::move(fd), path);
}

Status PosixFile::write_at(std::uint64_t offset, ByteSpan bytes) {
  VZ_TRY(check_range(offset, bytes.size(), path_));
  while (!bytes.empty()) {
    const std::size_t size = std::min(bytes.size(), kCallBytesMax);
    const ssize_t written = ::pwrite(fd_.get(), bytes.data(), size, static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return fail_errno(errno, "writing", path_);
    if (written == 0) return fail(ErrorCode::kIoError, "writing " + path_ + ": wrote nothing");
    offset += static_cast<std::uint64_t>(written);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return {};
}

Status PosixFile::read_at(std::uint64_t offset, std::span<std::byte> out) const {
  VZ_TRY(check_range(offset, out.size(), path_));
  while (!out.empty()) {
    const std::size_t size = std::min(out.size(), kCallBytesMax);
    const ssize_t got = ::pread(fd_.get(), out.data(), size, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno(errno, "reading", path_);
    if (got == 0) {
      return fail(ErrorCode::kIoError, "reading " + path_ + ": the file ends at offset " +
                                           std::to_string(offset) + ", " +
                                           std::to_string(out.size()) + " bytes are missing");
    }
    offset += static_cast<std::uint64_t>(got);
    out = out.subspan(static_cast<std::size_t>(got));
  }
  return {};
}

Status PosixFile::sync() {
  // Not repeated on EINTR either: an fsync that failed once has told all it will ever tell.
  if (::fdatasync(fd_.get()) != 0) return fail_errno(errno, "syncing", path_);
  return {};
}

Result<std::uint64_t> PosixFile::size() const {
  struct stat facts {};
  if (::fstat(fd_.get(), &facts) != 0) return fail_errno(errno, "reading the size of", path_);
  return static_cast<std::uint64_t>(facts.st_size);
}

Status PosixFile::truncate(std::uint64_t size) {
  VZ_TRY(check_range(0, size, path_));
  while (::ftruncate(fd_.get(), static_cast<off_t>(size)) != 0) {
    if (errno != EINTR) return fail_errno(errno, "truncating", path_);
  }
  return {};
}

Status PosixFile::fill_zero(std::uint64_t size) {
  VZ_TRY(check_range(0, size, path_));
  VZ_TRY_ASSIGN(std::uint64_t at, this->size());
  // Written, not fallocated: an fdatasync over unwritten extents has to convert them each time.
  const Bytes zeros(kZeroChunkBytes);
  while (at < size) {
    const std::uint64_t chunk = std::min<std::uint64_t>(size - at, zeros.size());
    VZ_TRY(write_at(at, ByteSpan(zeros).first(chunk)));
    at += chunk;
  }
  return {};
}

}  // namespace vz
