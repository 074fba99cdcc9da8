// The files of an audit log. Internal to engine/audit.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/audit/audit_event.h"
#include "engine/limits.h"
#include "storage/env/env.h"

namespace vz::audit {

inline constexpr std::string_view kHeadName = "audit.head";
/// A file holds at most one line beyond its size.
inline constexpr std::uint64_t kFileReadMax = limits::kAuditFileBytesMax + (1u << 20);

struct LogFile {
  std::string path;
  std::uint64_t first_seq = 0;  ///< as its name says
};

std::string file_path(const std::string& directory, std::uint64_t first_seq);

/// Oldest first; none without a directory. Errors: kIoError, kPermissionDenied.
Result<std::vector<LogFile>> list_files(Env& env, const std::string& directory);

struct WrittenHead {
  bool there = false;
  std::optional<Head> head;  ///< nothing: there is none, or it is damaged
};
/// Errors: kIoError, kPermissionDenied.
Result<WrittenHead> read_head(Env& env, const std::string& directory);

}  // namespace vz::audit
