#include "storage/archive/byte_stream.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <unistd.h>

#include "storage/archive/limits.h"
#include "storage/env/posix_error.h"

namespace vz::archive {

Result<std::size_t> FdSource::read(std::span<std::byte> out) {
  for (;;) {
    const ssize_t got = ::read(fd_, out.data(), out.size());
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno != EINTR) return fail_errno(errno, "reading", name_);
  }
}

Status FdSink::write(ByteSpan bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return fail_errno(errno, "writing", name_);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return {};
}

Result<std::unique_ptr<FileSource>> FileSource::open(Env& env, const std::string& path) {
  VZ_TRY_ASSIGN(std::unique_ptr<File> file, env.open(path, OpenMode::kRead));
  VZ_TRY_ASSIGN(const std::uint64_t size, file->size());
  return std::unique_ptr<FileSource>(new FileSource(std::move(file), size));
}

Result<std::size_t> FileSource::read(std::span<std::byte> out) {
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), size_ - offset_));
  if (size == 0) return std::size_t{0};
  VZ_TRY(file_->read_at(offset_, out.first(size)));
  offset_ += size;
  return size;
}

Status FileSink::write(ByteSpan bytes) {
  VZ_TRY(file_.write_at(offset_, bytes));
  offset_ += bytes.size();
  return {};
}

Status HashingSink::write(ByteSpan bytes) {
  hash_.update(bytes);
  size_ += bytes.size();
  return to_.write(bytes);
}

Result<std::size_t> HashingSource::read(std::span<std::byte> out) {
  VZ_TRY_ASSIGN(const std::size_t got, from_.read(out));
  hash_.update(out.first(got));
  return got;
}

Result<Sha256Digest> HashingSource::finish() {
  Bytes buffer(kArchiveBlockBytes);
  for (;;) {
    VZ_TRY_ASSIGN(const std::size_t got, read(buffer));
    if (got == 0) return hash_.finish();
  }
}

Result<std::size_t> MemorySource::read(std::span<std::byte> out) {
  const std::size_t size = std::min(out.size(), bytes_.size());
  std::copy_n(bytes_.begin(), size, out.begin());
  bytes_ = bytes_.subspan(size);
  return size;
}

Status MemorySink::write(ByteSpan bytes) {
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  return {};
}

}  // namespace vz::archive
