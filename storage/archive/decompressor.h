// One gzip or zstd stream, with nothing behind it.
#pragma once

#include <cstdint>
#include <memory>

#include "storage/archive/byte_stream.h"
#include "storage/archive/limits.h"

namespace vz::archive {

/// Why not libarchive's own: it passes over the checksum and the length at the end of a gzip
/// stream, and over whatever stands behind it. Not thread-safe.
class Decompressor {
 public:
  /// Tells gzip from zstd by the first bytes. `source` must outlive it.
  /// Errors: kNoData (neither), kIoError.
  static Result<std::unique_ptr<Decompressor>> open(ByteSource& source,
                                                    const ArchiveLimits& limits);
  ~Decompressor();

  /// Fills `out` unless the stream ends before; 0 at its sound end.
  /// Errors: kCorruption (cut short, damaged, bytes behind the end); kTooLarge (a limit, which is
  /// named); kIoError. Every later call fails too.
  Result<std::size_t> read(std::span<std::byte> out);

 private:
  struct State;
  explicit Decompressor(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace vz::archive
