// Open-file-description locks with the owner's name in the file.
#pragma once

#include <memory>
#include <string>

#include "storage/env/env.h"

namespace vz {

/// As Env::lock.
Result<std::unique_ptr<FileLock>> lock_posix_file(const std::string& path, LockMode mode,
                                                  const std::string& owner);

}  // namespace vz
