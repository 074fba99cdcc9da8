#include "tools/offline/file_copy.h"

#include <algorithm>
#include <memory>

namespace vz::offline {
namespace {

constexpr std::size_t kCopySize = 1u << 20;
constexpr std::size_t kSectorSize = 4096;

/// Fills `out` from the file; zeros for sectors that the disk does not deliver. Returns their size.
std::uint64_t read_what_can_be(const File& file, std::uint64_t offset, Bytes& out) {
  if (file.read_at(offset, out)) return 0;
  std::uint64_t lost = 0;
  for (std::size_t at = 0; at < out.size(); at += kSectorSize) {
    const auto part = std::span(out).subspan(at, std::min(kSectorSize, out.size() - at));
    if (file.read_at(offset + at, part)) continue;
    std::fill(part.begin(), part.end(), std::byte{0});
    lost += part.size();
  }
  return lost;
}

/// Hands the bytes of a file from `offset` on to `take(at, bytes)`.
template <typename Take>
Result<CopiedFile> read_each(Env& env, const std::string& path, std::uint64_t offset,
                             const Take& take) {
  VZ_TRY_ASSIGN(const auto source, env.open(path, OpenMode::kRead));
  VZ_TRY_ASSIGN(const std::uint64_t size, source->size());
  CopiedFile out{.size_bytes = size - std::min(size, offset)};
  Sha256 sha;
  Bytes buffer;
  for (std::uint64_t at = 0; at < out.size_bytes; at += buffer.size()) {
    buffer.resize(std::min<std::uint64_t>(kCopySize, out.size_bytes - at));
    out.unreadable_bytes += read_what_can_be(*source, offset + at, buffer);
    sha.update(buffer);
    VZ_TRY(take(at, buffer));
  }
  out.sha256 = sha.finish();
  return out;
}

Result<std::unique_ptr<File>> create_anew(Env& env, const std::string& path) {
  auto file = env.open(path, OpenMode::kCreateNew);
  if (file || file.error().code != ErrorCode::kAlreadyExists) return file;
  VZ_TRY(env.remove(path));
  return env.open(path, OpenMode::kCreateNew);
}

Result<CopiedFile> write_copy(Env& env, const std::string& from, const std::string& to,
                              std::uint64_t offset) {
  VZ_TRY_ASSIGN(const auto target, create_anew(env, to));
  VZ_TRY_ASSIGN(const CopiedFile copied,
                read_each(env, from, offset, [&](std::uint64_t at, const Bytes& bytes) {
                  return target->write_at(at, bytes);
                }));
  VZ_TRY(target->sync());
  return copied;
}

}  // namespace

Result<CopiedFile> read_through(Env& env, const std::string& from, std::uint64_t offset) {
  return read_each(env, from, offset, [](std::uint64_t, const Bytes&) { return Status(); });
}

Result<CopiedFile> copy_file(Env& env, const std::string& from, const std::string& to,
                             std::uint64_t offset) {
  const std::string temporary = to + ".tmp";
  auto copied = write_copy(env, from, temporary, offset);
  if (!copied) {
    (void)env.remove(temporary);  // Its space may be what the disk lacks.
    return copied;
  }
  VZ_TRY(env.rename(temporary, to));
  VZ_TRY(env.sync_directory(parent_directory(to)));
  return copied;
}

}  // namespace vz::offline
