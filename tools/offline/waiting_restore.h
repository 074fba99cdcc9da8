// A snapshot that tar has unpacked into a data directory and that no start has put in force yet.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "storage/env/env.h"
#include "storage/store/store.h"

namespace vz::offline {

struct WaitingRestore {
  bool complete = false;            ///< the next start puts it in force, if the bytes are right
  std::uint64_t files = 0;          ///< that RESTORE names; 0: it cannot be read
  std::uint64_t files_present = 0;  ///< regular files of the right size
  std::string problem{};            ///< what is missing or wrong; "" if it is complete
};

/// Nothing if there is no RESTORE. By names and sizes: no file of it is read. Never writes.
/// Errors: kIoError, kPermissionDenied: listing.
Result<std::optional<WaitingRestore>> look_for_restore(Env& env, const store::Paths& paths);

/// "all 7 files are there" or "3 of 7 files are there: ..."
std::string text_of(const WaitingRestore& restore);

}  // namespace vz::offline
