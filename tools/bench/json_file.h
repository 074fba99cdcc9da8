// Where every command's --json goes.
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "storage/base/status.h"

namespace vz::bench {

/// Writes it indented, in place of what is there. Errors: kIoError: the file may be cut short.
Status write_json_file(const nlohmann::json& content, const std::string& path);

}  // namespace vz::bench
