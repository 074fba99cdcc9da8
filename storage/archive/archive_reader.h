// Reads a snapshot archive from its start to its end, and believes nothing of it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "storage/archive/byte_stream.h"
#include "storage/archive/limits.h"
#include "storage/archive/member_name.h"

namespace vz::archive {

struct Member {
  std::string path;                     ///< without kCollectionPrefix
  bool of_collection = false;           ///< it began with that
  MemberKind kind = MemberKind::kData;  ///< kRestore or kData
  std::uint64_t size_bytes = 0;
};

/// Gives the regular files whose names a data directory can hold (member_name.h); any other member
/// ends the reading. Reads tar under gzip or zstd and nothing else. Not thread-safe.
class ArchiveReader {
 public:
  /// `source` must outlive it. Errors: kNoData (no such archive), kIoError.
  static Result<std::unique_ptr<ArchiveReader>> open(ByteSource& source,
                                                     const ArchiveLimits& limits = {});
  ~ArchiveReader();

  /// The next member, what is left of the one before passed over. Nothing at the archive's sound
  /// end, with nothing but padding behind it.
  /// Errors: kCorruption: damage, a cut, bytes behind the end, a link, a device, a name that may
  /// not be or is there twice, each with the reason; kTooLarge: a limit; kIoError. Every later call
  /// fails too.
  Result<std::optional<Member>> next();

  /// Some bytes of the present member into `out`; 0 at its end, when all of them were given.
  /// Errors: as next().
  Result<std::size_t> read(std::span<std::byte> out);

 private:
  struct State;
  explicit ArchiveReader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace vz::archive
