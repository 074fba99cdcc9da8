#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "storage/base/crc32c.h"
#include "storage/format/checked_file_format.h"
#include "storage/segment/checked_file.h"

namespace vz::segment {
namespace {

constexpr std::size_t kBufferSize = 1u << 20;  // 1 MiB: one system call per 16 blocks.
static_assert(kBufferSize % format::kCheckedBlockSize == 0,
              "the buffer is flushed in whole blocks");

}  // namespace

struct CheckedFileWriter::State {
  State(Env& env_in, std::string path_in, FileKind kind_in, std::uint16_t version_in)
      : env(env_in), path(std::move(path_in)), kind(kind_in), version(version_in) {
    buffer.reserve(kBufferSize);
  }

  Env& env;
  std::string path;
  std::string temporary_path = path + ".tmp";
  FileKind kind;
  std::uint16_t version;
  std::unique_ptr<File> file;
  Sha256 sha256;
  Bytes buffer;                       // Content not written yet; begins at a block boundary.
  std::uint64_t written = 0;          // Bytes of the file so far.
  std::vector<std::uint32_t> blocks;  // CRC32C of each block.
  std::optional<Error> broken;        // The first error: from then on every call returns it.
  bool published = false;

  /// Remembers an error, so that no later call can publish a file with a hole.
  Status keep(Status status) {
    if (!status && !broken) broken = status.error();
    return status;
  }
  Status write(ByteSpan bytes) {
    sha256.update(bytes);
    VZ_TRY(keep(file->write_at(written, bytes)));
    written += bytes.size();
    return {};
  }
  Status flush() {
    for (std::size_t at = 0; at < buffer.size(); at += format::kCheckedBlockSize) {
      const std::size_t size = std::min(format::kCheckedBlockSize, buffer.size() - at);
      blocks.push_back(crc32c(ByteSpan(buffer).subspan(at, size)));
    }
    VZ_TRY(write(buffer));
    buffer.clear();
    return {};
  }
};

CheckedFileWriter::CheckedFileWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}

CheckedFileWriter::~CheckedFileWriter() {
  if (state_->published) return;
  state_->file.reset();
  // Best effort: what stays behind is a ".tmp", which the store removes at the next start.
  (void)state_->env.remove(state_->temporary_path);
}

Result<std::unique_ptr<CheckedFileWriter>> CheckedFileWriter::create(Env& env,
                                                                     const std::string& path,
                                                                     FileKind kind,
                                                                     std::uint16_t version) {
  auto state = std::make_unique<State>(env, path, kind, version);
  if (env.exists(state->temporary_path)) VZ_TRY(env.remove(state->temporary_path));
  VZ_TRY_ASSIGN(state->file, env.open(state->temporary_path, OpenMode::kCreateNew));
  return std::unique_ptr<CheckedFileWriter>(new CheckedFileWriter(std::move(state)));
}

Status CheckedFileWriter::append(ByteSpan bytes) {
  State& state = *state_;
  if (state.broken) return tl::unexpected<Error>(*state.broken);
  if (bytes.size() > format::kCheckedContentSizeMax - offset()) {
    return state.keep(
        fail(ErrorCode::kTooLarge, state.path + ": content would pass " +
                                       std::to_string(format::kCheckedContentSizeMax) + " bytes"));
  }
  while (!bytes.empty()) {
    const std::size_t size = std::min(bytes.size(), kBufferSize - state.buffer.size());
    state.buffer.insert(state.buffer.end(), bytes.begin(),
                        bytes.begin() + static_cast<std::ptrdiff_t>(size));
    bytes = bytes.subspan(size);
    if (state.buffer.size() == kBufferSize) VZ_TRY(state.flush());
  }
  return {};
}

Status CheckedFileWriter::pad_to(std::uint64_t alignment) {
  VZ_ASSERT(alignment != 0);
  if (state_->broken) return tl::unexpected<Error>(*state_->broken);
  static constexpr std::array<std::byte, 4096> kZeros{};
  std::uint64_t missing = (alignment - offset() % alignment) % alignment;
  while (missing > 0) {
    const std::size_t size = std::min<std::uint64_t>(missing, kZeros.size());
    VZ_TRY(append(ByteSpan(kZeros).first(size)));
    missing -= size;
  }
  return {};
}

std::uint64_t CheckedFileWriter::offset() const {
  return state_->written + state_->buffer.size();
}

Result<FileInfo> CheckedFileWriter::finish() {
  State& state = *state_;
  if (state.broken) return tl::unexpected<Error>(*state.broken);
  VZ_ASSERT(!state.published);
  const std::uint64_t content_size = offset();
  VZ_TRY(state.flush());

  const ByteSpan table = std::as_bytes(std::span<const std::uint32_t>(state.blocks));
  const auto trailer =
      format::encode(format::CheckedTrailer{.version = state.version,
                                            .kind = static_cast<std::uint8_t>(state.kind),
                                            .content_size = content_size,
                                            .table_crc32c = crc32c(table)});
  Bytes tail(table.begin(), table.end());
  tail.insert(tail.end(), trailer.begin(), trailer.end());
  VZ_TRY(state.write(tail));
  VZ_TRY(state.keep(state.file->sync()));
  state.file.reset();
  VZ_TRY(state.keep(state.env.rename(state.temporary_path, state.path)));
  state.published = true;
  VZ_TRY(state.keep(state.env.sync_directory(parent_directory(state.path))));

  FileInfo info;
  info.size_bytes = state.written;
  info.trailer_crc32c =
      load_number<std::uint32_t>(trailer.data() + trailer.size() - sizeof(std::uint32_t));
  info.sha256 = state.sha256.finish();
  return info;
}

}  // namespace vz::segment
