// Calls about the run-time settings of a node.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "storage/base/status.h"
#include "tools/drive/http_client.h"

namespace vz::drive {

struct NodeSetting {
  std::string key;     ///< dotted, "logging.level"
  std::string value;   ///< JSON text
  std::string origin;  ///< "default", "start" or "runtime"
};

// Every call: errors are kUnavailable (no answer) and those of answer.h.

/// In the node's order. Errors: also kIncompatible.
Result<std::vector<NodeSetting>> settings(HttpClient& http);
/// By dotted key, JSON text; null puts one back. All or none. The settings in force then.
/// Errors: also kInvalidArgument: a key is given twice, or within another.
Result<std::vector<NodeSetting>> change_settings(
    HttpClient& http, const std::vector<std::pair<std::string, std::string>>& values);

}  // namespace vz::drive
