#include "storage/env/posix_mapped_file.h"

#include <algorithm>
#include <cerrno>
#include <optional>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/env/posix_error.h"
#include "storage/env/posix_file.h"
#include "storage/env/sigbus_guard.h"

namespace vz {
namespace {

/// An empty file has no mapping: mmap refuses size 0.
class EmptyMapping final : public MappedFile {
 public:
  [[nodiscard]] ByteSpan bytes() const override { return {}; }
  [[nodiscard]] bool failed() const override { return false; }
  void read_ahead(std::uint64_t, std::uint64_t) const override {}
  void forget(std::uint64_t, std::uint64_t) const override {}
};

/// Owns the mapping; a member declared before its guard, so that the guard ends first.
class Mapping {
 public:
  Mapping(void* begin, std::size_t size) : begin_(begin), size_(size) {}
  ~Mapping() {
    if (begin_ != nullptr) ::munmap(begin_, size_);
  }
  Mapping(Mapping&& other) noexcept
      : begin_(std::exchange(other.begin_, nullptr)), size_(other.size_) {}
  Mapping& operator=(Mapping&&) = delete;

  [[nodiscard]] std::byte* begin() const { return static_cast<std::byte*>(begin_); }
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  void* begin_;
  std::size_t size_;
};

class PosixMappedFile final : public MappedFile {
 public:
  PosixMappedFile(Mapping mapping, GuardedRange guard)
      : mapping_(std::move(mapping)), guard_(std::move(guard)) {}

  [[nodiscard]] ByteSpan bytes() const override { return {mapping_.begin(), mapping_.size()}; }
  [[nodiscard]] bool failed() const override { return guard_.failed(); }

  void read_ahead(std::uint64_t offset, std::uint64_t size) const override {
    advise(offset, size, MADV_WILLNEED);
  }
  void forget(std::uint64_t offset, std::uint64_t size) const override {
    // The mapping is shared and only read, so the pages come back as they are in the file. A page
    // that could not be read is private zeros by now, and comes back as zeros.
    advise(offset, size, MADV_DONTNEED);
  }

 private:
  /// Of every page that the range touches. Only a hint: a failure costs speed or memory.
  void advise(std::uint64_t offset, std::uint64_t size, int advice) const {
    if (offset >= mapping_.size()) return;
    const std::uint64_t end = offset + std::min<std::uint64_t>(size, mapping_.size() - offset);
    const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    const std::uint64_t begin = offset & ~(page - 1);
    (void)::madvise(mapping_.begin() + begin, end - begin, advice);
  }

  Mapping mapping_;
  GuardedRange guard_;
};

}  // namespace

Result<std::unique_ptr<MappedFile>> map_posix_file(const std::string& path) {
  VZ_TRY_ASSIGN(const Descriptor fd, open_descriptor(path, O_RDONLY | O_NONBLOCK));
  struct stat facts {};
  if (::fstat(fd.get(), &facts) != 0) return fail_errno(errno, "reading the size of", path);
  if (!S_ISREG(facts.st_mode)) {
    return fail(ErrorCode::kIoError, "mapping " + path + ": not a regular file");
  }
  if (facts.st_size == 0) return std::unique_ptr<MappedFile>(std::make_unique<EmptyMapping>());

  const auto size = static_cast<std::size_t>(facts.st_size);
  void* begin = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, fd.get(), 0);
  if (begin == MAP_FAILED) return fail_errno(errno, "mapping", path);
  Mapping mapping(begin, size);
  auto guard = GuardedRange::create(begin, size);
  if (!guard) return while_doing(std::move(guard).error(), "mapping " + path);
  return std::unique_ptr<MappedFile>(
      std::make_unique<PosixMappedFile>(std::move(mapping), std::move(*guard)));
}

}  // namespace vz
