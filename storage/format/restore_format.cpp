#include "storage/format/restore_format.h"

#include <cstring>

#include "storage/format/manifest_format.h"

namespace vz::format {
namespace {

constexpr std::size_t kVersionOffset = 8;
constexpr std::size_t kCountOffset = 12;
constexpr std::size_t kSizeOffset = 16;
constexpr std::size_t kManifestSizeAt = 24;
static_assert(kRestoreMagic.size() == kVersionOffset);
static_assert(kManifestSizeAt + sizeof(std::uint64_t) == kRestoreHeaderSize);

Sha256Digest digest_of(ByteSpan bytes) {
  Sha256 hash;
  hash.update(bytes);
  return hash.finish();
}

tl::unexpected<Error> out_of_range(std::string what) {
  return fail(ErrorCode::kOutOfRange, "RESTORE: " + std::move(what));
}

tl::unexpected<Error> corrupt(std::size_t offset, std::string what) {
  return fail(ErrorCode::kCorruption,
              "RESTORE, offset " + std::to_string(offset) + ": " + std::move(what));
}

Status check_frame(ByteSpan bytes) {
  if (bytes.size() < kRestoreHeaderSize + kRestoreDigestSize || bytes.size() > kRestoreBytesMax) {
    return corrupt(0, std::to_string(kRestoreHeaderSize + kRestoreDigestSize) + " to " +
                          std::to_string(kRestoreBytesMax) + " bytes expected, found " +
                          std::to_string(bytes.size()));
  }
  if (as_text(bytes.first(kRestoreMagic.size())) != kRestoreMagic) {
    return corrupt(0, "this is no RESTORE");
  }
  const auto size = load_number<std::uint64_t>(bytes.data() + kSizeOffset);
  if (size != bytes.size()) {
    return corrupt(kSizeOffset,
                   std::to_string(size) + " bytes expected, found " + std::to_string(bytes.size()));
  }
  const std::size_t body = bytes.size() - kRestoreDigestSize;
  const Sha256Digest found = digest_of(bytes.first(body));
  if (std::memcmp(found.data(), bytes.data() + body, found.size()) != 0) {
    return corrupt(body, "the sha256 " + to_hex(found) + " expected");
  }
  const auto version = load_number<std::uint32_t>(bytes.data() + kVersionOffset);
  if (version > kRestoreVersion) {
    return fail(ErrorCode::kIncompatible,
                "RESTORE version " + std::to_string(version) + " is newer than this program's " +
                    std::to_string(kRestoreVersion) + ": use a newer vectorizerctl");
  }
  if (version == 0) return corrupt(kVersionOffset, "version 0 does not exist");
  return {};
}

Result<RestoreFile> read_file_entry(ByteReader& in, const std::string& before) {
  const std::size_t offset = in.offset();
  RestoreFile file;
  file.path = std::string(in.text());
  file.size_bytes = in.number<std::uint64_t>();
  const ByteSpan digest = in.raw(file.sha256.size());
  if (!in.ok()) return corrupt(offset, "the entry does not end before the checksum");
  std::memcpy(file.sha256.data(), digest.data(), file.sha256.size());
  if (file.path.empty() || file.path.size() > kRestorePathBytesMax || file.path <= before) {
    return corrupt(offset, "a path of 1 to " + std::to_string(kRestorePathBytesMax) +
                               " bytes behind the one before it expected");
  }
  return file;
}

}  // namespace

Result<Bytes> encode(const Restore& restore) {
  if (restore.manifest.size() > kManifestBytesMax) return out_of_range("the image is too large");
  if (restore.files.size() > kRestoreFilesMax) {
    return out_of_range(std::to_string(restore.files.size()) + " files, at most " +
                        std::to_string(kRestoreFilesMax));
  }
  Bytes bytes;
  ByteWriter out(bytes);
  out.raw(as_bytes(kRestoreMagic));
  out.number(kRestoreVersion);
  out.number(static_cast<std::uint32_t>(restore.files.size()));
  out.number(std::uint64_t{0});  // The size is filled in at the end.
  out.number(static_cast<std::uint64_t>(restore.manifest.size()));
  out.raw(restore.manifest);
  std::string before;
  for (const RestoreFile& file : restore.files) {
    if (file.path.empty() || file.path.size() > kRestorePathBytesMax || file.path <= before) {
      return out_of_range("path \"" + file.path + "\" is empty, too long, or out of order");
    }
    out.text(file.path);
    out.number(file.size_bytes);
    out.raw(std::as_bytes(std::span(file.sha256)));
    before = file.path;
  }
  const std::uint64_t size = bytes.size() + kRestoreDigestSize;
  if (size > kRestoreBytesMax) return out_of_range(std::to_string(size) + " bytes are too many");
  store_number(bytes.data() + kSizeOffset, size);
  const Sha256Digest digest = digest_of(bytes);
  out.raw(std::as_bytes(std::span(digest)));
  return bytes;
}

Result<Restore> decode_restore(ByteSpan bytes) {
  VZ_TRY(check_frame(bytes));
  const std::size_t end = bytes.size() - kRestoreDigestSize;
  ByteReader in(bytes.first(end));
  in.raw(kRestoreHeaderSize);
  const auto count = load_number<std::uint32_t>(bytes.data() + kCountOffset);
  const auto manifest_size = load_number<std::uint64_t>(bytes.data() + kManifestSizeAt);
  if (manifest_size > kManifestBytesMax || manifest_size > in.remaining()) {
    return corrupt(kManifestSizeAt, "an image of at most " + std::to_string(in.remaining()) +
                                        " bytes expected, found " + std::to_string(manifest_size));
  }
  Restore restore;
  const ByteSpan manifest = in.raw(manifest_size);
  restore.manifest.assign(manifest.begin(), manifest.end());
  if (count > kRestoreFilesMax || count > in.remaining() / kRestoreFileBytesMin) {
    return corrupt(kCountOffset, std::to_string(count) + " files do not fit into " +
                                     std::to_string(in.remaining()) + " bytes");
  }
  restore.files.reserve(count);
  for (std::uint32_t index = 0; index < count; ++index) {
    VZ_TRY_ASSIGN(RestoreFile file,
                  read_file_entry(in, index == 0 ? std::string() : restore.files.back().path));
    restore.files.push_back(std::move(file));
  }
  if (in.remaining() != 0) {
    return corrupt(in.offset(), std::to_string(in.remaining()) + " bytes beyond the last entry");
  }
  return restore;
}

}  // namespace vz::format
