#include "storage/segment/checked_file.h"

#include <algorithm>
#include <cstdio>
#include <utility>
#include <vector>

#include "storage/base/crc32c.h"
#include "storage/format/checked_file_format.h"
#include "storage/segment/checksum_errors.h"

namespace vz::segment {
namespace {

constexpr std::uint64_t kBitsPerWord = 64;

std::string hex(std::uint32_t value) {
  std::array<char, 11> text{};
  std::snprintf(text.data(), text.size(), "0x%08x", value);
  return text.data();
}

std::atomic<std::uint64_t> g_checksum_errors{0};

}  // namespace

std::uint64_t checksum_errors() {
  return g_checksum_errors.load(std::memory_order_relaxed);
}

void count_checksum_error() {
  g_checksum_errors.fetch_add(1, std::memory_order_relaxed);
}

struct CheckedFile::State {
  // Constant after open.
  std::string path;
  std::unique_ptr<MappedFile> map;
  ByteSpan file;
  std::uint64_t content_size = 0;
  std::uint16_t version = 0;
  std::uint32_t trailer_crc32c = 0;
  std::uint32_t table_crc32c = 0;

  // A set bit: that block's checksum was right when it was first touched.
  std::vector<std::atomic<std::uint64_t>> verified;
  std::atomic<bool> failed{false};

  [[nodiscard]] bool is_verified(std::uint64_t block) const {
    const std::uint64_t word = verified[block / kBitsPerWord].load(std::memory_order_acquire);
    return (word >> (block % kBitsPerWord) & 1u) != 0;
  }
  [[nodiscard]] std::uint32_t recorded_crc(std::uint64_t block) const {
    return load_number<std::uint32_t>(file.data() + content_size + block * sizeof(std::uint32_t));
  }
  tl::unexpected<Error> damage(std::uint64_t offset, const std::string& what) {
    failed.store(true, std::memory_order_release);
    count_checksum_error();
    return fail(ErrorCode::kCorruption,
                path + " at offset " + std::to_string(offset) + ": " + what);
  }
  Status verify_block(std::uint64_t block);
};

// Two threads may verify the same block at once; both find the same, so neither waits.
Status CheckedFile::State::verify_block(std::uint64_t block) {
  const std::uint64_t offset = block * format::kCheckedBlockSize;
  const std::uint64_t size =
      std::min<std::uint64_t>(format::kCheckedBlockSize, content_size - offset);
  const std::uint32_t expected = recorded_crc(block);
  const std::uint32_t found = crc32c(file.subspan(offset, size));
  if (map->failed()) return damage(offset, "the disk could not deliver a page of the file");
  if (expected != found) {
    return damage(offset, "block of " + std::to_string(size) + " bytes: expected crc32c " +
                              hex(expected) + ", found " + hex(found));
  }
  verified[block / kBitsPerWord].fetch_or(std::uint64_t{1} << (block % kBitsPerWord),
                                          std::memory_order_release);
  return {};
}

CheckedFile::CheckedFile(std::unique_ptr<State> state) : state_(std::move(state)) {}
CheckedFile::~CheckedFile() = default;

Result<std::unique_ptr<CheckedFile>> CheckedFile::open(Env& env, const std::string& path,
                                                       FileKind kind, std::uint16_t version_max) {
  auto state = std::make_unique<State>();
  state->path = path;
  VZ_TRY_ASSIGN(state->map, env.map(path));
  state->file = state->map->bytes();
  const std::uint64_t file_size = state->file.size();
  if (file_size < format::kCheckedTrailerSize) {
    return state->damage(0, "file too short: expected at least " +
                                std::to_string(format::kCheckedTrailerSize) + " bytes, found " +
                                std::to_string(file_size));
  }

  const std::uint64_t trailer_offset = file_size - format::kCheckedTrailerSize;
  const auto trailer =
      format::decode_checked_trailer(state->file.subspan(trailer_offset), file_size);
  if (!trailer) {
    return while_doing(trailer.error(), path + " at offset " + std::to_string(trailer_offset));
  }
  if (trailer->kind != static_cast<std::uint8_t>(kind)) {
    return state->damage(trailer_offset, "kind: expected " +
                                             std::to_string(static_cast<unsigned>(kind)) +
                                             ", found " + std::to_string(trailer->kind));
  }
  if (trailer->version > version_max) {
    return fail(ErrorCode::kIncompatible,
                path + ": format version " + std::to_string(trailer->version) +
                    " is newer than this program's " + std::to_string(version_max));
  }
  const std::uint64_t content_size = trailer->content_size;
  const std::uint32_t table_crc =
      crc32c(state->file.subspan(content_size, trailer_offset - content_size));
  if (table_crc != trailer->table_crc32c) {
    return state->damage(
        content_size,
        "block table: expected crc32c " + hex(trailer->table_crc32c) + ", found " + hex(table_crc));
  }
  if (state->map->failed()) {
    return state->damage(trailer_offset, "the disk could not deliver a page of the file");
  }

  state->content_size = content_size;
  state->version = trailer->version;
  state->trailer_crc32c = trailer->trailer_crc32c;
  state->table_crc32c = trailer->table_crc32c;
  const std::uint64_t block_count = format::checked_block_count(content_size);
  state->verified =
      std::vector<std::atomic<std::uint64_t>>((block_count + kBitsPerWord - 1) / kBitsPerWord);
  return std::unique_ptr<CheckedFile>(new CheckedFile(std::move(state)));
}

const std::string& CheckedFile::path() const {
  return state_->path;
}
std::uint16_t CheckedFile::version() const {
  return state_->version;
}
std::uint64_t CheckedFile::content_size() const {
  return state_->content_size;
}
std::uint64_t CheckedFile::file_size() const {
  return state_->file.size();
}
std::uint32_t CheckedFile::trailer_crc32c() const {
  return state_->trailer_crc32c;
}

Result<ByteSpan> CheckedFile::bytes(std::uint64_t offset, std::uint64_t size) const {
  VZ_TRY(verify(offset, size));
  if (state_->map->failed()) {
    return state_->damage(offset, "the disk could not deliver a page of the file");
  }
  return state_->file.subspan(offset, size);
}

const std::byte* CheckedFile::unchecked(std::uint64_t offset) const {
  return state_->file.data() + offset;
}

Status CheckedFile::verify(std::uint64_t offset, std::uint64_t size) const {
  State& state = *state_;
  if (offset > state.content_size || size > state.content_size - offset) {
    return state.damage(offset, "expected " + std::to_string(size) +
                                    " bytes of content, found a content of " +
                                    std::to_string(state.content_size) + " bytes");
  }
  if (size == 0) return {};
  const std::uint64_t last = (offset + size - 1) / format::kCheckedBlockSize;
  for (std::uint64_t block = offset / format::kCheckedBlockSize; block <= last; ++block) {
    if (!state.is_verified(block)) VZ_TRY(state.verify_block(block));
  }
  return {};
}

Status CheckedFile::verify_again() const {
  State& state = *state_;
  const std::uint64_t block_count = format::checked_block_count(state.content_size);
  const std::uint32_t found =
      crc32c(state.file.subspan(state.content_size, block_count * sizeof(std::uint32_t)));
  if (found != state.table_crc32c) {
    return state.damage(state.content_size, "block table: expected crc32c " +
                                                hex(state.table_crc32c) + ", found " + hex(found));
  }
  for (std::uint64_t block = 0; block < block_count; ++block) VZ_TRY(state.verify_block(block));
  if (state.map->failed()) return state.damage(0, "the disk could not deliver a page of the file");
  return {};
}

bool CheckedFile::failed() const {
  return state_->failed.load(std::memory_order_acquire) || state_->map->failed();
}

void CheckedFile::read_ahead(std::uint64_t offset, std::uint64_t size) const {
  if (offset >= state_->content_size) return;
  state_->map->read_ahead(offset, std::min(size, state_->content_size - offset));
}

void CheckedFile::forget() const {
  state_->map->forget(0, state_->content_size);
}

}  // namespace vz::segment
