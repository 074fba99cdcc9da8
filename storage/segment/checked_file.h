// A file under checksums: content, then one CRC32C per 64 KiB block, then a trailer.
// The container of .seg, .dead, .index and .fields. Byte format:
// storage/format/checked_file_format.h
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "storage/base/bytes.h"
#include "storage/base/sha256.h"
#include "storage/base/status.h"
#include "storage/env/env.h"

namespace vz::segment {

enum class FileKind : std::uint8_t {  // On disk: never renumber.
  kSegment = 1,
  kDead = 2,
  kIndex = 3,
  kFields = 4,
};

/// What the manifest records of a file.
struct FileInfo {
  std::uint64_t size_bytes = 0;
  std::uint32_t trailer_crc32c = 0;
  Sha256Digest sha256{};
  friend bool operator==(const FileInfo&, const FileInfo&) = default;
};

/// Writes a new file from its start to its end. Not thread-safe.
/// The bytes go to `path` + ".tmp"; finish() publishes them under `path`.
class CheckedFileWriter {
 public:
  /// `version` is the kind's own format version. A leftover ".tmp" is replaced.
  static Result<std::unique_ptr<CheckedFileWriter>> create(Env& env, const std::string& path,
                                                           FileKind kind, std::uint16_t version);
  ~CheckedFileWriter();  // Removes the ".tmp" if finish() was not reached.

  Status append(ByteSpan bytes);
  /// Zero bytes up to a multiple of `alignment`.
  Status pad_to(std::uint64_t alignment);
  /// Bytes of content so far: the offset that the next append gets.
  [[nodiscard]] std::uint64_t offset() const;
  /// Block table and trailer, sync, rename, sync of the directory.
  /// Errors: kIoError, kNoSpace: `path` holds nothing new; if only the last step failed (the sync
  /// of the directory) it may hold the whole new file. After any error every later call fails
  /// alike.
  Result<FileInfo> finish();

 private:
  struct State;
  explicit CheckedFileWriter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Reads such a file through a mapping. A block is verified once, at its first touch. Thread-safe.
class CheckedFile {
 public:
  /// Maps the file; checks length, trailer and block table, not the blocks.
  /// Errors: kNotFound, kIoError; kCorruption (path, offset, expected, found); kIncompatible if the
  /// version is above `version_max`.
  static Result<std::unique_ptr<CheckedFile>> open(Env& env, const std::string& path, FileKind kind,
                                                   std::uint16_t version_max);
  ~CheckedFile();

  [[nodiscard]] const std::string& path() const;
  [[nodiscard]] std::uint16_t version() const;
  [[nodiscard]] std::uint64_t content_size() const;
  [[nodiscard]] std::uint64_t file_size() const;
  [[nodiscard]] std::uint32_t trailer_crc32c() const;

  /// `size` verified content bytes at `offset`. Errors: kCorruption if a block's checksum is wrong,
  /// if the mapping failed, or if the range is beyond the content.
  Result<ByteSpan> bytes(std::uint64_t offset, std::uint64_t size) const;
  /// The same without the check: for hot loops over ranges that verify() has passed. The caller
  /// tests failed() before its result leaves.
  [[nodiscard]] const std::byte* unchecked(std::uint64_t offset) const;
  /// Verifies every block of the range that has not been verified yet.
  Status verify(std::uint64_t offset, std::uint64_t size) const;
  /// Reads everything again, also what was right when it was first touched: block table and every
  /// block. For who has reason to doubt it. Errors: kCorruption; the file has failed then.
  Status verify_again() const;
  /// True after a fault in the mapping or a wrong block; stays true.
  [[nodiscard]] bool failed() const;
  void read_ahead(std::uint64_t offset, std::uint64_t size) const;
  /// Lets go of the mapped pages of the content, once the caller has a copy of what it uses.
  void forget() const;

 private:
  struct State;
  explicit CheckedFile(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace vz::segment
