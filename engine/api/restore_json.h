// A snapshot that tar unpacks under the node, as JSON.
#pragma once

#include <string>

#include "engine/node/restore_watch.h"

namespace vz::api {

/// {"files":14,"files_present":9,"detail":"..."}: the value of "restore_pending", a key that is
/// there only while one is pending.
void append_restore_status(std::string& out, const node::RestoreStatus& status);

}  // namespace vz::api
