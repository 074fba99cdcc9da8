// errno -> Status, in one place.
#pragma once

#include <string>
#include <string_view>

#include "storage/base/status.h"

namespace vz {

/// The error of a system call that set `error_number` while `doing` ("writing") was done to `path`:
/// "writing /data/wal/1.wal: No space left on device".
[[nodiscard]] tl::unexpected<Error> fail_errno(int error_number, std::string_view doing,
                                               std::string_view path);

}  // namespace vz
