// A file of the real file system mapped for reading, guarded against SIGBUS.
#pragma once

#include <memory>
#include <string>

#include "storage/env/env.h"

namespace vz {

/// Errors: as Env::map; kIoError if it is not a regular file or too many files are mapped.
Result<std::unique_ptr<MappedFile>> map_posix_file(const std::string& path);

}  // namespace vz
