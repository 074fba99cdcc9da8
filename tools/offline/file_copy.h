// Copies of files, durable, by a bounded buffer.
#pragma once

#include <cstdint>
#include <string>

#include "storage/base/sha256.h"
#include "storage/env/env.h"

namespace vz::offline {

struct CopiedFile {
  std::uint64_t size_bytes = 0;
  Sha256Digest sha256{};               ///< of what was written
  std::uint64_t unreadable_bytes = 0;  ///< that the disk did not deliver; zeros stand for them
};

/// What copy_file() would make of `from`, of which nothing is written. Errors: kNotFound, kIoError
/// (the file cannot be opened; a sector that cannot be read is no error).
Result<CopiedFile> read_through(Env& env, const std::string& from, std::uint64_t offset = 0);

/// Copies the bytes of `from` behind `offset` to `to` by way of `to` + ".tmp"; durable on return,
/// and an older file of that name is replaced. Errors: as read_through(), kNoSpace: `to` is as it
/// was, and what was copied is overwritten by the next try.
Result<CopiedFile> copy_file(Env& env, const std::string& from, const std::string& to,
                             std::uint64_t offset = 0);

}  // namespace vz::offline
