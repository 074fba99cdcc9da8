// An open file of the real file system, and the descriptor that it owns.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "storage/env/env.h"

namespace vz {

/// Owns a file descriptor; -1 is none.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor();
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;

  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

/// open(2) with O_CLOEXEC, mode 0600, repeated on EINTR. Errors: as Env.
Result<Descriptor> open_descriptor(const std::string& path, int flags);

class PosixFile final : public File {
 public:
  PosixFile(Descriptor fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

  /// Errors: as Env::open; kIoError if it is not a regular file.
  static Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode);

  /// As Env::open_beneath.
  static Result<std::unique_ptr<File>> open_beneath(const std::string& directory,
                                                    const std::string& relative);

  /// The same of a file that nobody but root and this process's user, or their groups, can have
  /// written. Errors: also kPermissionDenied.
  static Result<std::unique_ptr<File>> open_trusted(const std::string& directory,
                                                    const std::string& relative);

  Status write_at(std::uint64_t offset, ByteSpan bytes) override;
  Status read_at(std::uint64_t offset, std::span<std::byte> out) const override;
  Status sync() override;
  Result<std::uint64_t> size() const override;
  Status truncate(std::uint64_t size) override;
  Status fill_zero(std::uint64_t size) override;

 private:
  Descriptor fd_;
  std::string path_;
};

}  // namespace vz
