// Who holds a data directory, as the LOCK file says it.
#pragma once

#include <string>

namespace vz::store {

/// One line of JSON about this process: pid, host, command, since (UTC).
std::string lock_owner();

}  // namespace vz::store
