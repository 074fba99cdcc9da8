// A check of the node's files as JSON, and its request.
#pragma once

#include <string>

#include "engine/node/integrity_report.h"

namespace vz::api {

/// {"collections":["a"],"deep":true,"rate_limit_mb_per_s":10}, each of which may be absent; empty:
/// {}. Errors: kInvalidArgument (form, type, an unknown field, named), kOutOfRange (bounds).
Result<node::IntegrityRequest> decode_integrity_request(const std::string& body);

/// {"checked_vectors","errors","warnings","notes","duration_seconds",...,"findings":[...]}, of at
/// most limits::kJobResultBytesMax bytes: findings that do not fit are counted in
/// "findings_left_out".
std::string integrity_json(const node::IntegrityReport& report);

}  // namespace vz::api
