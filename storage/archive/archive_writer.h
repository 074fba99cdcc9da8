// Writes a snapshot archive: tar under gzip or zstd, the same bytes for the same content.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "storage/archive/byte_stream.h"

namespace vz::archive {

enum class ArchiveFormat : std::uint8_t {
  kTarGzip,  ///< level 1, one thread: every tar reads it
  kTarZstd,  ///< all cores
};

/// By the end of a name: .tar.gz and .tgz, .tar.zst and .tzst. Nothing for any other.
std::optional<ArchiveFormat> format_of_name(std::string_view name);

/// Not thread-safe. Members are regular files, mode 0600, owner 0, in the order of the calls; the
/// caller keeps that order, and `time_s`, the same for the same content.
class ArchiveWriter {
 public:
  /// `sink` must outlive it. `time_s` is the modification time of every member.
  static Result<std::unique_ptr<ArchiveWriter>> create(ByteSink& sink, ArchiveFormat format,
                                                       std::int64_t time_s);
  /// Without finish() the sink holds a piece of an archive, which readers refuse.
  ~ArchiveWriter();

  /// Begins a member of exactly `size_bytes`.
  Status begin(const std::string& path, std::uint64_t size_bytes);
  /// More of its content. Errors: kInternal if it is more than `size_bytes`; those of the sink.
  Status write(ByteSpan bytes);
  /// The end of the archive. Errors: kInternal if a member is incomplete; those of the sink.
  Status finish();

 private:
  struct State;
  explicit ArchiveWriter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace vz::archive
